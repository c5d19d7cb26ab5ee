import { isApiKey } from '#config/groups/authentication.ts';
import { isQuoted } from '#config/secret-values.ts';
import { readSettings, SettingsError } from '#config/settings.ts';
import { printLine } from '#observability/console.ts';

/** A longer input is no key. */
const MAX_KEY_BYTES = 16_384;

const PIPE_EXAMPLE = 'for example revox-graphql-gateway doctor --api-key-stdin < key.txt';

export interface DoctorCommand {
  readonly format: 'text' | 'json';
  /** Whether the key is on the standard input. */
  readonly apiKeyStdin: boolean;
}

/** Checks the settings against the upstream. The exit code is the verdict. */
export async function runDoctorCommand({ format, apiKeyStdin }: DoctorCommand): Promise<void> {
  const settings = readSettings();
  const apiKey = apiKeyStdin ? await readKey() : undefined;
  const { runDoctor } = await import('#doctor/run-doctor.ts');
  const hasColors = process.stdout.isTTY && process.stdout.hasColors();
  process.exitCode = await runDoctor({ settings, apiKey, format, hasColors, write: printLine });
}

/** @throws SettingsError that does not contain the input */
async function readKey(): Promise<string> {
  if (process.stdin.isTTY)
    throw new SettingsError([`--api-key-stdin reads a file or a pipe, ${PIPE_EXAMPLE}.`]);
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_KEY_BYTES) break;
  }
  const key = text.trim();
  if (key === '')
    throw new SettingsError([`--api-key-stdin: the standard input is empty; ${PIPE_EXAMPLE}.`]);
  if (text.length > MAX_KEY_BYTES || !isApiKey(key) || isQuoted(key, 'value'))
    throw new SettingsError([
      '--api-key-stdin: the key must be visible ASCII without spaces, line breaks and quotation marks.',
    ]);
  return key;
}
