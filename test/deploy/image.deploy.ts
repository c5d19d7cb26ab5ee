import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { startCollector } from '../observability-e2e/collector.ts';
import {
  freePort,
  type GatewayProcess,
  type ProcessOptions,
  startProcess,
} from '../sockets/demo-process.ts';
import { fileURLsOf } from '../support/page-files.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { type Instruction, stages } from './deploy-files.ts';
import { createClient } from './http-client.ts';

const ROOT = join(import.meta.dirname, '../..');
const INSTALL_MS = 300_000;

/** The size of the image without its base. Measured: 40.0 MB. */
const MAX_IMAGE_MEGABYTES = 42;

/** The path of Node.js in the image. The tests replace it by their own Node.js. */
const NODE_OF_IMAGE = '/nodejs/bin/node';

/** The home directory of the image's user. */
const HOME_OF_IMAGE = '/home/nonroot';

const [packages = [], gateway = [], compiled = [], lastStage = []] = stages();
const onlyInstruction = (keyword: string, ...more: Instruction[][]) =>
  [...gateway, ...lastStage, ...more.flat()].filter(
    (instruction) => instruction.keyword === keyword,
  );

/**
 * This machine has no container engine, so the suite executes the Dockerfile's steps in a folder.
 */
describe('Container image', () => {
  const built = mkdtempSync(join(tmpdir(), 'image-'));
  const folder = mkdtempSync(join(tmpdir(), 'image-'));
  const home = mkdtempSync(join(tmpdir(), 'image-'));
  const [uid = 0, gid = 0] = (onlyInstruction('USER')[0]?.text ?? '').split(':').map(Number);
  const user = process.getuid?.() === 0 ? { uid, gid } : {};
  const variables = variablesOf();

  beforeAll(async () => {
    for (const { keyword, args, text } of packages) {
      if (keyword === 'COPY') copy({ args }, ROOT, built);
      if (keyword === 'RUN') execFileSync('sh', ['-c', text], { cwd: built, stdio: 'pipe' });
    }
    for (const { keyword, args, from } of gateway) {
      if (keyword !== 'COPY') continue;
      // Paths of the previous stage are relative to its WORKDIR.
      if (from === 'packages')
        copy({ args: args.map((path) => path.replace('/gateway/', '')) }, built, folder);
      else copy({ args }, ROOT, folder);
    }
    closeFolder();
    if (user.uid !== undefined) chownSync(home, uid, gid);
    for (const { args } of compiled.filter(({ keyword }) => keyword === 'RUN')) {
      const [program, ...others] = args.map(toImagePath);
      expect(program).toBe(NODE_OF_IMAGE);
      const settings = { ...variablesOf(compiled), PORT: String(await freePort()) };
      await using run = startProcess(process.execPath, others, { cwd: folder, settings, ...user });
      expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
    }
    chmodSync(folder, 0o755);
    for (const { keyword, args } of lastStage) {
      const [source = '', target = ''] = args.map(toImagePath);
      if (keyword === 'COPY') cpSync(source, join(folder, target), { recursive: true });
    }
    closeFolder();
  }, INSTALL_MS);
  afterAll(() => {
    for (const path of [built, folder, home]) rmSync(path, { recursive: true, force: true });
  });

  /** The image's files are read-only, and its user owns none of them. */
  function closeFolder(): void {
    execFileSync('chmod', ['-R', 'a+rX,go-w', folder]);
    chmodSync(folder, 0o555);
  }

  /** The local path of a path in the image. */
  function toImagePath(text: string): string {
    return text.replace('/gateway/', `${folder}/`).replace(HOME_OF_IMAGE, home);
  }

  function variablesOf(...more: Instruction[][]): Record<string, string> {
    const pairs = onlyInstruction('ENV', ...more).flatMap(({ args }) => args);
    return Object.fromEntries(pairs.map((pair) => pair.split('=').map(toImagePath)));
  }

  function start(
    settings: Readonly<Record<string, string>>,
    options: Pick<ProcessOptions, 'stderrPath'> = {},
  ): GatewayProcess {
    const [program, ...args] = onlyInstruction('ENTRYPOINT')[0]?.args ?? [];
    expect(program).toBe(NODE_OF_IMAGE);
    return startProcess(process.execPath, args, {
      cwd: folder,
      settings: { ...variables, ...settings },
      ...user,
      ...options,
    });
  }

  test('the image contains only production packages and no second Node.js', () => {
    const names = readdirSync(join(folder, 'node_modules'));
    expect(names).toContain('graphql');
    for (const name of ['node', 'vitest', 'typescript', '@biomejs'])
      expect(names).not.toContain(name);
  });

  test(`the gateway and its packages add at most ${MAX_IMAGE_MEGABYTES} MB to the image`, () => {
    expect(toMegabytes(folder)).toBeLessThan(MAX_IMAGE_MEGABYTES);
  });

  test('the image contains the compile cache of its source, and a start reads all of it and writes nothing', async () => {
    const { NODE_COMPILE_CACHE = '' } = variables;
    const filesOf = () => readdirSync(NODE_COMPILE_CACHE, { recursive: true, encoding: 'utf8' });
    const before = filesOf();
    const stderrPath = join(built, 'stderr');
    await using gateway = start(
      { PORT: String(await freePort()), NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
      { stderrPath },
    );
    await gateway.firstLine;
    gateway.process.kill('SIGTERM');
    expect((await gateway.ended).code).toBe(0);
    const stderr = readFileSync(stderrPath, 'utf8');
    const namesIn = (pattern: RegExp) =>
      new Set([...stderr.matchAll(pattern)].map(([, name]) => name));
    const read = namesIn(/reading cache from \S+ for (?:ESM|CommonJS) (\S+?)\.\.\./g);
    const accepted = namesIn(/V8 code cache for (?:ESM|CommonJS) (\S+) was accepted/g);
    expect(accepted).toContain(`file://${folder}/src/main.ts`);
    expect(accepted.size).toBeGreaterThan(500);
    expect([...read].filter((name) => !accepted.has(name))).toEqual([]);
    expect(filesOf()).toEqual(before);
  });

  test.runIf(process.getuid?.() === 0)('the user of the image cannot write to its files', () => {
    const found = execFileSync('find', [
      folder,
      '!',
      '-type',
      'l',
      '(',
      '-uid',
      String(uid),
      '-o',
      '-perm',
      '/022',
      ')',
    ]);
    expect(found.toString()).toBe('');
  });

  test('the image contains the licences of its packages', () => {
    const licences = (root: string) =>
      readdirSync(join(root, 'node_modules'), { recursive: true, encoding: 'utf8' }).filter(
        (path) =>
          /(^|\/)(licen[cs]e|notice)[^/]*$/i.test(path) &&
          !/^(node|@types|undici-types)\//.test(path),
      );
    expect(licences(folder).length).toBeGreaterThan(100);
  });

  test('the image contains the packages that serve GraphiQL and export traces', async () => {
    await using collector = await startCollector();
    const PORT = String(await freePort());
    const traces = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    };
    await using gateway = start({ PORT, GRAPHIQL: 'on', ...traces });
    await gateway.firstLine;
    const url = `http://127.0.0.1:${PORT}/graphql`;
    const page = await fetch(url, { headers: { accept: 'text/html' } });
    const [script] = fileURLsOf(await page.text());
    const file = await fetch(`${url}${script}`);
    expect([page.status, file.status, (await file.text()).length]).toEqual([
      200,
      200,
      expect.toSatisfy((length) => length > 1_000_000),
    ]);
    gateway.process.kill('SIGTERM');
    expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
    expect(collector.spans.map(({ name }) => name)).toEqual(['GET /graphql', 'GET /graphql']);
  });

  test('the image starts when its compile cache is not usable', async () => {
    const PORT = String(await freePort());
    await using gateway = start({ PORT, NODE_COMPILE_CACHE: join(folder, 'src') });
    expect(await gateway.firstLine).toContain(`:${PORT}/graphql`);
    gateway.process.kill('SIGTERM');
    expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test.each(['http/protobuf', 'grpc'])(
    'the image contains the packages that export traces by %s',
    async (OTEL_EXPORTER_OTLP_PROTOCOL) => {
      const PORT = String(await freePort());
      await using gateway = start({
        PORT,
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
        OTEL_EXPORTER_OTLP_PROTOCOL,
      });
      expect(await gateway.firstLine).toContain(`:${PORT}/graphql`);
      expect((await fetch(`http://127.0.0.1:${PORT}/health`)).status).toBe(200);
      gateway.process.kill('SIGTERM');
      expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
    },
  );

  test('the image runs as an unprivileged user, responds to requests and health checks, and exits with 0', async () => {
    const sandbox = createSandbox();
    const upstream = await listenOnFreePort((port) =>
      serveSandbox(sandbox, { host: '127.0.0.1', port }),
    );
    const PORT = String(await freePort());
    await using gateway = start({
      PORT,
      REVOX_BASE_URL: upstream.url,
      REVOX_API_KEY: 'sk_demo_a',
      ROUTER_SECRETS: 'a-secret',
    });
    expect(await gateway.firstLine).toContain(`:${PORT}/graphql`);

    const at = (path: string) => new URL(path, `http://127.0.0.1:${PORT}`);
    expect([(await fetch(at('/health'))).status, (await fetch(at('/ready'))).status]).toEqual([
      200, 200,
    ]);
    const health = onlyInstruction('HEALTHCHECK')[0]?.args ?? [];
    expect(health[0]).toBe(NODE_OF_IMAGE);
    execFileSync(process.execPath, health.slice(1), { env: { PORT } });
    const response = await fetch(at('/graphql'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'router-authorization': 'a-secret' },
      body: JSON.stringify({ query: '{ assistants { totalCount } }' }),
    });
    expect(await response.json()).toEqual({ data: { assistants: { totalCount: 12 } } });
    const unauthorized = await createClient(at('/graphql').href, { keepAlive: false }).post(
      '{ __typename }',
    );
    expect(unauthorized).toMatchObject({ kind: 'complete', status: 401 });

    gateway.process.kill('SIGTERM');
    expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
    expect(() =>
      execFileSync(process.execPath, health.slice(1), { env: { PORT }, stdio: 'pipe' }),
    ).toThrow();
    await upstream.close();
  });

  test('the image does not start with an API key and without a setting that restricts access', async () => {
    await using gateway = start({ PORT: String(await freePort()), REVOX_API_KEY: 'sk_demo_a' });
    expect(await gateway.ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Set ROUTER_SECRETS'),
    });
  });
});

/** The total size of all files below `root`, in units of 10^6 bytes. */
function toMegabytes(root: string): number {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return (
    entries.reduce(
      (bytes, { parentPath, name }) => bytes + statSync(join(parentPath, name)).size,
      0,
    ) / 1e6
  );
}

function copy({ args }: Pick<Instruction, 'args'>, from: string, to: string): void {
  const [target = '', ...sources] = args.toReversed();
  for (const source of sources) {
    const isInFolder = target.endsWith('/');
    cpSync(join(from, source), join(to, target, isInFolder ? source : ''), { recursive: true });
  }
}
