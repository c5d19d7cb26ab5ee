import { sampleIds } from '#sandbox/sample-ids.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';

/**
 * Gives a call an assistant with the id of a listed one and another prompt, which the sandbox does
 * only on request.
 */
export function giveCallOlderAssistant({ control, ...sandbox }: Sandbox) {
  const { richCallId } = sampleIds({ control, ...sandbox });
  const { calls, assistants } = control.data(KEY_A);
  const call = calls.find(({ id }) => id === richCallId)!;
  const today = assistants.find(({ id }) => id === call.assistant?.id)!;
  const assistant = { ...today, prompt: 'The prompt of the call.' };
  control.putCall(KEY_A, { ...call, assistant });
  return {
    variables: { callId: richCallId, assistantId: today.id },
    expected: {
      call: { id: richCallId, assistant: { id: today.id, prompt: assistant.prompt } },
      assistant: { id: today.id, name: today.name, prompt: today.prompt },
    },
    traffic: [`GET /call/${richCallId}`, `GET /assistants/${today.id}`],
  };
}
