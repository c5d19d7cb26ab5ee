import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { freePort, startProcess } from '../sockets/demo-process.ts';
import { brokenLinksOf } from '../support/markdown-links.ts';

const ROOT = join(import.meta.dirname, '../..');
const INSTALL_MS = 600_000;

const run = promisify(execFile);

/** The packages of the consumer project besides the gateway. */
const OTHER_PACKAGES = [
  `@types/node@${manifest.devDependencies['@types/node']}`,
  'express@5.3.0',
  '@types/express@5.0.6',
  `@apollo/client@${manifest.devDependencies['@apollo/client']}`,
  `rxjs@${manifest.devDependencies.rxjs}`,
];

/** The oldest Node.js that the package permits. The project itself runs on a newer one. */
const OLDEST_NODE = `${manifest.engines.node.replace('>=', '')}.0`;
const NPM_FLAGS = ['--no-audit', '--no-fund', '--prefer-offline'];

const STRICT = {
  target: 'es2024',
  lib: ['es2024'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
};

/** Major versions of Node.js on which the package must run. */
const NODES = [OLDEST_NODE, manifest.dependencies.node].map(
  (version) => version.split('.')[0] ?? '',
);

/** Without types of Node.js. */
const BROWSER = {
  ...STRICT,
  lib: ['es2024', 'dom'],
  module: 'esnext',
  moduleResolution: 'bundler',
  types: [],
  noEmit: true,
};

describe('Package installed in an empty folder', () => {
  let folder: string;
  /** What the compiler has printed: only errors. */
  let compilations: readonly string[];
  const inFolder = (program: string, ...args: string[]) => run(program, args, { cwd: folder });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consumer-'));
    await Promise.all([run('npm', ['run', 'build'], { cwd: ROOT }), installOldestNode()]);
    const { stdout } = await run(
      'npm',
      ['pack', join(ROOT, 'dist'), '--pack-destination', folder, '--json'],
      { cwd: ROOT },
    );
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
    );
    await inFolder('npm', 'install', `./${filename}`, ...OTHER_PACKAGES, ...NPM_FLAGS);
    await cp(join(import.meta.dirname, 'consumer'), folder, { recursive: true });
    compilations = await Promise.all([
      compile('tsconfig.json', STRICT, ['app.ts', 'retry-delay.ts']),
      // The types of Apollo Client do not compile themselves with these options.
      compile('tsconfig.apollo.json', { ...STRICT, lib: ['es2024', 'dom'], skipLibCheck: true }, [
        'apollo.ts',
      ]),
      compile('tsconfig.browser.json', BROWSER, ['retry-delay.ts']),
    ]);
  }, INSTALL_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('the package contains no Node.js, no test, and no source outside its source maps', async () => {
    const installed = join(folder, 'node_modules', manifest.name);
    const files = await readdir(installed, { recursive: true });
    expect(files.filter((path) => /(?<!\.d)\.ts$|(^|\/)test\//.test(path))).toEqual([]);
    expect(await readdir(join(folder, 'node_modules'))).not.toContain('node');
    const packed = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    const { node, ...dependencies } = manifest.dependencies;
    expect(packed.dependencies).toEqual(dependencies);
    expect(node).toBeDefined();
  });

  test('the package contains the documentation, and every link leads to a file of the package', async () => {
    const installed = join(folder, 'node_modules', manifest.name);
    const documents = (await readdir(installed, { recursive: true })).filter((path) =>
      path.endsWith('.md'),
    );
    expect(documents).toEqual(
      expect.arrayContaining([
        'README.md',
        'ARCHITECTURE.md',
        'CHANGELOG.md',
        'docs/operations/deployment.md',
      ]),
    );
    expect(documents.flatMap((path) => brokenLinksOf(join(installed, path)))).toEqual([]);
    expect(await readFile(join(installed, 'README.md'), 'utf8')).toContain(
      '(docs/operations/deployment.md)',
    );
  });

  test('the package contains the schema, and exports it', async () => {
    await writeFile(
      join(folder, 'resolve.js'),
      `for (const path of process.argv.slice(2)) console.log(import.meta.resolve(path));`,
    );
    const files = {
      'schema.graphql': 'sdl/client.graphql',
      'sdl/client.graphql': 'sdl/client.graphql',
      'sdl/subgraph.graphql': 'sdl/subgraph.graphql',
    };
    const paths = Object.keys(files).map((path) => `${manifest.name}/${path}`);
    const { stdout } = await inFolder(process.execPath, 'resolve.js', ...paths);
    const texts = stdout
      .trim()
      .split('\n')
      .map((url) => readFile(new URL(url), 'utf8'));
    expect(await Promise.all(texts)).toEqual(
      await Promise.all(Object.values(files).map((path) => readFile(join(ROOT, path), 'utf8'))),
    );
  });

  test('the package compiles with strict types, libraries included, and its extensions for a browser', () => {
    expect(compilations).toEqual(['', '', '']);
  });

  test.each(NODES)(
    'the package responds in each server that mounts it, on Node.js %s',
    async (version) => {
      const { stdout, stderr } = await inFolder(nodeOf(version), 'app.js');
      const result = { data: { call: { id: expect.any(String) } } };
      // The gateway's log lines appear before or after this line.
      const report = JSON.parse(
        stdout.split('\n').find((line) => line.startsWith('{"fetch"')) ?? '',
      );
      expect([report, stderr]).toEqual([
        {
          fetch: { ready: 200, result, own: 404 },
          'node:http': { ready: 200, result, own: 404 },
          express: { ready: 200, result, own: 200 },
          faults: [expect.stringContaining('PORT must be')],
        },
        '',
      ]);
    },
  );

  test.each(NODES)(
    'Apollo Client reads data and error codes over `gateway.fetch`, on Node.js %s',
    async (version) => {
      const { stdout, stderr } = await inFolder(nodeOf(version), 'apollo.js');
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({
        isSameCall: true,
        upstream: ['/call/ 200', '/campaigns 429'],
        code: 'RATE_LIMITED',
        isKnown: true,
        waitMs: 40_000,
        node: version,
      });
    },
  );

  test('an application tests itself in Vitest, with the sandbox and its faults', async () => {
    await cp(join(folder, 'application-test.ts'), join(folder, 'application.test.ts'));
    await writeFile(join(folder, 'vitest.config.js'), 'export default {};');
    await symlink(join(ROOT, 'node_modules/vitest'), join(folder, 'node_modules/vitest'));
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const result = join(folder, 'result.json');
    await inFolder(
      process.execPath,
      vitest,
      'run',
      'application',
      '--reporter=json',
      `--outputFile.json=${result}`,
    );
    expect(JSON.parse(await readFile(result, 'utf8'))).toMatchObject({
      numPassedTests: 2,
      numFailedTests: 0,
    });
  });

  test('the program of the package starts the gateway as `npm start` does', async () => {
    const port = await freePort();
    await using gateway = startProcess(join(folder, 'node_modules/.bin', manifest.name), [], {
      cwd: folder,
      settings: { PORT: String(port), REVOX_BASE_URL: 'http://127.0.0.1:9', DRAIN_DELAY_MS: '0' },
    });
    expect(await gateway.firstLine).toContain(`http://127.0.0.1:${port}/graphql`);
    expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200);
    gateway.process.kill('SIGTERM');
    expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('the demo of the package gets faults from a test in another process', async () => {
    const [port, sandboxPort] = [await freePort(), await freePort()];
    await using demo = startProcess(join(folder, 'node_modules/.bin', manifest.name), ['demo'], {
      cwd: folder,
      settings: { PORT: String(port), SANDBOX_PORT: String(sandboxPort), REVOX_RETRIES: '0' },
    });
    expect(await demo.firstLine).toContain(`http://127.0.0.1:${port}/graphql`);
    const readCampaigns = async () => {
      const response = await post(`http://127.0.0.1:${port}/graphql`, {
        query: '{ campaigns(first: 1) { nodes { id } } }',
      });
      return (await response.json()) as { errors?: { extensions: { code: string } }[] };
    };
    const control = `http://127.0.0.1:${sandboxPort}/control`;
    const fault = { action: 'fail', path: '/campaigns', status: 503 };
    expect((await post(control, fault)).status).toBe(200);
    expect((await readCampaigns()).errors?.[0]?.extensions.code).toBe('UPSTREAM_UNAVAILABLE');
    expect((await post(control, { action: 'heal' })).status).toBe(200);
    expect((await readCampaigns()).errors).toBeUndefined();
  });

  test('the program of the package has commands, and says in one sentence that Node.js is too old', async () => {
    const program = join(folder, 'node_modules/.bin', manifest.name);
    expect(await inFolder(program, '--version')).toEqual({
      stdout: `${manifest.version}\n`,
      stderr: '',
    });
    await writeFile(
      join(folder, 'old-node.cjs'),
      "Object.defineProperty(process.versions, 'node', { value: '20.20.2' });",
    );
    await expect(
      inFolder(process.execPath, '--require', './old-node.cjs', program),
    ).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: `Node.js 20.20.2 (${process.execPath}) is too old: the gateway requires 22.18 or newer. Install a newer Node.js, for example from https://nodejs.org.\n`,
    });
  });

  test.each([manifest.name, `${manifest.name}/sandbox`])(
    'an import of %s says in one sentence that Node.js is too old',
    async (entry) => {
      const old = "Object.defineProperty(process.versions, 'node', { value: '22.17.1' });";
      await writeFile(join(folder, 'older-node.cjs'), old);
      const flags = ['--require', './older-node.cjs', '--input-type=module', '--eval'];
      await expect(
        inFolder(process.execPath, ...flags, `import '${entry}';`),
      ).rejects.toMatchObject({
        stderr: expect.stringContaining(
          `Error: Node.js 22.17.1 (${process.execPath}) is too old: ${manifest.name} requires 22.18 or newer.`,
        ),
      });
    },
  );

  /** @returns the errors, as text */
  async function compile(config: string, compilerOptions: object, include: readonly string[]) {
    await writeFile(join(folder, config), JSON.stringify({ compilerOptions, include }));
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = await inFolder(process.execPath, compiler, '-p', config).catch(
      (error: { stdout: string }) => error,
    );
    return stdout;
  }

  /** In a folder of its own, so that the package meets no other `node` in its dependencies. */
  async function installOldestNode(): Promise<void> {
    const own = join(folder, 'oldest-node');
    await mkdir(own);
    await writeFile(
      join(own, 'package.json'),
      JSON.stringify({ private: true, allowScripts: { node: true } }),
    );
    await run('npm', ['install', `node@${OLDEST_NODE}`, ...NPM_FLAGS], { cwd: own });
  }

  function post(url: string, body: object): Promise<Response> {
    return fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  function nodeOf(version: string): string {
    return version === NODES[0]
      ? join(folder, 'oldest-node/node_modules/node/bin/node')
      : join(ROOT, 'node_modules/node/bin/node');
  }
});
