import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort, holdPort, startDemo, startGateway } from '../sockets/demo-process.ts';

test('the demo reaches its sandbox when the environment configures a proxy', async () => {
  await using demo = await startDemo({
    HTTP_PROXY: 'http://127.0.0.1:9',
    NO_PROXY: 'elsewhere.example',
  });
  const response = await fetch(`${demo.url}?query={assistants{totalCount}}`);
  expect(await response.json()).toEqual({ data: { assistants: { totalCount: 12 } } });
});

test('each command that the demo prints works when it is pasted', async () => {
  await using demo = await startDemo();
  const { stdout } = await demo.untilOutput(/stop +Ctrl\+C\n/);
  const commands = Array.from(
    stdout.matchAll(/^ +try +(curl .+)$/gm),
    ([, command = '']) => command,
  );
  const outputs = commands.map((command) => execFileSync('sh', ['-c', command], { stdio: 'pipe' }));
  expect(outputs.map((output) => JSON.parse(output.toString()))).toEqual([
    { data: { callAttempts: { nodes: [expect.any(Object), expect.any(Object)] } } },
    { calls: expect.toSatisfy((calls) => calls.length === 2) },
  ]);
});

describe('A gateway that cannot start', () => {
  test.each([
    {
      flags: [],
      names: ['PORT', 'REVOX_FIRST_PAGE', 'REVOX_BASE_URL', 'REVOX_API_KEY', 'ROUTER_SECRETS'],
    },
    // The demo has an upstream of its own.
    { flags: ['demo'], names: ['PORT', 'ROUTER_SECRETS', 'SANDBOX_PORT'] },
    {
      flags: ['doctor'],
      names: ['PORT', 'REVOX_FIRST_PAGE', 'REVOX_BASE_URL', 'REVOX_API_KEY', 'ROUTER_SECRETS'],
    },
  ])(
    'a gateway that starts with invalid settings reports all of them and exits with 1 (flags: $flags)',
    async ({ flags, names }) => {
      await using gateway = startGateway(flags, {
        PORT: 'x',
        SANDBOX_PORT: 'x',
        REVOX_FIRST_PAGE: '2',
        REVOX_BASE_URL: 'ftp://x.example/secret-path',
        REVOX_API_KEY: 'sk secret key',
        ROUTER_SECRETS: 'invalid secret',
      });
      const { code, stdout, stderr } = await gateway.ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      const [title, ...problems] = stderr.trimEnd().split('\n');
      expect(title).toBe('Invalid settings:');
      expect(problems.map((problem) => problem.trim().split(' must be ')[0]).sort()).toEqual(
        names.toSorted(),
      );
      expect(stderr).not.toMatch(/sk secret key|secret-path|invalid secret/);
      expect(stderr).not.toContain('    at ');
    },
  );

  test.each([
    ['HTTP_PROXY', 'proxy.test:3128'],
    ['https_proxy', 'http://user:secret%@proxy.test'],
    ['HTTPS_PROXY', 'http://proxy.test/secret'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://'],
  ])('a gateway with an unusable %s reports it in one plain line', async (name, value) => {
    await using gateway = startGateway([], { PORT: '0', [name]: value });
    const { code, stdout, stderr } = await gateway.ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const problem = expect.stringMatching(new RegExp(`^  ${name} must be an http.* URL`));
    expect(stderr.trimEnd().split('\n')).toEqual(['Invalid settings:', problem]);
    expect(stderr).not.toContain('secret');
  });

  test.each([
    { taken: 'PORT', flags: [] },
    { taken: 'PORT', flags: ['demo'] },
    { taken: 'SANDBOX_PORT', flags: ['demo'] },
  ])(
    'a gateway whose $taken is in use reports the address and exits with 1 (flags: $flags)',
    async ({ taken, flags }) => {
      const held = await holdPort();
      const free = String(await freePort());
      await using gateway = startGateway(flags, {
        PORT: free,
        SANDBOX_PORT: free,
        [taken]: String(held.port),
      });
      const { code, stdout, stderr } = await gateway.ended;
      await held.release();
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(`127.0.0.1:${held.port}`);
      expect(stderr).toContain(taken);
      expect(stderr).not.toContain('    at ');
    },
  );
});

test('the demo, which requires no credential, does not start on an address that others can reach', async () => {
  await using gateway = startGateway(['demo'], {
    HOST: '0.0.0.0',
    PORT: String(await freePort()),
  });
  expect(await gateway.ended).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('HOST must be 127.0.0.1'),
  });
});

test('settings of the demo alone do not stop a start, and its summary follows "Ready"', async () => {
  const port = await freePort();
  await using gateway = startGateway(['start'], {
    PORT: String(port),
    SANDBOX_PORT: 'x',
    SANDBOX_PROT: 'x',
    REVOX_API_KEY: 'sk_the_key\n',
    DRAIN_DELAY_MS: '0',
  });
  expect(await gateway.firstLine).toContain(`Ready: http://127.0.0.1:${port}/graphql`);
  gateway.process.kill('SIGTERM');
  const { code, stdout, stderr } = await gateway.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    expect.stringContaining('Ready: '),
    expect.stringMatching(/ info {2}Settings$/),
    expect.stringMatching(/^ {4}mode +service: the gateway reads with REVOX_API_KEY$/),
    ...['access', 'upstream', 'on', 'documents', 'limits', 'cache', 'CORS', 'metrics'].map(
      (label) => expect.stringMatching(new RegExp(`^ {4}${label} `)),
    ),
    expect.stringMatching(
      / info {2}REVOX_API_KEY begins or ends with a line break, which the gateway ignores\.$/,
    ),
    '',
  ]);
  expect(stdout).not.toContain('sk_the_key');
});

test('a file of --env-file has the settings that the environment lacks', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'env-file-'));
  const file = join(folder, '.env');
  const port = await freePort();
  writeFileSync(file, 'PORT=1\nLOG_FORMAT=json\nROUTER_SECRETS="secret-of-the-file"\n');
  await using gateway = startGateway(['--env-file', file], {
    PORT: String(port),
    DRAIN_DELAY_MS: '0',
  });
  await gateway.firstLine;
  const response = await fetch(`http://127.0.0.1:${port}/graphql?query={__typename}`, {
    headers: { authorization: 'Bearer sk_key', 'router-authorization': 'secret-of-the-file' },
  });
  expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  gateway.process.kill('SIGTERM');
  const { stdout } = await gateway.ended;
  const [ready, settings] = stdout.split('\n').map((line) => JSON.parse(line || '{}'));
  expect(ready.msg).toBe(`Ready: http://127.0.0.1:${port}/graphql`);
  expect(settings).toMatchObject({ mode: 'pass-through', access: { routerSecrets: 1 } });
  rmSync(folder, { recursive: true });
});

test('the doctor reads the key of --api-key-stdin, and does not print it', async () => {
  const child = spawn(process.execPath, ['src/main.ts', 'doctor', '--json', '--api-key-stdin'], {
    env: { PATH: process.env.PATH, REVOX_BASE_URL: 'http://127.0.0.1:9/api' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      output += data;
    });
  child.stdin.end('sk_of_standard_input\n');
  const [code] = await once(child, 'close');
  expect([0, 1, 2]).toContain(code);
  expect(JSON.parse(output)).toEqual(expect.any(Object));
  expect(output).not.toContain('sk_of_standard_input');
});
