import { describe, expect, test } from 'vitest';
import { type Environment, readSettings, SettingsError } from '#config/settings.ts';
import { createGateway } from '#gateway.ts';
import { faultsOf } from './settings-table.ts';

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
      for (const [word, value] of [
        ['on', true],
        ['off', false],
      ] as const) {
        const others = { graphiql: expected, introspection: expected, upstreamTrace: expected };
        expect(readSettings({ NODE_ENV, GRAPHIQL: word })).toMatchObject({
          ...others,
          graphiql: value,
        });
        expect(readSettings({ NODE_ENV, INTROSPECTION: word })).toMatchObject({
          ...others,
          introspection: value,
        });
        expect(readSettings({ NODE_ENV, UPSTREAM_TRACE: word })).toMatchObject({
          ...others,
          upstreamTrace: value,
        });
      }
    },
  );
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
    for (const word of ['true', 'True', ' TRUE '])
      expect(readSettings({ ...asked, OTEL_SDK_DISABLED: word }).tracing.isEnabled).toBe(false);
    for (const word of ['false', '1', 'yes'])
      expect(readSettings({ ...asked, OTEL_SDK_DISABLED: word }).tracing.isEnabled).toBe(true);
    for (const word of ['none', ' none '])
      expect(readSettings({ ...asked, OTEL_TRACES_EXPORTER: word }).tracing.isEnabled).toBe(false);
    expect(readSettings({ ...asked, OTEL_TRACES_EXPORTER: 'nonesuch' }).tracing.isEnabled).toBe(
      true,
    );
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

  test.each(['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_SCOPE'])(
    '%s alone requires the others',
    (name) => {
      const given = { [name]: name === 'JWT_JWKS_URL' ? SET.JWT_JWKS_URL : 'x' };
      const required = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE', 'REVOX_API_KEY'];
      expect(faultsOf(given).map((problem) => problem.split(' ')[0])).toEqual(
        required.filter((other) => other !== name),
      );
      expect(faultsOf({ ...SET, ...given })).toEqual([]);
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
    'https://user@id.test/',
    'https://:pass@id.test/',
    'http://127.0.0.2/keys',
    'http://[::2]/keys',
    'http://localhost.test/keys',
    'ftp://localhost/keys',
    'https://id.test/#keys',
  ])('JWT_JWKS_URL rejects %s', (url) => {
    expect(faultsOf({ ...SET, JWT_JWKS_URL: url })).toEqual([
      'JWT_JWKS_URL must be an https URL (http only for this machine) without user or fragment.',
    ]);
  });
});

test('SUBSCRIPTION_CALLBACK_URLS requires ROUTER_SECRETS', () => {
  const url = { SUBSCRIPTION_CALLBACK_URLS: 'https://router.example.com/callback' };
  expect(faultsOf(url)).toEqual([
    'ROUTER_SECRETS must be set: only a router with a secret may have events sent to a callback URL.',
  ]);
  expect(faultsOf({ ...url, ROUTER_SECRETS: 'secret' })).toEqual([]);
});

test('WEBHOOK_SECRETS requires subscriptions', () => {
  const webhooks = { WEBHOOK_SECRETS: 'webhook-secret-0123456789-abcdef' };
  expect(faultsOf({ ...webhooks, SUBSCRIPTIONS: 'off' })).toEqual([
    'SUBSCRIPTIONS must be on: a webhook only makes the polls of subscriptions due, and there are none.',
  ]);
  expect(faultsOf(webhooks)).toEqual([]);
});

describe('MAX_SUBSCRIPTIONS', () => {
  const maxOf = (environment: Record<string, string>) =>
    readSettings(environment).live.maxSubscriptions;

  test('the default of MAX_SUBSCRIPTIONS is 1000, or half of fewer connections', () => {
    expect([
      maxOf({}),
      maxOf({ MAX_CONNECTIONS: '300' }),
      maxOf({ MAX_CONNECTIONS: '9000' }),
    ]).toEqual([1_000, 150, 1_000]);
  });

  test('MAX_SUBSCRIPTIONS leaves a quarter of the connections to queries', () => {
    const problem =
      'MAX_SUBSCRIPTIONS must be at most three quarters of MAX_CONNECTIONS, so that connections are left for queries.';
    expect(maxOf({ MAX_SUBSCRIPTIONS: '1500' })).toBe(1_500);
    expect(faultsOf({ MAX_SUBSCRIPTIONS: '1501' })).toEqual([problem]);
    expect(faultsOf({ MAX_SUBSCRIPTIONS: '80', MAX_CONNECTIONS: '100' })).toEqual([problem]);
    expect(maxOf({ MAX_SUBSCRIPTIONS: '75', MAX_CONNECTIONS: '100' })).toBe(75);
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
