import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { freePort, startProcess } from '../sockets/demo-process.ts';
import { brokenLinksOf } from '../support/markdown-links.ts';

const ROOT = join(import.meta.dirname, '../..');
const INSTALL_MS = 300_000;

const run = promisify(execFile);

/** The packages of the consumer project besides the gateway. */
const OTHER_PACKAGES = [
  `@types/node@${manifest.devDependencies['@types/node']}`,
  'express@5.3.0',
  '@types/express@5.0.6',
];

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

describe('Package installed in an empty folder', () => {
  let folder: string;
  const inFolder = (program: string, ...args: string[]) => run(program, args, { cwd: folder });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consumer-'));
    await run('npm', ['run', 'build'], { cwd: ROOT });
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
    await inFolder(
      'npm',
      'install',
      `./${filename}`,
      ...OTHER_PACKAGES,
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
    );
    await cp(join(import.meta.dirname, 'consumer/app.ts'), join(folder, 'app.ts'));
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: STRICT, include: ['app.ts'] }),
    );
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

  test('the package compiles with strict types, libraries included, and responds in each server that mounts it', async () => {
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const compiled = await inFolder(process.execPath, compiler).catch(
      (error: { stdout: string }) => error,
    );
    expect(compiled.stdout).toBe('');
    const { stdout, stderr } = await inFolder(process.execPath, 'app.js');
    const result = { data: { call: { id: expect.any(String) } } };
    // The gateway's log lines appear before or after this line.
    const report = JSON.parse(stdout.split('\n').find((line) => line.startsWith('{"fetch"')) ?? '');
    expect([report, stderr]).toEqual([
      {
        fetch: { ready: 200, result, own: 404 },
        'node:http': { ready: 200, result, own: 404 },
        express: { ready: 200, result, own: 200 },
        faults: [expect.stringContaining('PORT must be')],
      },
      '',
    ]);
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
});
