import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Environment, readSettings, type Settings, SettingsError } from '#config/settings.ts';
import { variables } from '#config/variables.ts';
import { createGateway } from '#gateway.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { NO_TIMEOUTS } from '../rest/real-server.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
const DAY_MS = 86_400_000;

function faultsOf(environment: Environment): readonly string[] {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('Settings without an environment', () => {
  test('every setting has its default when no variable is set', () => {
    expect(readSettings({})).toEqual({
      port: 4000,
      host: '127.0.0.1',
      revox: {
        baseUrl: 'https://www.getrevox.com/api',
        apiKey: undefined,
        firstPage: 'auto',
        arrayFormat: 'comma',
        pageSize: 50,
        timeoutMs: 10_000,
        timeouts: { connectMs: 3_000, headersMs: 10_000, bodyMs: 5_000 },
        retries: 2,
        breaker: { failures: 10, openMs: 1_000 },
        maxConcurrency: 20,
        maxConcurrencyTotal: 200,
        maxQueued: 2_000,
        maxResponseBytes: 32 * MEBIBYTE,
        userAgentComment: undefined,
        proxies: undefined,
      },
      routerSecrets: [],
      cache: {
        maxBytes: 64 * MEBIBYTE,
        secret: undefined,
        freshness: {
          endedCallMs: 600_000,
          justEndedCallMs: 5_000,
          settlingCallMs: 300_000,
          liveCallMs: 1_000,
          assistantMs: 30_000,
          campaignMs: 60_000,
          runningCampaignMs: 10_000,
          pageMs: 1_000,
          notFoundMs: 2_000,
          whileRevalidatingMs: 10_000,
        },
        graceMs: 3_600_000,
        credentialRecheckMs: 60_000,
        redisUrl: undefined,
        redisSentinels: [],
        redisClusterNodes: undefined,
        redisTls: { caFile: undefined, isVerified: true },
        redisTimeoutMs: 50,
      },
      requestDeadlineMs: 30_000,
      maxUpstreamRequests: 250,
      maxUpstreamBytes: 40 * MEBIBYTE,
      limits: {
        bodyBytes: MEBIBYTE,
        tokens: 5_000,
        depth: 20,
        aliases: 100,
        directives: 100,
        cost: 500_000,
        ids: 100,
        representations: 1_000,
        responseBytes: 16 * MEBIBYTE,
        errors: 100,
      },
      corsOrigins: [],
      trustedDocuments: { path: undefined, trustedOnly: false },
      compression: true,
      basePath: '',
      maxConnections: 2_000,
      maxConnectionsPerAddress: 1_000,
      unsent: { maxBytes: 67_108_864, maxBytesPerCaller: 33_554_432 },
      drain: { delayMs: 1_000, timeoutMs: 10_000 },
      clientTimeouts: { headersMs: 10_000, requestMs: 30_000, keepAliveMs: 620_000 },
      jwt: undefined,
      graphiql: true,
      introspection: true,
      upstreamTrace: true,
      log: { level: 'info', format: 'text', personalData: false },
      tracing: { isEnabled: false, hasServiceName: false, collector: undefined },
    } satisfies Settings);
  });

  test('every empty variable counts as absent', () => {
    const names = [
      ...WHOLE_NUMBERS.map(({ name }) => name),
      ...WORDS.map(({ name }) => name),
      'HOST',
      'REVOX_BASE_URL',
      'REVOX_API_KEY',
      'ROUTER_SECRETS',
      'CACHE_SECRET',
      'REDIS_URL',
      'NODE_ENV',
    ];
    for (const empty of ['', '  ']) {
      expect(readSettings(Object.fromEntries(names.map((name) => [name, empty])))).toEqual(
        readSettings({}),
      );
    }
  });

  test('the settings are read from the environment of the process', () => {
    expect(readSettings()).toEqual(readSettings(process.env));
  });

  test('unknown variables have no effect', () => {
    expect(readSettings({ PATH: '/bin', LOG_DIR: 'x' })).toEqual(readSettings({}));
  });
});

const WHOLE_NUMBERS: {
  name: string;
  min: number;
  max: number;
  unit: string;
  read: (settings: Settings) => number;
}[] = [
  { name: 'PORT', min: 0, max: 65_535, unit: 'port', read: ({ port }) => port },
  {
    name: 'REVOX_PAGE_SIZE',
    min: 1,
    max: 10_000,
    unit: 'items',
    read: ({ revox }) => revox.pageSize,
  },
  {
    name: 'REVOX_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ revox }) => revox.timeoutMs,
  },
  {
    name: 'REVOX_CONNECT_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ revox }) => revox.timeouts.connectMs,
  },
  {
    name: 'REVOX_HEADERS_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ revox }) => revox.timeouts.headersMs,
  },
  {
    name: 'REVOX_BODY_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ revox }) => revox.timeouts.bodyMs,
  },
  { name: 'REVOX_RETRIES', min: 0, max: 10, unit: 'retries', read: ({ revox }) => revox.retries },
  {
    name: 'REVOX_BREAKER_FAILURES',
    min: 1,
    max: 1_000_000,
    unit: 'failures',
    read: ({ revox }) => revox.breaker.failures,
  },
  {
    name: 'REVOX_BREAKER_OPEN_MS',
    min: 1,
    max: 30_000,
    unit: 'milliseconds',
    read: ({ revox }) => revox.breaker.openMs,
  },
  {
    name: 'REVOX_MAX_CONCURRENCY',
    min: 1,
    max: 10_000,
    unit: 'requests',
    read: ({ revox }) => revox.maxConcurrency,
  },
  {
    name: 'REVOX_MAX_CONCURRENCY_TOTAL',
    min: 1,
    max: 100_000,
    unit: 'requests',
    read: ({ revox }) => revox.maxConcurrencyTotal,
  },
  {
    name: 'REVOX_MAX_QUEUE',
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    read: ({ revox }) => revox.maxQueued,
  },
  {
    name: 'REVOX_MAX_RESPONSE_BYTES',
    min: 1024,
    max: GIBIBYTE,
    unit: 'bytes',
    read: ({ revox }) => revox.maxResponseBytes,
  },
  {
    name: 'REQUEST_DEADLINE_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ requestDeadlineMs }) => requestDeadlineMs,
  },
  {
    name: 'MAX_UPSTREAM_REQUESTS',
    min: 1,
    max: 100_000,
    unit: 'requests',
    read: ({ maxUpstreamRequests }) => maxUpstreamRequests,
  },
  {
    name: 'MAX_UPSTREAM_BYTES',
    min: 1024,
    max: GIBIBYTE,
    unit: 'bytes',
    read: ({ maxUpstreamBytes }) => maxUpstreamBytes,
  },
  {
    name: 'CACHE_MAX_BYTES',
    min: 0,
    max: 64 * 1024 * MEBIBYTE,
    unit: 'bytes',
    read: ({ cache }) => cache.maxBytes,
  },
  ...(
    [
      ['ENDED_CALL', 'endedCallMs'],
      ['JUST_ENDED_CALL', 'justEndedCallMs'],
      ['SETTLING_CALL', 'settlingCallMs'],
      ['LIVE_CALL', 'liveCallMs'],
      ['ASSISTANT', 'assistantMs'],
      ['CAMPAIGN', 'campaignMs'],
      ['RUNNING_CAMPAIGN', 'runningCampaignMs'],
      ['PAGE', 'pageMs'],
      ['NOT_FOUND', 'notFoundMs'],
      ['WHILE_REVALIDATING', 'whileRevalidatingMs'],
    ] as const
  ).map(([name, key]) => ({
    name: `FRESHNESS_${name}_MS`,
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ cache }: Settings) => cache.freshness[key],
  })),
  {
    name: 'GRACE_MS',
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ cache }) => cache.graceMs,
  },
  {
    name: 'CREDENTIAL_RECHECK_MS',
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ cache }) => cache.credentialRecheckMs,
  },
  {
    name: 'REDIS_TIMEOUT_MS',
    min: 1,
    max: 10_000,
    unit: 'milliseconds',
    read: ({ cache }) => cache.redisTimeoutMs,
  },
  {
    name: 'MAX_BODY_BYTES',
    min: 1024,
    max: GIBIBYTE,
    unit: 'bytes',
    read: ({ limits }) => limits.bodyBytes,
  },
  {
    name: 'MAX_TOKENS',
    min: 1,
    max: 1_000_000,
    unit: 'tokens',
    read: ({ limits }) => limits.tokens,
  },
  { name: 'MAX_DEPTH', min: 1, max: 1_000, unit: 'levels', read: ({ limits }) => limits.depth },
  {
    name: 'MAX_ALIASES',
    min: 0,
    max: 100_000,
    unit: 'aliases',
    read: ({ limits }) => limits.aliases,
  },
  {
    name: 'MAX_DIRECTIVES',
    min: 0,
    max: 100_000,
    unit: 'directives',
    read: ({ limits }) => limits.directives,
  },
  {
    name: 'MAX_COST',
    min: 1,
    max: 1_000_000_000,
    unit: 'fields',
    read: ({ limits }) => limits.cost,
  },
  { name: 'MAX_IDS', min: 1, max: 100_000, unit: 'ids', read: ({ limits }) => limits.ids },
  {
    name: 'MAX_REPRESENTATIONS',
    min: 1,
    max: 100_000,
    unit: 'representations',
    read: ({ limits }) => limits.representations,
  },
  { name: 'MAX_ERRORS', min: 1, max: 100_000, unit: 'errors', read: ({ limits }) => limits.errors },
  {
    name: 'MAX_ANSWER_BYTES',
    min: 1024,
    max: GIBIBYTE,
    unit: 'bytes',
    read: ({ limits }) => limits.responseBytes,
  },
  {
    name: 'CLIENT_HEADERS_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ clientTimeouts }) => clientTimeouts.headersMs,
  },
  {
    name: 'CLIENT_REQUEST_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ clientTimeouts }) => clientTimeouts.requestMs,
  },
  {
    name: 'KEEP_ALIVE_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ clientTimeouts }) => clientTimeouts.keepAliveMs,
  },
  {
    name: 'MAX_CONNECTIONS',
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    read: ({ maxConnections }) => maxConnections,
  },
  {
    name: 'MAX_UNSENT_BYTES',
    min: 2 ** 20,
    max: 64 * GIBIBYTE,
    unit: 'bytes',
    read: ({ unsent }) => unsent.maxBytes,
  },
  {
    name: 'MAX_UNSENT_BYTES_PER_CALLER',
    min: 2 ** 20,
    max: 64 * GIBIBYTE,
    unit: 'bytes',
    read: ({ unsent }) => unsent.maxBytesPerCaller,
  },
  {
    name: 'DRAIN_DELAY_MS',
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ drain }) => drain.delayMs,
  },
  {
    name: 'DRAIN_TIMEOUT_MS',
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ drain }) => drain.timeoutMs,
  },
];

