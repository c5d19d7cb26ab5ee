import type { Sandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';

/**
 * Gives the first two assistants the same voice at two speeds, and returns what a client must
 * read.
 */
export function shareOneVoice({ control }: Sandbox) {
  return control
    .data(KEY_A)
    .assistants.slice(0, 2)
    .map((assistant, index) => {
      const speed = [0.8, 1.2][index]!;
      assistant.voice = { provider: 'cartesia', id: 'one-voice', speed };
      return { id: assistant.id, voice: { provider: 'CARTESIA', voiceId: 'one-voice', speed } };
    });
}
