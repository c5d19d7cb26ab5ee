import { describe, expect, test } from 'vitest';
import { summarizeDemo } from '#cli/demo-summary.ts';
import { summarizeSettings } from '#cli/startup-summary.ts';
import { logSummary } from '#cli/summary.ts';
import { type Environment, readDemoSettings, readSettings } from '#config/settings.ts';
import { captureLog } from '../support/captured-log.ts';
import { writeDocuments } from '../support/document-files.ts';

const ADDRESS = '127.0.0.1:4000';

/** The lines of the text format, by their label. */
function linesOf(environment: Environment): Record<string, string> {
  return Object.fromEntries(summarizeSettings(readSettings(environment), ADDRESS).lines);
}

const SECRETS = {
  REVOX_API_KEY: 'sk-the-key',
  ROUTER_SECRETS: 'the-secret-a,the-secret-b',
  CACHE_SECRET: 'the-cache-secret',
  WEBHOOK_SECRETS: 'the-webhook-secret-0123456789-abc,the-webhook-secret-0123456789-def',
  REDIS_URL: 'rediss://the-user:the-password@mymaster/7',
  REDIS_SENTINELS: 'redis://:the-other-password@10.0.0.1:26379,redis://10.0.0.2:26379',
  HTTPS_PROXY: 'http://the-proxy-user:the-proxy-password@proxy.test:3128',
};

describe('Summary of the settings', () => {
  test('the defaults are one line each in the text format', () => {
    const captured = captureLog({ format: 'text' });
    logSummary(captured.log, 'text', summarizeSettings(readSettings({}), ADDRESS));
    const [first = '', ...others] = captured.lines.join('').trimEnd().split('\n');
    expect(first).toMatch(/^[\d:.]{12}Z info {2}Settings$/);
    expect(others).toEqual([
      '    mode       pass-through: each request brings its own Revox API key',
      '    access     requests with a Revox API key',
      '    upstream   https://www.getrevox.com/api, first page auto, array format comma, 50 items a page',
      '    on         GraphiQL, introspection, upstream trace; off: OpenTelemetry',
      '    documents  any; no trusted documents',
      '    limits     30 s and 250 upstream requests an operation, 20 upstream requests at once for a key, cost 500000, depth 20',
      '    cache      64 MiB in memory, no Redis',
      '    CORS       closed to pages of other origins',
      '    metrics    http://127.0.0.1:4000/metrics',
    ]);
  });

  test('the summary is one object in JSON', () => {
    const captured = captureLog();
    logSummary(captured.log, 'json', summarizeSettings(readSettings(SECRETS), ADDRESS));
    expect(captured.read()).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        msg: 'Settings',
        mode: 'service',
        access: { openOnLoopback: false, routerSecrets: 2 },
        upstream: {
          baseUrl: 'https://www.getrevox.com/api',
          proxy: 'proxy.test:3128',
          firstPage: 'auto',
          arrayFormat: 'comma',
          pageSize: 50,
        },
        graphiql: true,
        introspection: true,
        upstreamTrace: true,
        openTelemetry: false,
        trustedDocuments: { count: 0, only: false },
        limits: {
          requestDeadlineMs: 30_000,
          upstreamTimeoutMs: 10_000,
          maxUpstreamRequests: 250,
          maxConcurrency: 20,
          maxCost: 500_000,
          maxDepth: 20,
          maxBodyBytes: 2 ** 20,
          maxAnswerBytes: 2 ** 24,
          maxConnections: 2_000,
        },
        cache: {
          maxBytes: 2 ** 26,
          redis: {
            host: 'mymaster',
            sentinels: ['10.0.0.1:26379', '10.0.0.2:26379'],
            tls: true,
            tlsVerified: true,
          },
        },
        webhookSecrets: 2,
        corsOrigins: [],
        metrics: '/metrics',
      },
    ]);
  });

  test('the summary contains no key, secret or password in either format', () => {
    for (const format of ['text', 'json'] as const) {
      const captured = captureLog({ format });
      logSummary(captured.log, format, summarizeSettings(readSettings(SECRETS), ADDRESS));
      expect(captured.lines.join('')).not.toMatch(/the-|sk-|\/7/);
    }
  });

  test('webhooks are shown by their route and the number of their secrets', () => {
    const one = 'the-webhook-secret-0123456789-abc';
    const webhooks = { WEBHOOK_SECRETS: one, BASE_PATH: '/api' };
    expect(linesOf(webhooks).webhooks).toBe('POST /api/webhooks/revox/ with the secret at the end');
    expect(linesOf({ WEBHOOK_SECRETS: `${one},${one}x` }).webhooks).toBe(
      'POST /webhooks/revox/ with one of 2 secrets at the end',
    );
    expect(linesOf({})).not.toHaveProperty('webhooks');
  });

  const JWT = {
    JWT_JWKS_URL: 'https://id.test/keys',
    JWT_ISSUER: 'https://id.test',
    JWT_AUDIENCE: 'revox',
  };

  test.each([
    [{}, 'requests with a Revox API key'],
    [{ ROUTER_SECRETS: 'secret' }, 'requests with the router secret, and with a Revox API key'],
    [
      { REVOX_API_KEY: 'k' },
      'open on loopback: every program on this machine, without a credential',
    ],
    [{ REVOX_API_KEY: 'k', ROUTER_SECRETS: 'a,b' }, 'requests with one of 2 router secrets'],
    [{ REVOX_API_KEY: 'k', ...JWT }, 'requests with a bearer token of https://id.test for revox'],
    [
      { REVOX_API_KEY: 'k', ...JWT, JWT_SCOPE: 'calls:read', ROUTER_SECRETS: 'a' },
      'requests with the router secret, or with a bearer token of https://id.test for revox that grants calls:read',
    ],
  ])('the accepted requests of %j are: %s', (environment, access) => {
    expect(linesOf(environment).access).toBe(access);
    expect(linesOf(environment).mode).toBe(
      'REVOX_API_KEY' in environment
        ? 'service: the gateway reads with REVOX_API_KEY'
        : 'pass-through: each request brings its own Revox API key',
    );
  });

  test.each([
    [
      { NODE_ENV: 'production' },
      'on',
      'nothing; off: GraphiQL, introspection, upstream trace, OpenTelemetry',
    ],
    [
      { OTEL_TRACES_EXPORTER: 'otlp' },
      'on',
      'GraphiQL, introspection, upstream trace, OpenTelemetry',
    ],
    [
      {
        REVOX_BASE_URL: 'http://api.test/api',
        REVOX_FIRST_PAGE: '1',
        REVOX_ARRAY_FORMAT: 'repeat',
        HTTP_PROXY: 'http://user:secret@proxy.test:3128',
      },
      'upstream',
      'http://api.test/api, through the proxy proxy.test:3128, first page 1, array format repeat, 50 items a page',
    ],
    [{ CACHE_MAX_BYTES: '0' }, 'cache', 'nothing in memory, no Redis'],
    [
      { REDIS_URL: 'redis://127.0.0.1:6379' },
      'cache',
      '64 MiB in memory, Redis 127.0.0.1:6379 (no TLS)',
    ],
    [
      { REDIS_URL: 'rediss://redis.test', REDIS_TLS_VERIFY: 'off' },
      'cache',
      '64 MiB in memory, Redis redis.test (TLS without verification)',
    ],
    [
      {
        REDIS_URL: 'redis://mymaster',
        REDIS_SENTINELS: 'redis://a.test:26379,redis://b.test:26379',
      },
      'cache',
      '64 MiB in memory, Redis mymaster by sentinels a.test:26379, b.test:26379 (no TLS)',
    ],
    [
      { REDIS_URL: 'rediss://a.test', REDIS_CLUSTER: 'on', REDIS_CLUSTER_NODES: 'b.test:6379' },
      'cache',
      '64 MiB in memory, Redis Cluster a.test, b.test:6379 (TLS)',
    ],
    [
      { CORS_ORIGINS: 'https://a.test,https://*.b.test' },
      'CORS',
      'https://a.test, https://*.b.test',
    ],
    [{ BASE_PATH: '/api/calls' }, 'metrics', 'http://127.0.0.1:4000/api/calls/metrics'],
  ])('with %j the line "%s" is: %s', (environment: Environment, label, text) => {
    expect(linesOf(environment)[label]).toBe(text);
  });

  test('the summary counts the trusted documents', () => {
    const TRUSTED_DOCUMENTS = writeDocuments({
      'a.graphql': 'query A { __typename }',
      'b.graphql': 'query B { __typename }',
    });
    expect(linesOf({ TRUSTED_DOCUMENTS }).documents).toBe('2 trusted, and any others');
    expect(linesOf({ TRUSTED_DOCUMENTS, TRUSTED_DOCUMENTS_ONLY: 'on' }).documents).toBe(
      '2 trusted, and no others',
    );
  });
});