describe.each(WHOLE_NUMBERS)('Whole number $name', ({ name, min, max, unit, read }) => {
  const kind = unit === 'port' ? 'a port number' : `a whole number of ${unit}`;
  const problem = `${name} must be ${kind} from ${min} to ${max}.`;

  test('$name accepts only a whole number within its bounds', () => {
    expect(read(readSettings({ [name]: String(min) }))).toBe(min);
    expect(read(readSettings({ [name]: String(max) }))).toBe(max);
    expect(faultsOf({ [name]: String(max + 1) })).toEqual([problem]);
    if (min > 0) expect(faultsOf({ [name]: String(min - 1) })).toEqual([problem]);
  });

  test.each(['-1', '1.5', '1e3', '0x10', 'many', '10ms', '١٢', '1 000', 'NaN', 'Infinity'])(
    '$name rejects %s',
    (odd) => {
      expect(faultsOf({ [name]: odd })).toEqual([problem]);
    },
  );

  test('$name rejects a number of a thousand digits', () => {
    expect(faultsOf({ [name]: '9'.repeat(1000) })).toHaveLength(1);
  });
});

const WORDS: {
  name: string;
  words: { [word: string]: unknown };
  read: (settings: Settings) => unknown;
}[] = [
  {
    name: 'REVOX_FIRST_PAGE',
    words: { auto: 'auto', 0: 0, 1: 1 },
    read: ({ revox }) => revox.firstPage,
  },
  {
    name: 'REVOX_ARRAY_FORMAT',
    words: { comma: 'comma', repeat: 'repeat', brackets: 'brackets' },
    read: ({ revox }) => revox.arrayFormat,
  },
  { name: 'GRAPHIQL', words: { on: true, off: false }, read: ({ graphiql }) => graphiql },
  { name: 'COMPRESSION', words: { on: true, off: false }, read: ({ compression }) => compression },
  {
    name: 'INTROSPECTION',
    words: { on: true, off: false },
    read: ({ introspection }) => introspection,
  },
  {
    name: 'LOG_LEVEL',
    words: Object.fromEntries(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => [level, level]),
    ),
    read: ({ log }) => log.level,
  },
  { name: 'LOG_FORMAT', words: { json: 'json', text: 'text' }, read: ({ log }) => log.format },
  {
    name: 'LOG_PERSONAL_DATA',
    words: { on: true, off: false },
    read: ({ log }) => log.personalData,
  },
  {
    name: 'UPSTREAM_TRACE',
    words: { on: true, off: false },
    read: ({ upstreamTrace }) => upstreamTrace,
  },
];

