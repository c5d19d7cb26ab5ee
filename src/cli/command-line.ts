import { parseArgs } from 'node:util';
import { findSimilar } from '#config/edit-distance.ts';
import { settingNames } from '#config/variables.ts';

export const COMMANDS = ['start', 'demo', 'doctor'] as const;

export type Command = (typeof COMMANDS)[number];

export type CommandLine =
  | { readonly action: 'help'; readonly command: Command | undefined }
  | { readonly action: 'version' }
  | ({ readonly action: 'run' } & Run);

/** A command with its options. */
export interface Run {
  readonly command: Command;
  /** Files with settings. A later one takes precedence over an earlier one. */
  readonly envFiles: readonly string[];
  readonly json: boolean;
  readonly apiKeyStdin: boolean;
}

/** The arguments are wrong. The message says what would be right. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/**
 * Containers, process managers and `npx` start the program without an argument, and the environment
 * alone configures it. So no command means `start`.
 */
const DEFAULT_COMMAND: Command = 'start';

const OPTIONS = {
  'env-file': { type: 'string', multiple: true },
  json: { type: 'boolean' },
  'api-key-stdin': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

const NPM_COMMANDS = { start: 'npm start', demo: 'npm run demo' } as const;

const DOCTOR_OPTIONS = ['json', 'api-key-stdin'];

/**
 * An argument that a message may repeat. Any other may be an API key, for example after an option
 * that does not exist.
 */
const REPEATABLE = /^[a-z][a-z-]{0,19}$/i;

/**
 * Parses the arguments. Each option may stand before or after the command.
 * @throws UsageError
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  // Not strict: parseArgs would repeat the arguments in its messages.
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options = tokens.filter((token) => token.kind === 'option');
  const [word, ...more] = tokens.flatMap((token) =>
    token.kind === 'positional' ? [token.value] : [],
  );
  const names = new Set(options.map(({ name }) => name));
  if (names.has('help')) return { action: 'help', command: COMMANDS.find((name) => name === word) };
  const unknown = options.find(({ name }) => !Object.hasOwn(OPTIONS, name));
  if (unknown) throw new UsageError(describeUnknownOption(unknown, word));
  const command = word === undefined ? DEFAULT_COMMAND : toCommand(word);
  for (const option of options) checkOption(option, command);
  if (more.length > 0) throw new UsageError(describeExtraArgument(more[0] ?? '', command));
  if (names.has('version')) return { action: 'version' };
  return {
    action: 'run',
    command,
    envFiles: options.flatMap(({ name, value }) => (name === 'env-file' && value ? [value] : [])),
    json: names.has('json'),
    apiKeyStdin: names.has('api-key-stdin'),
  };
}

function toCommand(word: string): Command {
  const found = COMMANDS.find((name) => name === word);
  if (found) return found;
  const meant = Object.hasOwn(OPTIONS, word)
    ? `--${word}`
    : findSimilar(word.toLowerCase(), COMMANDS, () => 2)[0];
  throw new UsageError(
    sentences(
      `Unknown command${quoted(word)}.`,
      meant && `Did you mean ${meant}?`,
      `The commands are ${list(COMMANDS)}.`,
    ),
  );
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkOption(option: OptionToken, command: Command): void {
  const { name, value, inlineValue } = option;
  if (DOCTOR_OPTIONS.includes(name) && command !== 'doctor')
    throw new UsageError(`--${name} is an option of doctor, not of ${command}.`);
  if (name === 'env-file') {
    // `--env-file --json`: the value is missing.
    if (value === undefined || value === '' || (!inlineValue && value.startsWith('-')))
      throw new UsageError('--env-file must be followed by a path, for example --env-file .env.');
  } else if (value !== undefined) {
    throw new UsageError(`--${name} takes no value.`);
  }
}

function describeUnknownOption({ name, rawName }: OptionToken, word: string | undefined): string {
  const command = COMMANDS.find((other) => other === word) ?? DEFAULT_COMMAND;
  const known = optionsOf(command);
  const meant = meantByOption(name, known);
  return sentences(
    `Unknown option${REPEATABLE.test(name) ? ` ${rawName}` : ''}.`,
    meant && `Did you mean ${meant}?`,
    `The options of ${command} are ${list(known.map((other) => `--${other}`))}.`,
  );
}

function meantByOption(name: string, options: readonly string[]): string | undefined {
  if (COMMANDS.some((command) => command === name)) return `the command ${name}`;
  const variable = name.toUpperCase().replaceAll('-', '_');
  if (settingNames.includes(variable)) return `the environment variable ${variable}`;
  const option =
    options.find((other) => name.length > 2 && other.startsWith(name)) ??
    findSimilar(name, options, () => 2)[0];
  return option && `--${option}`;
}

function describeExtraArgument(word: string, command: Command): string {
  return sentences(
    `Unexpected argument${quoted(word)} after the command.`,
    command === 'doctor'
      ? 'doctor reads a key from REVOX_API_KEY or, with --api-key-stdin, from the standard input.'
      : `${command} takes options only; npm passes them on behind two dashes: ${NPM_COMMANDS[command]} -- --env-file .env.`,
  );
}

function optionsOf(command: Command): string[] {
  return Object.keys(OPTIONS).filter(
    (name) => command === 'doctor' || !DOCTOR_OPTIONS.includes(name),
  );
}

function quoted(word: string): string {
  return REPEATABLE.test(word) ? ` "${word}"` : '';
}

function sentences(...parts: (string | undefined)[]): string {
  return parts.filter(Boolean).join(' ');
}

function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
