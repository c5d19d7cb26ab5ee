import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import type { EventStream } from '../support/event-stream.ts';
import { putCallState } from '../support/live-gateway.ts';
import { createRedisGateway, type RedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, type RedisServer, startRedis } from './redis-server.ts';
import { unavailableMessage } from './tier-instance.ts';

expectRedisServer();

const ID = 'followed';
const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 1_000;
const SUBSCRIPTION = {
  query: `subscription { callUpdated(id: "${ID}") { status toPhoneNumber } }`,
};
const QUERY = { query: `{ call(id: "${ID}") { status toPhoneNumber } }` };
const OTHER_QUERY = { query: '{ assistants(first: 1) { nodes { id } } }' };

describe.skipIf(!hasRedisServer)('Subscriptions during outages of Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());

  test('the subscribers of two gateways get every state once while Redis is killed, restarted, paused and resumed', async () => {
    const sandbox = createSandbox();
    const settings = {
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: String(TIMEOUT_MS),
      LIVE_CALL_MS: String(INTERVAL_MS),
      // A poll reads no state of the other gateway that is older than half an interval.
      FRESHNESS_LIVE_CALL_MS: String(INTERVAL_MS / 2),
    };
    await using one = createRedisGateway(sandbox, settings);
    await using other = createRedisGateway(sandbox, settings);
    const gateways = [one, other];
    const states: object[] = [];
    const put = (status: 'calling' | 'completed') => {
      const toPhoneNumber = `+3361234567${states.length}`;
      putCallState(sandbox, {
        id: ID,
        status,
        to_phone_number: toPhoneNumber,
      });
      states.push({ status: status.toUpperCase(), toPhoneNumber });
    };

    put('calling');
    const startedAt = performance.now();
    const streams = await Promise.all(gateways.map((gateway) => gateway.subscribe(SUBSCRIPTION)));
    await expectEvents(streams, states);
    const steps: readonly { readonly act: () => unknown; readonly problems: number }[] = [
      { act: () => {}, problems: 0 },
      { act: () => redis.kill(), problems: 1 },
      { act: () => redis.restart(), problems: 2 },
      { act: () => redis.pause(), problems: 3 },
      // The second outage ends after ten seconds without a failure.
      { act: () => redis.resume(), problems: 3 },
    ];
    for (const { act, problems } of steps) {
      await act();
      put('calling');
      await expectEvents(streams, states);
      await expectQueries(gateways, states.at(-1));
      for (const gateway of gateways)
        await expect.poll(() => gateway.problems.length).toBeGreaterThanOrEqual(problems);
    }
    put('completed');
    await expectEvents(streams, states);
    await expect.poll(() => streams.map((stream) => stream.isEnded())).toEqual([true, true]);

    for (const stream of streams) {
      expect(stream.isComplete()).toBe(true);
      expect(stream.error()).toBeUndefined();
      expect(stream.events.filter(({ errors, extensions }) => errors ?? extensions)).toEqual([]);
    }
    for (const gateway of gateways)
      expect(gateway.problems.slice(0, 3)).toEqual([
        expect.stringContaining('Redis is unavailable'),
        expect.stringContaining('Redis is available again'),
        unavailableMessage(`no reply within REDIS_TIMEOUT_MS (${TIMEOUT_MS} ms)`),
      ]);
    const intervals = (performance.now() - startedAt) / INTERVAL_MS;
    let requests = 0;
    for (const gateway of gateways) {
      const traffic = gateway.traffic();
      const polls = traffic.filter((line) => line === `GET /call/${ID}`);
      // The first poll, one in each interval with its jitter, and those of the queries.
      expect(polls.length).toBeLessThanOrEqual(2 + intervals / 0.9 + steps.length);
      expect(traffic.filter((line) => line.startsWith('GET /call/'))).toEqual(polls);
      requests += polls.length;
    }
    expect(requests).toBeGreaterThanOrEqual(states.length);
  });
});

/** Waits until every stream has sent these states, and nothing else. */
async function expectEvents(streams: readonly EventStream[], states: readonly object[]) {
  for (const { events } of streams)
    await expect.poll(() => events.length, { interval: 20 }).toBeGreaterThanOrEqual(states.length);
  for (const { events } of streams)
    expect(events.map(({ data }) => data.callUpdated)).toEqual(states);
}

async function expectQueries(gateways: readonly RedisGateway[], state: unknown) {
  for (const gateway of gateways) {
    const { data, errors } = await gateway.execute(QUERY);
    expect(errors).toBeUndefined();
    expect(data.call).toEqual(state);
    expect((await gateway.execute(OTHER_QUERY)).errors).toBeUndefined();
  }
}