describe.each(WORDS)('Word $name', ({ name, words, read }) => {
  test('$name accepts each of its words', () => {
    for (const [word, value] of Object.entries(words))
      expect(read(readSettings({ [name]: word }))).toBe(value);
  });

  test('$name rejects other words', () => {
    for (const odd of ['yes', 'ON', 'Auto', '2', 'constructor']) {
      expect(faultsOf({ [name]: odd })).toHaveLength(1);
      expect(faultsOf({ [name]: odd })[0]).toMatch(new RegExp(`^${name} must be one of `));
    }
  });
});

describe('Switches', () => {
  test.each([
    { NODE_ENV: 'production', expected: false },
    { NODE_ENV: 'development', expected: true },
    { NODE_ENV: 'test', expected: true },
    { NODE_ENV: undefined, expected: true },
  ])(
    'the switches are $expected by default when NODE_ENV is $NODE_ENV, and an explicit value wins',
    ({ NODE_ENV, expected }) => {
      expect(readSettings({ NODE_ENV })).toMatchObject({
        graphiql: expected,
        introspection: expected,
        upstreamTrace: expected,
      });
      expect(readSettings({ NODE_ENV, GRAPHIQL: 'on', INTROSPECTION: 'off' })).toMatchObject({
        graphiql: true,
        introspection: false,
      });
    },
  );
});

