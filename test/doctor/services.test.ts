import { describe, expect, test } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { listen } from '../rest/real-server.ts';
import { createKey, toJwk } from '../support/token-issuer.ts';
import {
  createTestSandbox,
  freePort,
  runAsJson,
  runAsText,
  STARTED_AT,
  toTraffic,
} from './doctor-scene.ts';

const KEY_SET = JSON.stringify({ keys: [await toJwk(await createKey('one'))] });
const DATE = { date: new Date(STARTED_AT).toUTCString() };
const TOKENS = { JWT_ISSUER: 'https://id.test/', JWT_AUDIENCE: 'https://calls.test' };

/** The lines of the services, with the lines at the end of the report. */
function withoutUpstream(lines: readonly string[]): string[] {
  const end = lines.indexOf('');
  return lines.filter((line, index) => index > end || /^\S+ +(redis|jwks|otlp)-/.test(line));
}

const listenIssuer = (status = 200) =>
  listen((response) => response.writeHead(status, DATE).end(KEY_SET));
const listenCollector = (status = 200) =>
  listen((response, request) => {
    request.resume();
    response.writeHead(status, DATE).end();
  });

describe('Doctor and other services', () => {
  test('an issuer and a collector are checked in the report of the upstream, with one request each', async () => {
    await using issuer = await listenIssuer();
    await using collector = await listenCollector();
    const sandbox = createTestSandbox({});

    const { lines, exitCode } = await runAsText(
      { fetch: sandbox.fetch },
      {
        ...TOKENS,
        JWT_JWKS_URL: `${issuer.origin}/keys`,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      },
    );

    expect(lines[0]).toMatch(/^ok {7}connection /);
    expect(withoutUpstream(lines)).toEqual([
      'ok       jwks-connection     JWT_JWKS_URL responds within 0.0 ms, over http on this machine.',
      'ok       jwks-keys           The key set of JWT_JWKS_URL has 1 usable key (ES256).',
      'ok       jwks-clock          The clock of the issuer agrees with the clock of this machine within 5 s.',
      'ok       otlp-connection     The collector accepts an empty export within 0.0 ms.',
      'Settings to use:',
      '',
      'REVOX_FIRST_PAGE=1',
      'REVOX_PAGE_SIZE=50',
      'REVOX_ARRAY_FORMAT=comma',
      '',
      'The gateway works with this upstream (16 requests).',
    ]);
    expect(exitCode).toBe(0);
    expect(toTraffic(sandbox)).toHaveLength(16);
    expect(issuer.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /keys']);
    expect(collector.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/traces',
    ]);
  });

  test.each([
    ['an issuer that fails', 503, 200, 1],
    ['a collector that fails', 200, 503, 2],
  ] as const)('%s decides the exit code', async (_, issuerStatus, collectorStatus, exitCode) => {
    await using issuer = await listenIssuer(issuerStatus);
    await using collector = await listenCollector(collectorStatus);
    const sandbox = createTestSandbox({});

    const document = await runAsJson(
      { fetch: sandbox.fetch },
      {
        ...TOKENS,
        JWT_JWKS_URL: issuer.origin,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      },
    );

    expect(document.exitCode).toBe(exitCode);
    expect([issuer.requests.length, collector.requests.length]).toEqual([1, 1]);
    expect(document.requests).toBe(16);
  });

  test('the services are checked although the upstream does not respond', async () => {
    await using collector = await listenCollector();

    const { lines, exitCode } = await runAsText(
      {},
      {
        REVOX_BASE_URL: `http://127.0.0.1:${await freePort()}/api`,
        REDIS_URL: `redis://:a-secret@127.0.0.1:${await freePort()}`,
        CACHE_SECRET: 'a-secret of 16 characters or more',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      },
    );

    expect(lines.map((line) => line.split(/ +/, 2).join(' ')).slice(0, 3)).toEqual([
      'failure connection',
      'finding redis-connection',
      'ok otlp-connection',
    ]);
    expect(lines[1]).toMatch(/127\.0\.0\.1:\d+ refuses connections \(ECONNREFUSED\)\./);
    expect(exitCode).toBe(1);
    expect(lines.join()).not.toContain('a-secret');
    expect(collector.requests).toHaveLength(1);
  });

  test('an error of one check is a failure without its message, and the others go on', async () => {
    await using collector = await listenCollector();
    const sandbox = createTestSandbox({});
    const settings = readSettings({
      ...TOKENS,
      REVOX_BASE_URL: 'http://localhost/api',
      REVOX_API_KEY: 'sk_demo_a',
      JWT_JWKS_URL: 'https://id.test/keys',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
    });
    const jwt = { ...settings.jwt!, jwksUrl: 'no URL, but a-secret' };

    const document = await runAsJson({ fetch: sandbox.fetch, settings: { ...settings, jwt } });

    expect(document.findings.slice(-2)).toEqual([
      {
        check: 'jwks-connection',
        verdict: 'failure',
        message:
          'The check of JWT_JWKS_URL has ended with an unexpected error (ERR_INVALID_URL), so the result is incomplete.',
        details: { cause: 'other', code: 'ERR_INVALID_URL' },
      },
      expect.objectContaining({ check: 'otlp-connection', verdict: 'ok' }),
    ]);
    expect(document.exitCode).toBe(1);
    expect(JSON.stringify(document)).not.toContain('a-secret');
    expect(toTraffic(sandbox)).toHaveLength(16);
    expect(collector.requests).toHaveLength(1);
  });
});
