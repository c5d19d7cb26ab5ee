import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = manifest.bin['revox-graphql-gateway'];

const folder = mkdtempSync(join(tmpdir(), 'launcher-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ending {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  /** Default: the project. */
  readonly root?: string;
  readonly node?: string;
  /** Arguments of Node.js. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string;
  /** Working directory. Default: one without a .env. */
  readonly cwd?: string;
}

function run(
  args: readonly string[],
  {
    root = ROOT,
    node = process.execPath,
    flags = [],
    environment = {},
    input,
    cwd = folder,
  }: RunOptions = {},
): Promise<Ending> {
  return new Promise((resolve) => {
    const all = [...flags, '--', join(root, PROGRAM), ...args];
    const env = { PATH: process.env.PATH, ...environment };
    const child = execFile(node, all, { env, cwd }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** An installation with the launcher and these files besides; `main` is the code that it starts. */
function installation(files: readonly string[], main = ''): string {
  const root = mkdtempSync(join(folder, 'installation-'));
  cpSync(join(ROOT, dirname(PROGRAM)), join(root, dirname(PROGRAM)), { recursive: true });
  const contents = { 'package.json': JSON.stringify(manifest), 'src/main.ts': main };
  for (const [path, text] of [
    ...Object.entries(contents),
    ...files.map((path) => [path, '{}'] as const),
  ]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const GRAPHQL = 'node_modules/graphql/package.json';
const PACKAGED_NODE = 'node_modules/node/bin/node';
const MINIMUM = manifest.engines.node.replace('>=', '');

/** Makes a Node.js report another version, so that the test needs no other Node.js. */
function reportsVersion(version: string): string[] {
  const path = join(folder, `version-${version}.cjs`);
  writeFileSync(path, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
  return ['--require', path];
}

const NOT_INSTALLED =
  'The packages of the gateway are not installed. Run `npm ci`: it installs them, and a Node.js to run the gateway.\n';
const tooOld = (version: string, node: string) =>
  `Node.js ${version} (${node}) is too old: the gateway requires ${MINIMUM} or newer`;
const WITHOUT_SCRIPTS =
  ', and the Node.js that npm installs for the gateway is missing, because scripts were disabled. Run `npm ci --ignore-scripts=false`.\n';
const USE_NPM =
  '. Use npm start, npm run demo or npm run doctor: they run the Node.js that npm has installed for the gateway.\n';

describe('Launcher on an installation that cannot run', () => {
  test.each(['12.22.12', '22.17.9'])(
    'Node.js %s gets one sentence for each state of the installation, and code 1',
    async (version) => {
      const flags = reportsVersion(version);
      const old = tooOld(version, process.execPath);
      const endings = await Promise.all([
        run([], { flags, root: installation([]) }),
        run([], { flags, root: installation([GRAPHQL]) }),
        run([], { flags, root: installation([GRAPHQL, PACKAGED_NODE]) }),
      ]);
      expect(endings).toEqual([
        { code: 1, stdout: '', stderr: NOT_INSTALLED },
        { code: 1, stdout: '', stderr: `${old}${WITHOUT_SCRIPTS}` },
        { code: 1, stdout: '', stderr: `${old}${USE_NPM}` },
      ]);
    },
  );

  test.each([`${MINIMUM}.0`, '100.1.0'])('Node.js %s runs the program', async (version) => {
    const root = installation([], 'process.stdout.write(process.argv.slice(2).join());');
    expect(await run(['a', '--b'], { flags: reportsVersion(version), root })).toEqual({
      code: 0,
      stdout: 'a,--b',
      stderr: '',
    });
  });

  test('a new Node.js without the packages gets one sentence, and code 1', async () => {
    const root = installation([], "import 'graphql';");
    expect(await run([], { root })).toEqual({ code: 1, stdout: '', stderr: NOT_INSTALLED });
  });

  test('a Node.js that runs no TypeScript gets one sentence, and code 1', async () => {
    expect(await run([], { flags: ['--no-strip-types'] })).toEqual({
      code: 1,
      stdout: '',
      stderr: `This Node.js (${process.execPath}) does not run TypeScript, because of NODE_OPTIONS or because it was built without. Use another, for example that of \`npm ci --ignore-scripts=false\`, which npm start runs.\n`,
    });
  });

  test('an error of the program itself has its stack', async () => {
    const root = installation([], "throw new Error('unexpected');");
    const { code, stderr } = await run([], { root });
    expect(code).toBe(1);
    expect(stderr).toMatch(/Error: unexpected\n +at /);
  });

  test('the launcher has no syntax that is newer than Node.js 12', () => {
    const text = readFileSync(join(ROOT, PROGRAM), 'utf8');
    const outputFor = (target: ts.ScriptTarget) =>
      ts.transpileModule(text, { compilerOptions: { target, module: ts.ModuleKind.ESNext } })
        .outputText;
    expect(outputFor(ts.ScriptTarget.ES2019)).toBe(outputFor(ts.ScriptTarget.ESNext));
    expect(text).not.toContain('node:');
  });
});

describe('Compile cache of the launcher', () => {
  const CACHE = 'node_modules/.cache/revox-graphql-gateway';
  const PROGRAM_TEXT = "const text: string = 'started'; process.stdout.write(text);";
  const STARTED = { code: 0, stdout: 'started', stderr: '' };
  const cachedFiles = (root: string, cache = CACHE) =>
    readdirSync(join(root, cache), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );

  test('the compiled code of the program is kept in node_modules', async () => {
    const root = installation([], PROGRAM_TEXT);
    expect(await run([], { root })).toEqual(STARTED);
    const files = cachedFiles(root);
    expect(files).not.toEqual([]);
    expect(await run([], { root })).toEqual(STARTED);
    expect(cachedFiles(root)).toEqual(files);
  });

  test('a changed program runs although the cache has compiled code of the previous one', async () => {
    const root = installation([], PROGRAM_TEXT);
    await run([], { root });
    writeFileSync(join(root, 'src/main.ts'), PROGRAM_TEXT.replace('started', 'changed'));
    expect(await run([], { root })).toEqual({ ...STARTED, stdout: 'changed' });
  });

  test('the program runs where the folder of the cache cannot be written', async () => {
    const root = installation(['node_modules/.cache'], PROGRAM_TEXT);
    expect(await run([], { root })).toEqual(STARTED);
  });

  test('NODE_COMPILE_CACHE names another folder, and NODE_DISABLE_COMPILE_CACHE turns the cache off', async () => {
    const root = installation([], PROGRAM_TEXT);
    const other = join(root, 'other');
    const environments = [{ NODE_COMPILE_CACHE: other }, { NODE_DISABLE_COMPILE_CACHE: '1' }];
    for (const environment of environments)
      expect(await run([], { root, environment })).toEqual(STARTED);
    expect(cachedFiles(root, 'other')).not.toEqual([]);
    expect(existsSync(join(root, CACHE))).toBe(false);
  });
});

/** Every Node.js of this machine that is too old, by its version. */
const oldNodes = new Map(
  (process.env.PATH ?? '').split(delimiter).flatMap((path) => {
    try {
      const node = join(path, 'node');
      const version = execFileSync(node, ['--print', 'process.versions.node'], { stdio: 'pipe' });
      const [major = 0, minor = 0] = version.toString().split('.').map(Number);
      const [minMajor = 0, minMinor = 0] = MINIMUM.split('.').map(Number);
      const isOld = major < minMajor || (major === minMajor && minor < minMinor);
      return isOld ? [[version.toString().trim(), node] as const] : [];
    } catch {
      return [];
    }
  }),
);

test('a real old Node.js gets one sentence for each state of the installation', async (context) => {
  context.skip(oldNodes.size === 0, `PATH has no Node.js older than ${MINIMUM}.`);
  for (const [version, node] of oldNodes) {
    const root = installation([GRAPHQL]);
    const { code, stdout, stderr } = await run([], { node, root });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^Node\\.js ${version} \\(.+\\) is too old: `));
    expect(stderr.endsWith(WITHOUT_SCRIPTS)).toBe(true);
    expect(await run([], { node, root: installation([]) })).toMatchObject({
      code: 1,
      stderr: NOT_INSTALLED,
    });
  }
});

describe('Program', () => {
  test('--help and --version print to the standard output, with code 0', async () => {
    const [help, version] = await Promise.all([run(['--help']), run(['--version'])]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^A GraphQL gateway over the Revox REST API\.\n\nUsage: /);
    expect(version).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  test('wrong arguments and settings end the program with code 1 and no output', async () => {
    const endings = await Promise.all([
      run(['strat']),
      run(['--env-file', 'absent.env']),
      run(['start'], { environment: { ROUTER_SECRET: 'a-secret', PORT: 'x' } }),
      run(['doctor', '--api-key-stdin']),
      run(['doctor', '--api-key-stdin'], { input: '"sk_quoted"\n' }),
    ]);
    expect(endings.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
      endings.map(() => ({ code: 1, stdout: '' })),
    );
    expect(endings.map(({ stderr }) => stderr)).toEqual([
      'Unknown command "strat". Did you mean start? The commands are start, demo and doctor.\nrevox-graphql-gateway --help lists commands and options.\n',
      'Invalid settings:\n  --env-file absent.env: does not exist.\n',
      'Invalid settings:\n  ROUTER_SECRET is not a setting. Did you mean ROUTER_SECRETS?\n  PORT must be a port number from 0 to 65535.\n',
      'Invalid settings:\n  --api-key-stdin: the standard input is empty; for example revox-graphql-gateway doctor --api-key-stdin < key.txt.\n',
      'Invalid settings:\n  --api-key-stdin: the key must be visible ASCII without spaces, line breaks and quotation marks.\n',
    ]);
  });

  test('a .env that is not read is mentioned, beside the output of the doctor', async () => {
    const cwd = mkdtempSync(join(folder, 'dotenv-'));
    writeFileSync(join(cwd, '.env'), 'REVOX_API_KEY=k\n');
    const environment = { REVOX_BASE_URL: 'http://127.0.0.1:9/api' };
    const [without, withFile] = await Promise.all([
      run(['doctor', '--json'], { cwd, environment }),
      run(['doctor', '--json', '--env-file', '.env'], { cwd, environment }),
    ]);
    expect(without).toMatchObject({
      code: 1,
      stderr: 'The file .env of the working directory is not read without --env-file .env.\n',
    });
    expect(JSON.parse(without.stdout)).toMatchObject({ result: 'fails' });
    expect(withFile).toMatchObject({ code: 1, stderr: '' });
  });
});