describe('Summary of the demo', () => {
  function demoLinesOf(environment: Environment, address = ADDRESS): string[] {
    const sandbox = { sandboxUrl: 'http://127.0.0.1:4001/api', apiKeys: ['sk_a', 'sk_b'] };
    return summarizeDemo(readDemoSettings(environment), { address, ...sandbox }).lines.map(
      ([, text]) => text,
    );
  }

  test.each([
    [{ HOST: '::1' }, '[::1]:4000', "curl -s '[::1]:4000/graphql' -H 'content-type"],
    [
      { HOST: '0.0.0.0', ROUTER_SECRETS: 'the-secret', BASE_PATH: '/api' },
      '0.0.0.0:4000',
      "curl -s 'localhost:4000/api/graphql' -H 'router-authorization: <one of ROUTER_SECRETS>' -H 'content-type",
    ],
  ])('the curl command of a demo with %j fits its address %s', (environment, address, start) => {
    const lines = demoLinesOf(environment, address);
    expect(lines[1]).toMatch(start);
    expect(lines.join('\n')).not.toContain('the-secret');
  });

  test('the demo says when GraphiQL is off', () => {
    expect(demoLinesOf({})[0]).toBe('open the address above in a browser');
    expect(demoLinesOf({ NODE_ENV: 'production' })[0]).toBe('off (GRAPHIQL)');
  });

  test('the demo is one object in JSON', () => {
    const { message, fields } = summarizeDemo(readDemoSettings({}), {
      address: ADDRESS,
      sandboxUrl: 'http://127.0.0.1:4001/api',
      apiKeys: ['sk_demo_a', 'sk_demo_b'],
    });
    expect({ message, fields }).toEqual({
      message: 'This is a demo: all of its data is invented.',
      fields: {
        data: 'invented',
        sandboxUrl: 'http://127.0.0.1:4001/api',
        apiKeys: ['sk_demo_a', 'sk_demo_b'],
      },
    });
  });
});
