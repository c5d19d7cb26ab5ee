import { describe, expect, test } from 'vitest';
import { readSettings, type Settings, SettingsError } from '#config/settings.ts';
import { variables } from '#config/variables.ts';
import { faultsOf, MEBIBYTE, WHOLE_NUMBERS, WORDS } from './settings-table.ts';

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
      live: {
        isEnabled: true,
        maxSubscriptions: 1_000,
        maxSubscriptionsPerCaller: 200,
        maxSubscriptionsPerConnection: 100,
        maxObjects: 2_000,
        maxObjectsPerCredential: 1_000,
        maxCost: 5_000,
        maxUpstreamRequests: 10,
        pace: {
          callMs: 2_000,
          waitingCallMs: 10_000,
          scheduledCallMs: 60_000,
          campaignMs: 15_000,
          feedMs: 5_000,
        },
        rate: 10,
        totalRate: 100,
        keepAliveMs: 10_000,
        lifetimeMs: 3_600_000,
        repeatMs: 30_000,
        giveUpMs: 600_000,
        callbackUrls: [],
        webhookSecrets: [],
      },
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
    const names = Object.keys(variables.shape);
    expect(names.length).toBeGreaterThan(60);
    for (const empty of ['', '  ', '\t\n']) {
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

  test('no message contains the value of any variable', () => {
    for (const value of ['(a b) \\', '-1', 'https://user:password@host.test/?#', 'é,']) {
      const environment = Object.fromEntries(
        Object.keys(variables.shape).map((name) => [name, value]),
      );
      const problems = faultsOf(environment);
      expect(problems.length).toBeGreaterThan(40);
      expect(problems.filter((problem) => problem.includes(value))).toEqual([]);
    }
  });

  test('a problem between several settings is reported together with the problems of single settings', () => {
    expect(
      faultsOf({ PORT: 'x', HOST: '0.0.0.0', REVOX_API_KEY: 'k' }).map(
        (fault) => fault.split(' ')[0],
      ),
    ).toEqual(['PORT', 'HOST']);
  });
});
