import { describe, expect, test } from 'vitest';
import { ANN, BOB, createInstances } from './instances.ts';

const LIMIT = 20;
/** From this demand on, an instance publishes: a quarter of the limit. */
const THRESHOLD = 5;
const INTERVAL_MS = 1_000;

/** Instances over an upstream that responds when the test says so. */
function createScene(count: number) {
  const held: (() => void)[] = [];
  const instances = createInstances(
    count,
    () => new Promise((resolve) => held.push(() => resolve(Response.json({})))),
    { maxConcurrency: LIMIT },
  );
  const inFlight = (instance: number) => instances.clients[instance]?.client.state.inFlight ?? 0;
  return {
    ...instances,
    inFlight,
    allInFlight: () => instances.clients.map((_, instance) => inFlight(instance)),
    /** Starts operations of one instance. */
    start(instance: number, requests: number, credential = ANN) {
      for (let n = 0; n < requests; n += 1)
        void instances.clients[instance]?.send(`/call/${n}`, credential);
    },
    /** Responds to all requests in flight, until no more are queued or `rounds` are over. */
    async respond(rounds = 1) {
      for (let round = 0; round < rounds; round += 1) {
        for (const release of held.splice(0)) release();
        await instances.pass(0);
      }
    },
  };
}

describe('The limit of requests in flight over several instances', () => {
  test('an instance alone has the whole limit, and publishes its demand once a second while it lasts', async () => {
    const { start, inFlight, pass, redis, respond, timers } = createScene(1);
    start(0, 30);
    await pass(0);
    expect(inFlight(0)).toBe(LIMIT);
    redis.messages.splice(0);
    await pass(3 * INTERVAL_MS);
    expect(redis.messages).toHaveLength(3);
    await respond(2);
    await pass(2 * INTERVAL_MS);
    redis.messages.splice(0);
    await pass(10 * INTERVAL_MS);
    expect([redis.messages, timers.pending]).toEqual([[], 0]);
  });

  test('an instance with fewer requests than a quarter of the limit publishes nothing', async () => {
    const { start, pass, redis } = createScene(2);
    start(0, THRESHOLD - 1);
    await pass(5 * INTERVAL_MS);
    expect(redis.messages).toEqual([]);
  });

  test('busy instances share the limit, and those that become idle return their share', async () => {
    const { start, allInFlight, inFlight, pass, respond } = createScene(3);
    // A credential is known from its first request on.
    for (const instance of [0, 1, 2]) start(instance, 1);
    await pass(0);
    await respond();
    for (const instance of [0, 1, 2]) start(instance, 100);
    await pass(100);
    await respond();
    const counts = allInFlight();
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(LIMIT);
    expect(Math.min(...counts)).toBe(6);
    await respond(20);
    expect(allInFlight()).toEqual([0, 0, 0]);
    start(0, 50);
    await pass(5 * INTERVAL_MS);
    expect(inFlight(0)).toBe(LIMIT);
  });

  test('an instance with few requests gets them, and the busy one has the rest', async () => {
    const { start, allInFlight, pass, respond } = createScene(2);
    for (const instance of [0, 1]) start(instance, 1);
    await pass(0);
    await respond();
    start(0, 500);
    await pass(100);
    start(1, 2);
    await pass(100);
    await respond();
    start(1, 2);
    await pass(100);
    expect(allInFlight()).toEqual([LIMIT - 2, 2]);
  });

  test('the share of one credential does not change the limit of another one', async () => {
    const { start, clients, pass, respond } = createScene(2);
    for (const credential of [ANN, BOB]) {
      start(0, 1, credential);
      start(1, 1, credential);
    }
    await pass(0);
    await respond();
    start(0, 50, ANN);
    start(1, 50, ANN);
    await pass(100);
    await respond();
    const before = clients[0]?.client.state.inFlight ?? 0;
    start(0, 50, BOB);
    await pass(0);
    expect((clients[0]?.client.state.inFlight ?? 0) - before).toBe(LIMIT);
  });

  test('the demand of an instance that is gone counts for four intervals at most', async () => {
    const { start, inFlight, pass, respond, redis } = createScene(2);
    for (const instance of [0, 1]) start(instance, 1);
    await pass(0);
    await respond();
    start(0, 100);
    start(1, 100);
    await pass(100);
    await respond();
    expect(inFlight(0)).toBe(LIMIT / 2);
    redis.state = 'gone';
    await pass(4 * INTERVAL_MS);
    expect([inFlight(0), inFlight(1)]).toEqual([LIMIT, LIMIT]);
  });

  test('forged, changed and repeated messages do not reduce a share', async () => {
    const { start, inFlight, clients, pass, respond, redis } = createScene(2);
    for (const instance of [0, 1]) start(instance, 1);
    await pass(0);
    await respond();
    start(1, 50);
    await pass(0);
    const genuine = redis.messages.find((message) => message.startsWith('demand ')) ?? '';
    await respond(5);
    await pass(10 * INTERVAL_MS);
    const [topic, fingerprint, id, requests, sentAt, signature] = genuine.split(' ');
    for (const forged of [
      genuine,
      [topic, fingerprint, id, '20', String(Number(sentAt) + 10_000), signature].join(' '),
      [topic, fingerprint, 'forger', requests, sentAt, signature].join(' '),
      [topic, BOB.fingerprint, id, requests, sentAt, signature].join(' '),
      [topic, fingerprint, id, requests, sentAt].join(' '),
      'demand',
    ])
      redis.publish(forged, undefined);
    expect(clients[0]?.client.state.reducedShares).toBe(0);
    start(0, 50);
    await pass(0);
    expect(inFlight(0)).toBe(LIMIT);
  });
});
