/**
 * Measures what single-flight over instances saves and costs: instances that start at the same time
 * with empty caches, over one upstream and one Redis, with and without it. `REDIS_URL=redis://…
 * node bench/instances.ts` empties that Redis, and prints a table (decision record 0043).
 *
 * Each instance is the caching client with the shared cache, without HTTP and GraphQL.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { createCachingClient } from '#cache/caching-client.ts';
import { createRedisTier } from '#cache/redis/redis-tier.ts';
import { readSettings } from '#config/settings.ts';
import { connectRedis } from '#redis/connect.ts';
import { createInstanceChannel } from '#redis/instance-channel.ts';
import { Credential } from '#rest/credential.ts';
import type { FetchedResponse, UpstreamRequest } from '#rest/upstream-request.ts';
import { createRandom } from '#sandbox/data/random.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { monotonicNow, startTimer } from '#system-clock.ts';
import { createUpstreamContext } from '../test/support/upstream-context.ts';
import { median, quantile } from './harness/median.ts';

const OPERATIONS = 200;
const LATENCY_MS = 200;
/** Operations a second of each instance. `isLive`: all of them read one live call. */
const SCENARIOS = [
  { name: '200 calls (Zipf)', instances: 10, rate: 10, isLive: false },
  { name: '200 calls (Zipf)', instances: 10, rate: 100, isLive: false },
  { name: 'one live call', instances: 10, rate: 10, isLive: true },
];
const ROUNDS = 1;
const SETTINGS = readSettings({
  REVOX_API_KEY: 'sk_bench',
  REDIS_URL: process.env.REDIS_URL ?? '',
  REDIS_TIMEOUT_MS: '1000',
});
const { redisUrl: url = '' } = SETTINGS.cache;
const CREDENTIAL = new Credential('sk_bench', 'a secret that the instances share');

const sandbox = createSandbox();
const [organization] = sandbox.organizations;
const calls = sandbox.control.data(organization?.apiKey ?? '').calls.slice(0, OPERATIONS);
const bodies = new Map(
  await Promise.all(
    calls.map(async ({ id }) => {
      const response = await sandbox.fetch(
        new Request(`http://revox.test/api/call/${id}`, {
          headers: { authorization: `Bearer ${organization?.apiKey}` },
        }),
      );
      const { call } = (await response.json()) as { call: unknown };
      return [`/call/${id}` as string, call] as const;
    }),
  ),
);
const paths = [...bodies.keys()];
const LIVE = '/call/live';
bodies.set(LIVE, { id: 'live', status: 'calling', call_attempts: [] });
const redis = await createClient({ url }).connect();

