import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS, parseCommandLine, UsageError } from '#cli/command-line.ts';
import { helpOf } from '#cli/help.ts';
import { variables } from '#config/variables.ts';
import manifest from '../../package.json' with { type: 'json' };

const RUN = { action: 'run', command: 'start', envFiles: [], json: false, apiKeyStdin: false };

describe('Command line', () => {
  test.each([
    [[], RUN],
    [['start'], RUN],
    [['demo'], { ...RUN, command: 'demo' }],
    [['doctor', '--json'], { ...RUN, command: 'doctor', json: true }],
    [['--api-key-stdin', 'doctor'], { ...RUN, command: 'doctor', apiKeyStdin: true }],
    [['--env-file', 'a.env', 'start'], { ...RUN, envFiles: ['a.env'] }],
    [
      ['demo', '--env-file=a.env', '--env-file', 'b.env'],
      { ...RUN, command: 'demo', envFiles: ['a.env', 'b.env'] },
    ],
    [['--env-file=-odd.env'], { ...RUN, envFiles: ['-odd.env'] }],
    [['--help'], { action: 'help', command: undefined }],
    [['-h'], { action: 'help', command: undefined }],
    [['doctor', '--help'], { action: 'help', command: 'doctor' }],
    [['--help', 'demo'], { action: 'help', command: 'demo' }],
    [['elsewhere', '--help'], { action: 'help', command: undefined }],
    [['--version'], { action: 'version' }],
    [['-v'], { action: 'version' }],
  ])('the arguments %j are %j', (args, parsed) => {
    expect(parseCommandLine(args)).toEqual(parsed);
  });

  const OF_START = 'The options of start are --env-file, --help and --version.';
  const OF_DOCTOR =
    'The options of doctor are --env-file, --json, --api-key-stdin, --help and --version.';
  const COMMAND_LIST = 'The commands are start, demo and doctor.';

  test.each([
    [['strat'], `Unknown command "strat". Did you mean start? ${COMMAND_LIST}`],
    [['START'], `Unknown command "START". Did you mean start? ${COMMAND_LIST}`],
    [['serve'], `Unknown command "serve". ${COMMAND_LIST}`],
    [['help'], `Unknown command "help". Did you mean --help? ${COMMAND_LIST}`],
    [['sk_live_1234567890'], `Unknown command. ${COMMAND_LIST}`],
    [['--demo'], `Unknown option --demo. Did you mean the command demo? ${OF_START}`],
    [['--evn-file', 'x'], `Unknown option --evn-file. Did you mean --env-file? ${OF_START}`],
    [
      ['--port=80'],
      `Unknown option --port. Did you mean the environment variable PORT? ${OF_START}`,
    ],
    [
      ['start', '--revox-api-key', 'sk_live_1234567890'],
      `Unknown option --revox-api-key. Did you mean the environment variable REVOX_API_KEY? ${OF_START}`,
    ],
    [['-p'], `Unknown option -p. ${OF_START}`],
    [['--sk_live_1234567890'], `Unknown option. ${OF_START}`],
    [
      ['doctor', '--api-key', 'sk_live_1234567890'],
      `Unknown option --api-key. Did you mean --api-key-stdin? ${OF_DOCTOR}`,
    ],
    [['start', '--json'], '--json is an option of doctor, not of start.'],
    [['--api-key-stdin'], '--api-key-stdin is an option of doctor, not of start.'],
    [['doctor', '--json=yes'], '--json takes no value.'],
    ...[['--env-file'], ['--env-file='], ['--env-file', '--version'], ['start', '--env-file']].map(
      (args): [string[], string] => [
        args,
        '--env-file must be followed by a path, for example --env-file .env.',
      ],
    ),
    [
      ['start', '.env'],
      'Unexpected argument after the command. start takes options only; npm passes them on behind two dashes: npm start -- --env-file .env.',
    ],
    [
      ['doctor', 'sk_live_1234567890'],
      'Unexpected argument after the command. doctor reads a key from REVOX_API_KEY or, with --api-key-stdin, from the standard input.',
    ],
    [
      ['demo', 'start'],
      'Unexpected argument "start" after the command. demo takes options only; npm passes them on behind two dashes: npm run demo -- --env-file .env.',
    ],
    [
      ['start', 'demo'],
      'Unexpected argument "demo" after the command. start takes options only; npm passes them on behind two dashes: npm start -- --env-file .env.',
    ],
  ])('the arguments %j are refused: %s', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(new UsageError(message));
  });
});

describe('Help', () => {
  const texts = [undefined, ...COMMANDS].map((command) => ({ command, text: helpOf(command) }));

  test.each(texts)('the help of $command fits a terminal of 90 columns', ({ text }) => {
    expect(text.split('\n').filter((line) => line.length > 90)).toEqual([]);
  });

  test.each(texts)('the help of $command names only settings that exist', ({ text }) => {
    const named = text.match(/\b[A-Z]{2,}(_[A-Z]+)*\b/g) ?? [];
    const others = ['API', 'HTTP', 'JSON', 'SIGTERM', 'SIGINT', 'URL', 'GET', 'PATH', 'REST'];
    expect(
      named.filter((name) => !Object.hasOwn(variables.shape, name) && !others.includes(name)),
    ).toEqual([]);
  });

  test.each(texts)('every example in the help of $command is a valid command line', ({ text }) => {
    const examples = text.match(/^ {2}(?:[A-Z_]+=\S+ )?revox-graphql-gateway .*$/gm) ?? [];
    expect(examples.length).toBeGreaterThan(1);
    for (const example of examples) {
      const [, args = ''] = example.split(/revox-graphql-gateway ?/);
      parseCommandLine(args.replace(/ < \S+$/, '').split(' '));
    }
  });

  test('the help of the program lists each command, and the help of doctor its exit codes', () => {
    for (const command of COMMANDS) expect(helpOf(undefined)).toMatch(`\n  ${command} `);
    expect(helpOf('doctor')).toContain(
      [
        'Exit codes:',
        '  0  the gateway will work with these settings',
        '  1  it will not work, or the settings or arguments are invalid',
        '  2  it will work, and there are findings',
      ].join('\n'),
    );
  });

  test('each command is an npm script, and the program of the package', () => {
    const program = manifest.bin['revox-graphql-gateway'];
    for (const command of COMMANDS)
      expect(manifest.scripts[command]).toBe(`node -- ${program} ${command}`);
    expect(manifest.scripts.dev).toBe(`node --watch -- ${program} demo`);
    expect(readFileSync(join(import.meta.dirname, '../..', program), 'utf8')).toMatch(
      /^#!\/usr\/bin\/env node\n/,
    );
  });
});
