import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { checkRedis } from '#doctor/services/redis.ts';
import { startTimer } from '#system-clock.ts';
import { createTestSandbox, runAsText, toTraffic } from '../doctor/doctor-scene.ts';
import { listen, listenTcp } from '../rest/real-server.ts';
import { freePort } from '../sockets/demo-process.ts';
import { createKey, toJwk } from '../support/token-issuer.ts';
import {
  ACL,
  CACHE_SECRET,
  CLOCK,
  check,
  ENCODED,
  HEALTHY,
  linesOf,
  MEMORY,
  PASSWORD,
  takeCommands,
  timers,
  WITHOUT_REDIS,
} from './redis-doctor.ts';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';
import { startSentinel } from './sentinel-server.ts';
import { type Certificate, createCertificate, hasOpenssl, startTlsRedis } from './tls-server.ts';

expectRedisServer();

test('without REDIS_URL nothing is checked', async () => {
  expect(await checkRedis(readSettings({}), CLOCK)).toEqual([]);
});

describe.skipIf(!hasRedisServer)('Redis checks of doctor', () => {
  test('a healthy Redis passes every check, and the check changes nothing in it', async () => {
    await using redis = await startRedis(MEMORY);
    await using observer = await redis.connect();
    const dirtyOf = async () =>
      /rdb_changes_since_last_save:(\d+)/.exec(
        String(await observer.send('INFO', 'persistence')),
      )?.[1];
    await observer.send('SET', 'revox:doctor:other', 'an entry of another program');
    const before = await dirtyOf();
    await takeCommands(observer);

    expect(await linesOf({ REDIS_URL: redis.url })).toEqual(HEALTHY);

    expect(await takeCommands(observer)).toMatchObject({
      ...{ ping: 6, time: 2, getrange: 1, set: 1, pexpire: 1, del: 1, publish: 1, subscribe: 1 },
      info: 1,
    });
    expect(await dirtyOf()).toBe(before);
    expect(await observer.keys()).toEqual(['revox:doctor:other']);
    await expect.poll(observer.clients).toEqual([]);
  });

  test('Redis, an issuer and a collector are checked in one report, and leave nothing in Redis', async () => {
    await using redis = await startRedis(MEMORY);
    await using observer = await redis.connect();
    const keySet = JSON.stringify({ keys: [await toJwk(await createKey('one'))] });
    await using issuer = await listen((response) => response.end(keySet));
    await using collector = await listen((response, request) => {
      request.resume();
      response.end();
    });
    const sandbox = createTestSandbox({ sandbox: { now: Date.now, startedAt: Date.now() } });
    const options = { fetch: sandbox.fetch, now: Date.now };
    const settings = {
      CACHE_SECRET,
      REDIS_URL: redis.url,
      JWT_JWKS_URL: issuer.origin,
      JWT_ISSUER: 'https://id.test/',
      JWT_AUDIENCE: 'https://calls.test',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
    };

    const { lines, exitCode } = await runAsText(options, settings);

    const checks = lines.flatMap((line) => /^\S+ +((redis|jwks|otlp)-\S+) /.exec(line)?.[1] ?? []);
    expect(checks).toEqual([
      ...['redis-connection', 'redis-version', 'redis-permissions', 'redis-role', 'redis-memory'],
      ...['redis-clock', 'jwks-connection', 'jwks-keys', 'jwks-clock', 'otlp-connection'],
    ]);
    expect(lines.filter((line) => !/^(ok|note) /.test(line)).at(-1)).toBe(
      'The gateway works with this upstream (16 requests).',
    );
    expect(exitCode).toBe(0);
    expect(toTraffic(sandbox)).toHaveLength(16);
    expect([issuer.requests.length, collector.requests.length]).toEqual([1, 1]);
    expect(await observer.keys()).toEqual([]);

    await observer.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    expect(await runAsText(options, settings)).toMatchObject({ exitCode: 2 });
  });

  test('a user with exactly the documented permissions passes, and its version is unknown', async () => {
    await using redis = await startRedis(MEMORY);
    await using observer = await redis.connect();
    await observer.send('ACL', 'SETUSER', 'gateway', 'on', `>${PASSWORD}`, ...ACL.split(' '));
    const guide = readFileSync(new URL('../../docs/guides/caching.md', import.meta.url), 'utf8');
    expect(guide).toContain(`ACL SETUSER gateway on >password ${ACL}\n`);
    const [connection, , permissions, , , clock] = HEALTHY;
    expect(
      await linesOf({ REDIS_URL: `redis://gateway:${ENCODED}@127.0.0.1:${redis.port}/3` }),
    ).toEqual([
      connection,
      'unknown redis-version: The user of REDIS_URL must not send INFO, so the version, the role and the memory of Redis are unknown. The gateway does not need INFO.',
      permissions,
      clock,
    ]);
  });

  test.each([
    ['-set -pexpire', 'the commands SET, PEXPIRE'],
    ['resetkeys', 'the keys revox:*'],
    ['-subscribe', 'the commands SUBSCRIBE'],
    ['resetchannels', 'the commands PUBLISH, SUBSCRIBE'],
    ['-getrange resetkeys ~revox', 'the commands GETRANGE and the keys revox:*'],
  ])('a user with %s gets a finding that names what is missing', async (rules, lacks) => {
    await using redis = await startRedis(MEMORY);
    await using observer = await redis.connect();
    const user = ['on', `>${PASSWORD}`, ...ACL.split(' '), ...rules.split(' ')];
    await observer.send('ACL', 'SETUSER', 'gateway', ...user);
    const lines = await linesOf({
      REDIS_URL: `redis://gateway:${ENCODED}@127.0.0.1:${redis.port}`,
    });
    expect(lines.filter((line) => !/^(ok|unknown) /.test(line))).toEqual([
      `finding redis-permissions: The user of REDIS_URL must not use ${lacks} (NOPERM). The gateway needs: ACL SETUSER <user> ${ACL}`,
    ]);
    expect(await observer.keys()).toEqual([]);
  });

  test.each(['hang', 'close'] as const)(
    'a proxy that does not support SUBSCRIBE is a finding beside the others: connections %s',
    async (behavior) => {
      await using redis = await startRedis(MEMORY);
      await using proxy = await listenTcp((client) => {
        const server = connect(redis.port, '127.0.0.1');
        client.on('close', () => server.destroy()).on('error', () => {});
        server.on('error', () => {}).pipe(client);
        client.on('data', (chunk) => {
          if (!chunk.includes('\r\nsubscribe\r\n')) server.write(chunk);
          else if (behavior === 'close') client.destroy();
        });
      });
      const lines = await linesOf({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` }, { startTimer });
      expect(lines).toEqual(
        HEALTHY.map((line) =>
          String(line).includes('redis-permissions')
            ? 'finding redis-permissions: Redis does not support SUBSCRIBE: the instances of the gateway do not notify each other. A proxy in front of Redis must pass SUBSCRIBE and PUBLISH on.'
            : line,
        ),
      );
    },
  );

  test.each([
    [
      'a wrong password',
      ':wrong-secret@',
      '',
      'Redis rejects the user name or the password of REDIS_URL (WRONGPASS).',
    ],
    [
      'an unknown user',
      'absent:wrong-secret@',
      '',
      'Redis rejects the user name or the password of REDIS_URL (WRONGPASS).',
    ],
    ['no password', '', '', 'Redis requires a password, and REDIS_URL has none (NOAUTH).'],
    [
      'a missing database',
      `:${ENCODED}@`,
      '/99',
      'Redis has no database with the number at the end of REDIS_URL (ERR).',
    ],
  ])('a connection with %s is explained', async (_name, login, database, cause) => {
    await using redis = await startRedis(['--requirepass', PASSWORD]);
    const REDIS_URL = `redis://${login}127.0.0.1:${redis.port}${database}`;
    expect(await linesOf({ REDIS_URL })).toEqual([
      `finding redis-connection: ${cause} ${WITHOUT_REDIS}`,
    ]);
  });

  test('a password for a Redis without one is explained', async () => {
    await using redis = await startRedis();
    expect(await linesOf({ REDIS_URL: `redis://:${ENCODED}@127.0.0.1:${redis.port}` })).toEqual([
      `finding redis-connection: Redis has no password for the default user, and REDIS_URL has one (ERR). ${WITHOUT_REDIS}`,
    ]);
  });

  test('a read-only replica is explained', async () => {
    await using master = await startRedis([...MEMORY, '--repl-diskless-sync-delay', '0']);
    await using replica = await startRedis([...MEMORY, '--replicaof', `127.0.0.1 ${master.port}`]);
    await using observer = await replica.connect();
    await vi.waitUntil(
      async () => String(await observer.send('INFO', 'replication')).includes('link_status:up'),
      { timeout: 30_000, interval: 50 },
    );
    const lines = await linesOf({ REDIS_URL: replica.url });
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([
      'finding redis-permissions: Redis is a read-only replica (READONLY): the gateway reads from it, and stores new responses in its own memory only. REDIS_URL must name the master, or REDIS_SENTINELS the Sentinels that know the master.',
      'finding redis-role: Redis is a replica; its connection to the master is up.',
    ]);
  });

  test.each([
    [
      ['--maxmemory', '64mb', '--maxmemory-policy', 'noeviction'],
      [
        'finding redis-memory: The maxmemory-policy of Redis is noeviction: a full Redis rejects writes. Set maxmemory-policy to allkeys-lru or volatile-lru.',
      ],
    ],
    [
      ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'],
      [
        'finding redis-permissions: Redis is full and rejects writes (OOM): set maxmemory-policy to allkeys-lru, or raise maxmemory. The gateway stores new responses in its own memory only.',
        'finding redis-memory: The maxmemory-policy of Redis is noeviction: a full Redis rejects writes. Set maxmemory-policy to allkeys-lru or volatile-lru.',
      ],
    ],
    [
      [],
      [
        'note redis-memory: Redis has no maxmemory: entries expire by themselves, but many callers can fill the memory of its machine. Set maxmemory, and maxmemory-policy to allkeys-lru.',
      ],
    ],
  ])('a Redis with %j gets its findings', async (flags, findings) => {
    await using redis = await startRedis(flags);
    const lines = await linesOf({ REDIS_URL: redis.url });
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual(findings);
  });

  test('a clock that differs, a slow Redis and an absent CACHE_SECRET are reported', async () => {
    await using redis = await startRedis(MEMORY);
    let now = 0;
    const findings = await check(
      { REDIS_URL: redis.url, CACHE_SECRET: '' },
      {
        now: () => Date.now() + 90_000,
        monotonicNow: () => {
          now += 60;
          return now;
        },
      },
    );
    expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([
      {
        check: 'redis-connection',
        verdict: 'finding',
        message:
          'Redis responds within 60 ms (p50 of 5), and a lookup waits for REDIS_TIMEOUT_MS (50 ms) at most: it then goes to the upstream. Use a Redis that is closer, or raise REDIS_TIMEOUT_MS.',
        settings: { REDIS_TIMEOUT_MS: '120' },
        details: { latencyMs: 60 },
      },
      {
        check: 'redis-clock',
        verdict: 'note',
        message:
          'The clock of Redis is 90 s behind the clock of this machine. The ages of cached responses allow for that, but one of the two clocks is wrong.',
        details: { differenceMs: expect.closeTo(-90_000, -4) },
      },
      {
        check: 'redis-cache-secret',
        verdict: 'finding',
        message:
          'CACHE_SECRET is not set: a reader of the Redis can test guessed API keys. Set the same CACHE_SECRET for all instances, for example the output of `openssl rand -hex 32`.',
      },
    ]);
  });

  test('a Redis that does not respond is given up after five seconds', async () => {
    await using redis = await startRedis();
    redis.pause();
    const pending = linesOf({ REDIS_URL: redis.url });
    await expect.poll(() => timers.running).not.toEqual([]);
    timers.elapse(5_000);
    expect(await pending).toEqual([
      `finding redis-connection: 127.0.0.1:${redis.port} sends no complete response within 5 s. The server is slow, overloaded, or not reachable through its load balancer. ${WITHOUT_REDIS}`,
    ]);
    redis.resume();
  });

  test('a Redis that is loading its data is reported', async () => {
    await using loading = await listenTcp((socket) =>
      socket.on('data', (data) => {
        const commands = String(data).match(/^\*\d+\r$/gm) ?? [];
        socket.write('-LOADING Redis is loading the dataset in memory\r\n'.repeat(commands.length));
      }),
    );
    const lines = await linesOf({ REDIS_URL: `redis://127.0.0.1:${loading.port}` });
    expect(lines).toEqual([
      `finding redis-connection: Redis is loading its data (LOADING): run the check again in a moment. ${WITHOUT_REDIS}`,
    ]);
  });

  test('an address without a Redis is explained', async () => {
    const port = await freePort();
    expect(await linesOf({ REDIS_URL: `redis://:${ENCODED}@127.0.0.1:${port}` })).toEqual([
      `finding redis-connection: 127.0.0.1:${port} refuses connections (ECONNREFUSED). Check the host and the port of REDIS_URL, and whether the server runs. ${WITHOUT_REDIS}`,
    ]);
    expect(await linesOf({ REDIS_URL: `redis://:${ENCODED}@redis.invalid` })).toEqual([
      expect.stringMatching(
        /^finding redis-connection: The name redis\.invalid (does not exist \(ENOTFOUND\)|cannot be resolved \(EAI_AGAIN\))\. Check .*the host of REDIS_URL/,
      ),
      'finding redis-tls: REDIS_URL begins with redis://: the connection is not encrypted, and the password is readable on the network. Use rediss:// unless the network is trusted.',
    ]);
  });

  test('the master is found through a Sentinel, and a Sentinel without the name is explained', async () => {
    await using redis = await startRedis(MEMORY);
    const sentinel = await startSentinel(redis.port);
    const settings = { REDIS_SENTINELS: `redis://127.0.0.1:1,${sentinel}` };
    expect((await linesOf({ ...settings, REDIS_URL: 'redis://mymaster' })).slice(0, 6)).toEqual(
      HEALTHY,
    );
    expect((await linesOf({ ...settings, REDIS_URL: `redis://:${ENCODED}@another` }))[0]).toBe(
      `finding redis-connection: No Sentinel of REDIS_SENTINELS is reachable and knows a master named another: check the addresses, and the name in REDIS_URL. ${WITHOUT_REDIS}`,
    );
  });

  describe.skipIf(!hasOpenssl)('behind TLS', () => {
    let folder: string;
    let own: Certificate;
    let other: Certificate;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'redis-doctor-'));
      own = createCertificate(folder, 'own', '127.0.0.1');
      other = createCertificate(folder, 'other', '192.0.2.1');
    });
    afterAll(() => rm(folder, { recursive: true }));

    test('each certificate gets its own sentence', async () => {
      await using redis = await startTlsRedis(own);
      const REDIS_URL = `rediss://127.0.0.1:${redis.port}`;
      const verified =
        'ok redis-tls: The connection is encrypted, and the certificate is verified.';
      expect(await linesOf({ REDIS_URL })).toEqual([
        `finding redis-connection: The certificate of 127.0.0.1:${redis.port} is self-signed, or signed by an authority of its own (DEPTH_ZERO_SELF_SIGNED_CERT). If you trust the server, set REDIS_TLS_CA_FILE to a file with the certificate of its authority. ${WITHOUT_REDIS}`,
      ]);
      expect(await linesOf({ REDIS_URL, REDIS_TLS_CA_FILE: own.certificate })).toEqual(
        expect.arrayContaining([HEALTHY[0], verified]),
      );
      expect(await linesOf({ REDIS_URL, REDIS_TLS_VERIFY: 'off' })).toEqual(
        expect.arrayContaining([
          HEALTHY[0],
          'finding redis-tls: REDIS_TLS_VERIFY is off: the connection is encrypted, but any server can pretend to be the Redis. Set REDIS_TLS_CA_FILE to the certificate of its authority instead, if there is one.',
        ]),
      );
      const path = join(folder, 'absent.pem');
      expect(await linesOf({ REDIS_URL, REDIS_TLS_CA_FILE: path })).toEqual([
        `failure redis-tls: REDIS_TLS_CA_FILE: ${path} does not exist.`,
      ]);
      expect((await linesOf({ REDIS_URL: REDIS_URL.replace('rediss:', 'redis:') }))[0]).toMatch(
        /^finding redis-connection: 127\.0\.0\.1:\d+ closes connections before the response is complete \(\w+\)\. The server or a proxy in front of it fails, or it expects TLS: then the URL must begin with rediss:\/\/\. /,
      );
    });

    test('a certificate for another name, and a server without TLS, are explained', async () => {
      await using redis = await startTlsRedis(other);
      await using plain = await startRedis();
      const settings = { REDIS_TLS_CA_FILE: other.certificate };
      expect(
        (await linesOf({ ...settings, REDIS_URL: `rediss://127.0.0.1:${redis.port}` }))[0],
      ).toBe(
        `finding redis-connection: The certificate of 127.0.0.1:${redis.port} is for 192.0.2.1 (ERR_TLS_CERT_ALTNAME_INVALID). REDIS_URL must contain a name of the certificate. ${WITHOUT_REDIS}`,
      );
      expect((await linesOf({ REDIS_URL: `rediss://127.0.0.1:${plain.port}` }))[0]).toMatch(
        /^finding redis-connection: No connection to 127\.0\.0\.1:\d+ could be made within 2 s\. Check the host and the port of REDIS_URL, whether the server speaks TLS, and whether a firewall drops the packets\. /,
      );
    });
  });
});
