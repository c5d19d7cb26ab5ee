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

describe('A gateway that cannot start', () => {
  test.each([{ flags: [] }, { flags: ['demo'] }])(
    'a gateway that starts with invalid settings reports all of them and exits with 1 (flags: $flags)',
    async ({ flags }) => {
      await using gateway = startGateway(flags, {
        PORT: 'x',
        REVOX_FIRST_PAGE: '2',
        REVOX_BASE_URL: 'ftp://x.example/secret-path',
        REVOX_API_KEY: 'sk secret key',
        ROUTER_SECRETS: 'invalid secret',
      });
      const { code, stdout, stderr } = await gateway.ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      for (const name of [
        'PORT',
        'REVOX_FIRST_PAGE',
        'REVOX_BASE_URL',
        'REVOX_API_KEY',
        'ROUTER_SECRETS',
      ]) {
        expect(stderr).toMatch(new RegExp(`^ +${name} must be `, 'm'));
      }
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