describe('MAX_CONNECTIONS_PER_ADDRESS', () => {
  const read = (given: string, all = '') =>
    readSettings({ MAX_CONNECTIONS_PER_ADDRESS: given, MAX_CONNECTIONS: all })
      .maxConnectionsPerAddress;

  test('MAX_CONNECTIONS_PER_ADDRESS defaults to half of MAX_CONNECTIONS, and off removes the limit', () => {
    expect([read(''), read('', '7'), read('1'), read('5', '4'), read('off')]).toEqual([
      1_000,
      4,
      1,
      5,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test.each(['-1', 'on', 'Infinity', '1e3'])('MAX_CONNECTIONS_PER_ADDRESS rejects %s', (odd) => {
    expect(faultsOf({ MAX_CONNECTIONS_PER_ADDRESS: odd })).toEqual([
      'MAX_CONNECTIONS_PER_ADDRESS must be a whole number of connections from 1 to 1000000, or off.',
    ]);
  });
});

describe('LOG_FORMAT', () => {
  test('LOG_FORMAT defaults to json in production and to text otherwise', () => {
    expect(readSettings({ NODE_ENV: 'production' }).log.format).toBe('json');
    expect(readSettings({ NODE_ENV: 'production', LOG_FORMAT: 'text' }).log.format).toBe('text');
    expect(readSettings({ NODE_ENV: 'test' }).log.format).toBe('text');
  });
});

describe('OpenTelemetry variables', () => {
  test.each([
    { OTEL_TRACES_EXPORTER: 'otlp' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' },
    { OTEL_CONFIG_FILE: 'otel.yaml' },
  ])('the variable %j enables tracing unless tracing is switched off', (asked) => {
    expect(readSettings(asked).tracing.isEnabled).toBe(true);
    expect(readSettings({ ...asked, OTEL_SDK_DISABLED: 'True' }).tracing.isEnabled).toBe(false);
    expect(readSettings({ ...asked, OTEL_SDK_DISABLED: 'false' }).tracing.isEnabled).toBe(true);
    expect(readSettings({ ...asked, OTEL_TRACES_EXPORTER: 'none' }).tracing.isEnabled).toBe(false);
  });

  describe.each(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])(
    'Collector in %s',
    (name) => {
      const problem = `${name} must be an http or https URL, for example http://collector.example.com:4318.`;

      test.each(['collector:4318', 'localhost', 'http://', '//collector:4318', 'tcp://c:1', 'a b'])(
        `${name} rejects %s, for which the SDK would send the spans elsewhere`,
        (odd) => {
          expect(faultsOf({ [name]: odd })).toEqual([problem]);
          expect(faultsOf({ [name]: odd, OTEL_SDK_DISABLED: 'true' })).toEqual([]);
          expect(faultsOf({ [name]: odd, OTEL_TRACES_EXPORTER: 'none' })).toEqual([]);
        },
      );

      test.each(['http://collector:4318', 'https://c.test/v1/traces', ' HTTP://[::1]:4318/ '])(
        `${name} accepts %s`,
        (endpoint) => {
          expect(faultsOf({ [name]: endpoint })).toEqual([]);
        },
      );

      test(`${name} may lack the scheme with the protocol grpc only`, () => {
        const endpoint = { [name]: 'collector:4317' };
        expect(faultsOf({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toEqual([]);
        expect(faultsOf({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' })).toEqual([]);
        expect(faultsOf({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })).toEqual([
          problem,
        ]);
      });
    },
  );

  test.each([
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'http/protobuf http://localhost:4318/v1/traces'],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/base/' },
      'http/protobuf http://c:4318/base/v1/traces',
    ],
    [
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t/own',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: ' http/json ',
      },
      'http/json https://t/own',
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'grpc http://c:4317',
    ],
    [
      { OTEL_TRACES_EXPORTER: 'console,otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'grpc http://localhost:4317',
    ],
    [{ OTEL_TRACES_EXPORTER: 'console' }, 'undefined undefined'],
    [{ OTEL_CONFIG_FILE: 'otel.yaml' }, 'undefined undefined'],
    [{}, 'undefined undefined'],
  ])('the variables %j name the collector %s', (given, expected) => {
    const { collector } = readSettings(given).tracing;
    expect(`${collector?.protocol} ${collector?.url}`).toBe(expected);
  });

  test('the headers of traces override the headers of all signals', () => {
    const { collector } = readSettings({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=one, authorization = Basic%20YTpi==,odd,empty=',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=two%',
    }).tracing;
    expect(collector?.headers).toEqual({ 'api-key': 'two%', authorization: 'Basic YTpi==' });
  });

  test.each([
    [{ OTEL_SERVICE_NAME: 'mine' }, true],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'team=a, service.name=mine' }, true],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'team=a,my.service.name=mine' }, false],
  ])('whether %j sets the service name: %j', (given, isNamed) => {
    expect(readSettings(given).tracing.hasServiceName).toBe(isNamed);
  });
});

describe('REVOX_BASE_URL', () => {
  test.each([
    ['https://www.getrevox.com/api', 'https://www.getrevox.com/api'],
    ['https://www.getrevox.com/api/', 'https://www.getrevox.com/api'],
    ['http://localhost:4001//', 'http://localhost:4001'],
    ['http://[::1]:4001/api', 'http://[::1]:4001/api'],
  ])('REVOX_BASE_URL accepts %s as %s', (given, read) => {
    expect(readSettings({ REVOX_BASE_URL: given }).revox.baseUrl).toBe(read);
  });

  test.each([
    'getrevox.com',
    'ftp://getrevox.com',
    'https://',
    'file:///etc/passwd',
    'https://user:secret@getrevox.com/api',
    'https://x.test/api?',
    'https://x.test/api#top',
    'https://x.test/?key=1',
  ])('REVOX_BASE_URL rejects %s', (odd) => {
    expect(faultsOf({ REVOX_BASE_URL: odd })).toEqual([
      'REVOX_BASE_URL must be an http or https URL without user, query or fragment, for example https://www.getrevox.com/api.',
    ]);
  });
});

describe('REVOX_USER_AGENT_COMMENT', () => {
  test.each(['ops@example.com', 'production; +https://example.com', 'x'.repeat(200)])(
    'REVOX_USER_AGENT_COMMENT accepts %s',
    (comment) => {
      expect(readSettings({ REVOX_USER_AGENT_COMMENT: comment }).revox.userAgentComment).toBe(
        comment,
      );
    },
  );

  test.each(['(nested)', 'open (', 'back\\slash', 'clé', 'line\r\nx-injected: 1', 'x'.repeat(201)])(
    'REVOX_USER_AGENT_COMMENT rejects %j',
    (odd) => {
      expect(faultsOf({ REVOX_USER_AGENT_COMMENT: odd })).toEqual([
        'REVOX_USER_AGENT_COMMENT must be at most 200 characters of ASCII without parentheses and backslashes, for example ops@example.com.',
      ]);
    },
  );
});

describe('Secrets', () => {
  test('ROUTER_SECRETS accepts a list of secrets', () => {
    expect(
      readSettings({ ROUTER_SECRETS: 'a-secret-of-16-ch, another-secret-of-more' }).routerSecrets,
    ).toEqual(['a-secret-of-16-ch', 'another-secret-of-more']);
  });

  test.each([
    'a-secret,',
    ',a-secret',
    'a-secret,,a-secret',
    'with blanks in the middle',
    'énough-secret-with-an-accent',
  ])('ROUTER_SECRETS rejects %s', (odd) => {
    expect(faultsOf({ ROUTER_SECRETS: odd })).toEqual([
      'ROUTER_SECRETS must be a comma-separated list of secrets, each of visible ASCII without spaces.',
    ]);
  });

  test.each(['two words', 'clé', 'sk_\u0000'])('REVOX_API_KEY rejects %j', (odd) => {
    expect(faultsOf({ REVOX_API_KEY: odd })).toEqual([
      'REVOX_API_KEY must be visible ASCII without spaces, because it is sent in a header.',
    ]);
  });

  test('CACHE_SECRET rejects a secret that is too short', () => {
    expect(readSettings({ CACHE_SECRET: 'sixteen letters!' }).cache.secret).toBe(
      'sixteen letters!',
    );
    expect(faultsOf({ CACHE_SECRET: 'fifteen letters' })).toEqual([
      'CACHE_SECRET must be at least 16 characters that cannot be guessed.',
    ]);
  });

  test.each(['redis://127.0.0.1:6379', 'rediss://user:password@cache.internal/2'])(
    'REDIS_URL accepts %s',
    (url) => {
      expect(readSettings({ REDIS_URL: url }).cache.redisUrl).toBe(url);
    },
  );

  test.each([
    '127.0.0.1:6379',
    'redis://',
    'http://127.0.0.1',
    'redis',
    'redis://h/db',
    'redis://user:%ff@h',
  ])('REDIS_URL rejects %s', (odd) => {
    expect(faultsOf({ REDIS_URL: odd })).toEqual([
      'REDIS_URL must be a redis or rediss URL, for example redis://127.0.0.1:6379.',
    ]);
  });

  test('no message contains a secret or any other value', () => {
    const values = {
      REVOX_API_KEY: 'the key itself',
      ROUTER_SECRETS: 'the secret',
      REVOX_BASE_URL: 'https://user:password@host.test',
      HOST: 'the host',
      PORT: 'the-port',
      REVOX_FIRST_PAGE: 'the-page',
      GRAPHIQL: 'the-switch',
    };
    const error = new SettingsError(faultsOf(values));
    expect(error.problems.length).toBeGreaterThanOrEqual(Object.keys(values).length);
    for (const value of Object.values(values)) expect(error.message).not.toContain(value);
    expect(error.message).not.toContain('password');
  });
});

describe('JWT settings', () => {
  const SET = {
    REVOX_API_KEY: 'k',
    JWT_JWKS_URL: 'https://id.test/keys',
    JWT_ISSUER: 'https://id.test',
    JWT_AUDIENCE: 'revox',
  };

  test('the JWT settings consist of keys, issuer, audience and optional scopes', () => {
    const jwt = { jwksUrl: 'https://id.test/keys', issuer: 'https://id.test', audience: 'revox' };
    expect(readSettings(SET).jwt).toEqual({ ...jwt, scopes: [] });
    expect(readSettings({ ...SET, JWT_SCOPE: ' calls:read  campaigns:read ' }).jwt).toEqual({
      ...jwt,
      scopes: ['calls:read', 'campaigns:read'],
    });
  });

  test('a gateway with JWT and an API key may listen on a public address', () => {
    expect(faultsOf({ ...SET, HOST: '0.0.0.0' })).toEqual([]);
  });

  test.each(['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'])(
    'the JWT settings require %s',
    (name) => {
      expect(faultsOf({ ...SET, [name]: '', JWT_SCOPE: 'a' })).toEqual([
        `${name} must be set: tokens are checked against keys, issuer and audience together.`,
      ]);
    },
  );

  test('the JWT settings are rejected in pass-through mode', () => {
    expect(faultsOf({ ...SET, REVOX_API_KEY: undefined })).toEqual([
      'REVOX_API_KEY must be set with JWT_JWKS_URL: in pass-through mode `Authorization` carries the Revox key.',
    ]);
  });

  test.each(['http://localhost:9000/keys', 'http://127.0.0.1/keys', 'http://[::1]:1/keys'])(
    'JWT_JWKS_URL accepts %s',
    (url) => {
      expect(readSettings({ ...SET, JWT_JWKS_URL: url }).jwt?.jwksUrl).toBe(url);
    },
  );

  test.each([
    'http://id.test/keys',
    'id.test/keys',
    'file:///keys',
    'https://user:pass@id.test/',
    'https://id.test/#keys',
  ])('JWT_JWKS_URL rejects %s', (url) => {
    expect(faultsOf({ ...SET, JWT_JWKS_URL: url })).toEqual([
      'JWT_JWKS_URL must be an https URL (http only for this machine) without user or fragment.',
    ]);
  });
});

describe('CORS_ORIGINS', () => {
  test('CORS_ORIGINS accepts a list of origins', () => {
    expect(
      readSettings({ CORS_ORIGINS: 'https://app.test, http://localhost:3000' }).corsOrigins,
    ).toEqual(['https://app.test', 'http://localhost:3000']);
  });

  test.each([
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://0b3f2c1e-1111-2222-3333-444455556666',
    'safari-web-extension://0B3F2C1E-1111-2222-3333-444455556666',
    'app://obsidian.md',
    'https://*.app.test',
    'https://*.app.test:8443',
    'http://*.localhost:3000',
    'https://web-*.app.test',
    'https://*-team.vercel.app',
    'https://deploy-preview-*--site.netlify.app',
  ])('CORS_ORIGINS accepts %s', (origin) => {
    expect(readSettings({ CORS_ORIGINS: origin }).corsOrigins).toEqual([origin]);
  });

  test.each([
    '*',
    'null',
    'app.test',
    'https://app.test/',
    'https://app.test/page',
    'https://APP.test',
    'https://*.app.test/',
    'https://*.*.app.test',
    'https://**.app.test',
    'https://a.*.app.test',
    'https://app.*.test',
    'https://*',
    'https://*.test',
    'https://app*',
    'https://*.0.0.1',
    'https://*.app.test:443',
    'https://user@*.app.test',
    '*://*.app.test',
    'https*://app.test',
    'https://app.test:*',
    'chrome-extension://*',
    'capacitor://localhost/',
    'capacitor:localhost',
    'Capacitor://localhost',
    'file://',
    'file://localhost',
    'ws://app.test',
  ])('CORS_ORIGINS rejects %s', (odd) => {
    expect(faultsOf({ CORS_ORIGINS: odd })).toEqual([
      'CORS_ORIGINS must be a comma-separated list of origins without a path, for example https://app.example.com, https://*.example.com or capacitor://localhost.',
    ]);
  });
});

describe.each(['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'])('Proxy %s', (name) => {
  test.each([
    'http://proxy.test:3128',
    'http://proxy.test:3128/',
    'https://user:pass@proxy.test',
    'https://user:100%25@proxy.test',
    'socks5://proxy.test:1080',
  ])(`${name} accepts %s, and undici does, too`, async (url) => {
    expect(faultsOf({ [name]: url })).toEqual([]);
    await createUndiciTransport({
      ...NO_TIMEOUTS,
      proxies: readSettings({ [name]: url }).revox.proxies,
    }).close();
  });

  test(`${name} counts as absent when it is blank`, () => {
    expect(readSettings({ [name]: ' ' }).revox.proxies).toBeUndefined();
  });

  test.each([
    'proxy.test',
    'proxy.test:3128',
    'localhost:8080',
    '10.0.0.1:3128',
    '[::1]:3128',
    'user:pass@proxy.test:3128',
    '//proxy.test:3128',
    'http://',
    'http://proxy.test:99999',
    'http://user:100%@proxy.test',
    'socks5h://proxy.test:1080',
    'http://proxy.test/path',
    'http://proxy.test?query',
    'ftp://user:pass@proxy.test',
  ])(`${name} rejects %s, which undici would reject with the value in its message`, (odd) => {
    expect(faultsOf({ [name]: odd })).toEqual([
      `${name} must be an http, https or socks5 URL without a path, for example http://proxy.example.com:3128.`,
    ]);
  });
});

describe('REDIS_SENTINELS', () => {
  test('REDIS_SENTINELS accepts a list of URLs beside REDIS_URL', () => {
    const { cache } = readSettings({
      REDIS_URL: 'redis://:secret@mymaster/1',
      REDIS_SENTINELS: 'redis://a.test:26379, rediss://:other@b.test:26379',
    });
    expect(cache.redisSentinels).toEqual(['redis://a.test:26379', 'rediss://:other@b.test:26379']);
  });

  test('REDIS_SENTINELS requires REDIS_URL and rejects addresses without a scheme', () => {
    expect(faultsOf({ REDIS_SENTINELS: 'redis://a.test:26379' })).toEqual([
      'REDIS_URL must be set: its host is the name of the master, for example redis://mymaster.',
    ]);
    expect(faultsOf({ REDIS_URL: 'redis://mymaster', REDIS_SENTINELS: 'a.test:26379' })).toEqual([
      'REDIS_SENTINELS must be a comma-separated list of redis or rediss URLs, for example redis://10.0.0.1:26379.',
    ]);
  });
});

describe('REDIS_CLUSTER and REDIS_CLUSTER_NODES', () => {
  const nodesOf = (environment: Environment) => readSettings(environment).cache.redisClusterNodes;
  const REDIS_URL = 'rediss://user:secret@cluster.test:6379/0';

  test('the nodes of a cluster have user, password and TLS of REDIS_URL', () => {
    expect(nodesOf({ REDIS_URL })).toBeUndefined();
    expect(nodesOf({ REDIS_URL, REDIS_CLUSTER: 'on' })).toEqual([]);
    const REDIS_CLUSTER_NODES = '10.0.0.2:6379, node.test:7000, [::1]:7001';
    expect(nodesOf({ REDIS_URL, REDIS_CLUSTER: 'on', REDIS_CLUSTER_NODES })).toEqual([
      'rediss://user:secret@10.0.0.2:6379/0',
      'rediss://user:secret@node.test:7000/0',
      'rediss://user:secret@[::1]:7001/0',
    ]);
  });

  test.each([
    [
      { REDIS_CLUSTER: 'on' },
      ['REDIS_URL must be set: it names a node of the cluster, for example redis://10.0.0.1:6379.'],
    ],
    [
      { REDIS_CLUSTER: 'on', REDIS_URL: 'redis://cluster.test/1' },
      ['REDIS_URL must name no database but 0, because a cluster has no other.'],
    ],
    [
      { REDIS_CLUSTER: 'on', REDIS_URL, REDIS_SENTINELS: 'redis://a.test:26379' },
      [
        'REDIS_SENTINELS must not be set: a cluster replaces failed masters itself, without Sentinels.',
      ],
    ],
    [
      { REDIS_URL, REDIS_CLUSTER_NODES: '10.0.0.2:6379' },
      ['REDIS_CLUSTER must be on: only a cluster has further nodes.'],
    ],
    [{ REDIS_URL, REDIS_CLUSTER: 'true' }, ['REDIS_CLUSTER must be one of on, off.']],
    ...[
      'redis://10.0.0.2:6379',
      'user:secret@10.0.0.2:6379',
      '10.0.0.2',
      '10.0.0.2:6379/0',
      '10.0.0.2:70000',
      'a.test:6379,',
    ].map((REDIS_CLUSTER_NODES) => [
      { REDIS_URL, REDIS_CLUSTER: 'on', REDIS_CLUSTER_NODES },
      [
        'REDIS_CLUSTER_NODES must be a comma-separated list of host:port, for example 10.0.0.2:6379.',
      ],
    ]),
  ] as [Environment, string[]][])('%j is %j', (environment, faults) => {
    expect(faultsOf(environment)).toEqual(faults);
  });
});

describe('REDIS_TLS_… variables', () => {
  const REDIS_URL = 'rediss://redis.test';
  const needsTls =
    'REDIS_URL must begin with rediss://, because the settings of TLS apply to no other URL.';

  test('the variables of TLS become settings', () => {
    expect(readSettings({ REDIS_URL, REDIS_TLS_CA_FILE: 'ca.pem' }).cache.redisTls).toEqual({
      caFile: 'ca.pem',
      isVerified: true,
    });
    expect(readSettings({ REDIS_URL, REDIS_TLS_VERIFY: 'off' }).cache.redisTls).toEqual({
      caFile: undefined,
      isVerified: false,
    });
  });

  test.each([
    [{ REDIS_TLS_CA_FILE: 'ca.pem' }, [needsTls]],
    [{ REDIS_TLS_VERIFY: 'off' }, [needsTls]],
    [{ REDIS_TLS_CA_FILE: 'ca.pem', REDIS_URL: 'redis://redis.test' }, [needsTls]],
    [{ REDIS_TLS_VERIFY: 'on' }, []],
    [
      { REDIS_URL, REDIS_TLS_CA_FILE: 'ca.pem', REDIS_TLS_VERIFY: 'off' },
      ['REDIS_TLS_VERIFY must be on: without verification, REDIS_TLS_CA_FILE has no effect.'],
    ],
    [{ REDIS_URL, REDIS_TLS_VERIFY: 'no' }, ['REDIS_TLS_VERIFY must be one of on, off.']],
  ])('the problems of the settings %j are %j', (given, problems) => {
    expect(faultsOf(given)).toEqual(problems);
  });

  test.each([
    ['/absent/ca.pem', 'REDIS_TLS_CA_FILE: /absent/ca.pem does not exist.'],
    ['/', 'REDIS_TLS_CA_FILE: / cannot be read (EISDIR).'],
    [
      import.meta.filename,
      `REDIS_TLS_CA_FILE: ${import.meta.filename} contains no certificate in PEM format.`,
    ],
  ])('the file %s is a settings error', (path, problem) => {
    expect(() => createGateway(readSettings({ REDIS_URL, REDIS_TLS_CA_FILE: path }))).toThrow(
      new SettingsError([problem]),
    );
  });
});

describe('TRUSTED_DOCUMENTS', () => {
  test('TRUSTED_DOCUMENTS_ONLY restricts the gateway to trusted documents', () => {
    const given = { TRUSTED_DOCUMENTS: './documents', TRUSTED_DOCUMENTS_ONLY: 'on' };
    expect(readSettings(given).trustedDocuments).toEqual({
      path: './documents',
      trustedOnly: true,
    });
    expect(readSettings({ ...given, TRUSTED_DOCUMENTS_ONLY: 'off' }).trustedDocuments).toEqual({
      path: './documents',
      trustedOnly: false,
    });
  });

  test('TRUSTED_DOCUMENTS_ONLY requires TRUSTED_DOCUMENTS', () => {
    expect(faultsOf({ TRUSTED_DOCUMENTS_ONLY: 'on' })).toEqual([
      'TRUSTED_DOCUMENTS must name a file or a directory: with TRUSTED_DOCUMENTS_ONLY=on, the gateway executes no other documents.',
    ]);
    expect(faultsOf({ TRUSTED_DOCUMENTS_ONLY: 'yes' })).toHaveLength(1);
  });
});

describe('Settings error', () => {
  test('all problems of the settings are reported at once, one on each line', () => {
    const odd = Object.fromEntries([...WHOLE_NUMBERS, ...WORDS].map(({ name }) => [name, '?']));
    const faults = faultsOf({
      ...odd,
      HOST: 'a b',
      REVOX_BASE_URL: '?',
      REVOX_API_KEY: 'a b',
      ROUTER_SECRETS: 'a b',
    });
    expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual(
      [...Object.keys(odd), 'HOST', 'REVOX_BASE_URL', 'REVOX_API_KEY', 'ROUTER_SECRETS'].sort(),
    );
    expect(new SettingsError(faults).message.split('\n')).toHaveLength(1 + faults.length);
  });

  test('a problem between several settings is reported together with the problems of single settings', () => {
    expect(
      faultsOf({ PORT: 'x', HOST: '0.0.0.0', REVOX_API_KEY: 'k' }).map(
        (fault) => fault.split(' ')[0],
      ),
    ).toEqual(['PORT', 'HOST']);
  });
});

describe('Public address of a gateway with an API key', () => {
  const OPEN = [
    '0.0.0.0',
    '::',
    '192.168.1.5',
    'gateway.internal',
    '::ffff:127.0.0.1',
    '127.evil.test',
    '127.0.0.2',
  ];
  const CLOSED = ['127.0.0.1', '::1', 'localhost'];

  test.each(OPEN)(
    'a gateway with an API key does not start on %s without ROUTER_SECRETS',
    (host) => {
      expect(faultsOf({ HOST: host, REVOX_API_KEY: 'k' })).toEqual([
        expect.stringMatching(/^HOST must be 127.0.0.1, ::1 or localhost.* Set ROUTER_SECRETS/),
      ]);
      expect(faultsOf({ HOST: host, REVOX_API_KEY: 'k', ROUTER_SECRETS: ' ' })).toHaveLength(1);
    },
  );

  test.each(OPEN)('a gateway starts on %s with ROUTER_SECRETS or without an API key', (host) => {
    expect(
      faultsOf({ HOST: host, REVOX_API_KEY: 'k', ROUTER_SECRETS: 'a-secret-of-16-chars' }),
    ).toEqual([]);
    expect(faultsOf({ HOST: host })).toEqual([]);
  });

  test.each(CLOSED)('a gateway with an API key starts on %s', (host) => {
    expect(faultsOf({ HOST: host, REVOX_API_KEY: 'k' })).toEqual([]);
  });

  test('HOST rejects a value that is not a host', () => {
    expect(faultsOf({ HOST: 'http://0.0.0.0' })).toEqual([
      'HOST must be an address or a name to listen on, for example 127.0.0.1.',
    ]);
  });
});

describe('Tables of docs/reference/configuration.md', () => {
  const page = readFileSync(
    join(import.meta.dirname, '../../docs/reference/configuration.md'),
    'utf8',
  );
  const rows = Array.from(
    page.matchAll(/^\| (`[A-Z_…`, ]+) \| .+ \| (.+?) \|$/gm),
    ([, names = '', stated = '']) => ({
      names: Array.from(names.matchAll(/`([^`]+)`/g), ([, name = '']) => name),
      stated,
    }),
  );
  const defaults: { readonly [name: string]: unknown } = variables.parse({});

  test('the configuration page lists each variable once, and no other variable', () => {
    // Node.js, undici and OpenTelemetry define what these mean.
    const ours = Object.keys(variables.shape).filter(
      (name) => name !== 'NODE_ENV' && !/^OTEL_|_proxy$/i.test(name),
    );
    const others = ['OTEL_…', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
    expect(rows.flatMap(({ names }) => names).sort()).toEqual([...ours, ...others].sort());
  });

  test('the configuration page states the defaults', () => {
    const withDefaults = rows.filter(({ names }) =>
      names.some((name) => String(defaults[name] ?? '') !== ''),
    );
    expect(
      withDefaults.map(({ names, stated }) => [
        names,
        stated.replaceAll('`', '').replace(/ \(.+\)$/, ''),
      ]),
    ).toEqual(
      withDefaults.map(({ names }) => [
        names,
        names.map((name) => String(defaults[name])).join(', '),
      ]),
    );
    // The other variables have no default, or one that depends on another setting.
    expect(withDefaults.length).toBeGreaterThan(rows.length / 2);
  });
});