const rows: string[] = [];
for (const scenario of SCENARIOS) {
  const results = { false: [] as Result[], true: [] as Result[] };
  for (let round = 0; round < ROUNDS; round += 1)
    for (const hasFlights of [false, true])
      results[`${hasFlights}`].push(await run(scenario, hasFlights));
  for (const hasFlights of [false, true]) {
    const of = (value: (result: Result) => number) =>
      Math.round(median(results[`${hasFlights}`].map(value)));
    rows.push(
      `| ${scenario.name} | ${scenario.instances} | ${scenario.rate} | ${hasFlights ? 'single-flight' : 'without'} | ${of((result) => result.requests)} | ${of(({ ms }) => quantile(ms, 0.5))} | ${of(({ ms }) => quantile(ms, 0.99))} | ${of(({ ms }) => Math.max(...ms))} |`,
    );
  }
}
const lookups = await measureLookups();
redis.destroy();
process.stdout.write(
  `${[
    `| reads | instances | operations/s of each | single-flight | upstream requests (${OPERATIONS} operations of each) | p50, ms | p99, ms | max, ms |`,
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Processor time of a lookup: ${lookups.join('; ')}`,
  ].join('\n')}\n`,
);

interface Result {
  readonly requests: number;
  /** The duration of each operation. */
  readonly ms: readonly number[];
}

async function run(
  { instances: count, rate, isLive }: (typeof SCENARIOS)[number],
  hasFlights: boolean,
): Promise<Result> {
  await redis.flushAll();
  let requests = 0;
  const connected = Array.from({ length: count }, () => connect(hasFlights));
  const tiers = connected.map(({ tier }) => tier);
  const instances = tiers.map((tier, instance) => {
    let sequence = 0;
    async function send<T>(
      _context: unknown,
      { path, parse }: UpstreamRequest<T>,
    ): Promise<FetchedResponse<T>> {
      requests += 1;
      sequence += 1;
      const requestedAt = Date.now();
      await sleep(LATENCY_MS);
      const readVersion = { instance: String(instance), sequence, isCached: false };
      const value = parse(bodies.get(path));
      return { value, status: 200, readVersion, requestedAt, upstreamNow: Date.now() };
    }
    return createCachingClient(send, {
      ...SETTINGS.cache,
      credentialRecheckMs: Number.POSITIVE_INFINITY,
      maxRevalidations: 10,
      secondTier: tier,
      onCredentialRejected() {},
      events: { onLookup() {} },
      now: Date.now,
      monotonicNow,
      startTimer,
    });
  });
  // All connections are up before the first operation, and the credential has an epoch: the
  // instances are not the first ones that ever use it.
  const first = { value: null, status: 200, ageMs: 0, freshForMs: 60_000, isLive: false };
  await tiers[0]?.read(CREDENTIAL, 'first');
  tiers[0]?.write(CREDENTIAL, 'first', first, 60_000);
  for (const tier of tiers) while (!(await tier.read(CREDENTIAL, 'first'))) await sleep(10);
  const ms: number[] = [];
  await Promise.all(
    instances.map(async (client, instance) => {
      const random = createRandom(instance, 'operations');
      const pending: Promise<void>[] = [];
      const startedAt = performance.now();
      for (let turn = 0; turn < OPERATIONS; turn += 1) {
        await sleep(Math.max(0, startedAt + (1_000 / rate) * turn - performance.now()));
        pending.push(
          (async () => {
            const at = performance.now();
            const path = isLive ? LIVE : (paths[toZipf(random.next())] as string);
            await client.fetch(createUpstreamContext({ credential: CREDENTIAL }), {
              endpoint: '/call/{id}',
              path,
              query: '',
              parse: (body) => body,
            });
            ms.push(performance.now() - at);
          })(),
        );
      }
      await Promise.all(pending);
    }),
  );
  for (const { close } of connected) close();
  return { requests, ms };
}

/** The connections of an instance. */
function connect(hasFlights: boolean) {
  const options = {
    url,
    timeoutMs: SETTINGS.cache.redisTimeoutMs,
    now: Date.now,
    startTimer,
    onStatusChange() {},
  };
  const connection = connectRedis(options, () => {});
  const channel = createInstanceChannel({ ...options, connection });
  const flights = hasFlights && { flights: { channel, monotonicNow } };
  const tier = createRedisTier({ ...options, ...flights });
  const close = () => {
    void tier.close();
    channel.close();
    connection.close();
  };
  return { tier, close };
}

/** The processor time of a lookup, with and without a claim that no other instance contests. */
async function measureLookups(): Promise<string[]> {
  const { tier, close } = connect(true);
  const entry = { value: calls[0], status: 200, ageMs: 0, freshForMs: 600_000, isLive: false };
  while (!(await tier.read(CREDENTIAL, 'hit'))) {
    tier.write(CREDENTIAL, 'hit', entry, 600_000);
    await sleep(10);
  }
  const { signal } = new AbortController();
  let misses = 0;
  const toMiss = () => {
    misses += 1;
    return `miss ${misses}`;
  };
  async function claimAndRead(key: string, isHit: boolean): Promise<void> {
    const flight = tier.openFlight?.(CREDENTIAL, key, true);
    await flight?.read();
    if (!isHit) await flight?.waitForOther(signal, 1_000);
    flight?.end(!isHit);
  }
  const lookups: Record<string, () => Promise<unknown>> = {
    'a miss, without': () => tier.read(CREDENTIAL, toMiss()),
    'a miss, with a claim': () => claimAndRead(toMiss(), false),
    'a hit, without': () => tier.read(CREDENTIAL, 'hit'),
    'a hit, with a claim': () => claimAndRead('hit', true),
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < 10; round += 1)
    for (const [name, look] of Object.entries(lookups)) {
      const before = process.cpuUsage();
      for (let turn = 0; turn < 1_000; turn += 1) await look();
      const { user, system } = process.cpuUsage(before);
      // The first rounds are slower: the code is not compiled yet.
      if (round > 2) times[name] = [...(times[name] ?? []), (user + system) / 1_000];
    }
  close();
  return Object.entries(times).map(([name, all]) => `${name}: ${Math.round(median(all))} µs`);
}

/** The index of a call, by a Zipf distribution with exponent 1. */
function toZipf(random: number): number {
  const weights = paths.map((_, index) => 1 / (index + 1));
  let rest = random * weights.reduce((sum, weight) => sum + weight, 0);
  return Math.max(
    0,
    weights.findIndex((weight) => {
      rest -= weight;
      return rest <= 0;
    }),
  );
}
