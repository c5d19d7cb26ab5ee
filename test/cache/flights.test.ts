import { describe, expect, test } from 'vitest';
import { createCachingClient } from '#cache/caching-client.ts';
import { createFlights, MAX_WAIT_MS } from '#cache/redis/flights.ts';
import type { CacheOwner, SecondTier, SecondTierEntry } from '#cache/second-tier.ts';
import { UpstreamUnavailableError } from '#errors/upstream-error.ts';
import type { MessageHandler } from '#redis/instance-channel.ts';
import { Credential } from '#rest/credential.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { FetchOptions, SendHooks, UpstreamRequest } from '#rest/upstream-request.ts';
import { idle } from '../rest/client-scene.ts';
import { createUpstreamContext } from '../support/upstream-context.ts';

const SECRET = 'a secret that the instances share';
const ANN = new Credential('sk_live_ann', SECRET);
const BOB = new Credential('sk_live_bob', SECRET);
const LATENCY_MS = 200;
const FRESHNESS = {
  endedCallMs: 60_000,
  justEndedCallMs: 60_000,
  settlingCallMs: 60_000,
  liveCallMs: 0,
  assistantMs: 60_000,
  campaignMs: 60_000,
  runningCampaignMs: 60_000,
  pageMs: 0,
  notFoundMs: 60_000,
  whileRevalidatingMs: 0,
};

const assistant = (id: string): UpstreamRequest<unknown> => ({
  endpoint: '/assistants/{id}',
  path: `/assistants/${id}`,
  query: '',
  parse: (body) => body,
});
const LIVE_CALL: UpstreamRequest<unknown> = {
  ...assistant('live'),
  endpoint: '/call/{id}',
  path: '/call/live',
};
const PAGE: UpstreamRequest<unknown> = {
  ...assistant('page'),
  endpoint: '/call',
  path: '/call',
  parse: () => ({ items: [] }),
};

describe('Single-flight over instances', () => {
  test('ten cold instances send one request, and all of them get its response when it is there', async () => {
    const scene = createScene(10);
    const loads = scene.loadAll(assistant('a'));
    await scene.pass(LATENCY_MS - 1);
    expect(scene.newRequests()).toEqual(['0 /assistants/a']);
    expect(loads.filter(({ endedAt }) => endedAt !== undefined)).toEqual([]);
    await scene.pass(1);
    for (const { value, endedAt } of loads)
      expect({ value, endedAt }).toEqual({ value: '/assistants/a by ann', endedAt: LATENCY_MS });
    expect(scene.newRequests()).toEqual([]);
    expect(scene.claims()).toEqual([]);
  });

  test('a hit and an uncontended request leave no claim, and send no message', async () => {
    const scene = createScene(2);
    scene.load(0, assistant('a'));
    await scene.pass(LATENCY_MS);
    scene.load(1, assistant('a'));
    await scene.pass(0);
    expect(scene.newRequests()).toEqual(['0 /assistants/a']);
    expect(scene.claims()).toEqual([]);
    expect(scene.messages).toEqual([]);
  });

  test('when the request fails, the others send theirs at once', async () => {
    const scene = createScene(3);
    scene.failures.add(0);
    const loads = scene.loadAll(assistant('a'));
    await scene.pass(LATENCY_MS);
    expect(scene.newRequests()).toEqual(['0 /assistants/a', '1 /assistants/a', '2 /assistants/a']);
    await scene.pass(LATENCY_MS);
    expect(loads.map(({ value }) => value)).toEqual([
      'failed',
      '/assistants/a by ann',
      '/assistants/a by ann',
    ]);
  });

  test('when the operation that requests is cancelled, is retried, or waits for bytes, the others send their requests at once', async () => {
    for (const end of [
      (_hooks: SendHooks | undefined, cancel: () => void) => cancel(),
      (hooks: SendHooks | undefined) => hooks?.onRetry(),
      (hooks: SendHooks | undefined) => hooks?.onBudgetWait(true),
    ]) {
      const scene = createScene(2);
      scene.hung.add(0);
      const controller = new AbortController();
      scene.load(0, assistant('a'), { signal: controller.signal });
      const other = scene.load(1, assistant('a'));
      await scene.pass(10);
      expect(scene.newRequests()).toEqual(['0 /assistants/a']);
      end(scene.hooks[0], () => controller.abort());
      await scene.pass(LATENCY_MS);
      expect(scene.newRequests()).toEqual(['1 /assistants/a']);
      expect(other).toMatchObject({ value: '/assistants/a by ann', endedAt: 10 + LATENCY_MS });
    }
  });

  test.each([
    ['of an operation without a deadline', Number.POSITIVE_INFINITY, MAX_WAIT_MS],
    ['of an operation with a deadline', 2_000, 500],
  ])(
    'the wait %s for an instance that hangs or has died is bounded',
    async (_of, deadline, waitMs) => {
      const scene = createScene(3);
      scene.hung.add(0);
      const loads = scene.loadAll(assistant('a'), { deadlineAt: () => scene.startedAt + deadline });
      await scene.pass(waitMs - 1);
      expect(scene.newRequests()).toEqual(['0 /assistants/a']);
      await scene.pass(1);
      expect(scene.newRequests()).toEqual(['1 /assistants/a', '2 /assistants/a']);
      await scene.pass(LATENCY_MS);
      expect(loads[2]).toMatchObject({
        value: '/assistants/a by ann',
        endedAt: waitMs + LATENCY_MS,
      });
      // After that, a request for the same response need not wait.
      expect(scene.claims().length).toBeLessThanOrEqual(1);
    },
  );

  test('the wait is twice as long as requests of this instance usually take, and there is none for a slow upstream', async () => {
    const scene = createScene(2);
    scene.load(1, assistant('first'));
    await scene.pass(LATENCY_MS);
    scene.hung.add(0);
    scene.loadAll(assistant('a'));
    scene.newRequests();
    await scene.pass(2 * LATENCY_MS - 1);
    expect(scene.newRequests()).toEqual(['0 /assistants/a']);
    await scene.pass(1);
    expect(scene.newRequests()).toEqual(['1 /assistants/a']);

    scene.latency.ms = 8 * MAX_WAIT_MS;
    scene.load(1, assistant('slow'));
    await scene.pass(scene.latency.ms);
    scene.newRequests();
    scene.loadAll(assistant('b'));
    await scene.pass(0);
    expect(scene.newRequests().sort()).toEqual(['0 /assistants/b', '1 /assistants/b']);
  });

  test('without messages, the others look for the response after half of the wait', async () => {
    const scene = createScene(3);
    scene.redis.state = 'silent';
    const loads = scene.loadAll(assistant('a'));
    await scene.pass(MAX_WAIT_MS / 2);
    expect(scene.newRequests()).toEqual(['0 /assistants/a']);
    expect(loads.map(({ endedAt }) => endedAt)).toEqual([LATENCY_MS, 500, 500]);
  });

  test('while Redis is gone no request waits, and a wait in progress ends with its next look', async () => {
    const scene = createScene(3);
    scene.redis.state = 'gone';
    scene.loadAll(assistant('a'));
    await scene.pass(0);
    expect(scene.newRequests()).toHaveLength(3);
    await scene.pass(LATENCY_MS);

    scene.redis.state = 'up';
    scene.hung.add(0);
    scene.load(0, assistant('b'));
    const load = scene.load(1, assistant('b'));
    await scene.pass(100);
    expect(scene.newRequests()).toEqual(['0 /assistants/b']);
    scene.redis.state = 'gone';
    await scene.pass(MAX_WAIT_MS);
    expect(scene.newRequests()).toEqual(['1 /assistants/b']);
    // The load began after a latency, and waited for half of two latencies.
    expect(load.endedAt).toBe(3 * LATENCY_MS);
    expect(load.value).toBe('/assistants/b by ann');
  });

  test('a reply of Redis that never comes delays no request further than the lookup itself', async () => {
    const scene = createScene(2);
    scene.redis.state = 'slow';
    scene.loadAll(assistant('a'));
    await scene.pass(scene.lookupTimeoutMs);
    expect(scene.newRequests()).toHaveLength(2);
  });

  test('credentials never share a request, and one that is not accepted yet does not wait', async () => {
    const scene = createScene(2);
    scene.load(0, assistant('a'));
    scene.load(1, assistant('a'), { credential: BOB });
    await scene.pass(LATENCY_MS);
    expect(scene.newRequests()).toEqual(['0 /assistants/a', '1 /assistants/a']);

    const callers = createScene(3, { credentialRecheckMs: 60_000 });
    callers.loadAll(assistant('a'));
    await callers.pass(0);
    expect(callers.newRequests()).toHaveLength(3);
    expect(callers.claims()).toEqual([]);
    await callers.pass(LATENCY_MS);
    callers.loadAll(assistant('b'));
    await callers.pass(LATENCY_MS);
    expect(callers.newRequests()).toEqual(['0 /assistants/b']);
  });

  test('no instance waits for a response that is never fresh, or that was not shared', async () => {
    const scene = createScene(2);
    scene.loadAll(PAGE);
    await scene.pass(0);
    expect(scene.newRequests()).toEqual(['0 /call', '1 /call']);
    // Whether a call is live is known by its response.
    scene.loadAll(LIVE_CALL);
    await scene.pass(LATENCY_MS);
    expect(scene.newRequests()).toEqual(['0 /call/live', '1 /call/live']);
    await scene.pass(LATENCY_MS);
    scene.loadAll(LIVE_CALL);
    await scene.pass(0);
    expect(scene.newRequests()).toEqual(['0 /call/live', '1 /call/live']);
  });

  test('a request that needs a newer response than another instance may have neither claims, waits, nor joins a wait', async () => {
    const scene = createScene(2);
    scene.hung.add(0);
    scene.load(0, assistant('a'));
    scene.load(1, assistant('b'));
    await scene.pass(LATENCY_MS);
    scene.load(1, assistant('a'));
    await scene.pass(0);
    scene.newRequests();
    for (const instance of ['1', 'another'])
      scene.load(1, assistant('a'), {}, { newerThan: { instance, sequence: 1, isCached: false } });
    await scene.pass(0);
    expect(scene.newRequests()).toEqual(['1 /assistants/a', '1 /assistants/a']);
  });

  test('a caller does not wait for the queued request of another caller of the same instance', async () => {
    const scene = createScene(1);
    scene.queued.add(0);
    scene.hung.add(0);
    scene.load(0, assistant('a'), { caller: 'one' });
    await scene.pass(0);
    expect(scene.newRequests()).toEqual(['0 /assistants/a']);
    scene.load(0, assistant('a'), { caller: 'another' });
    await scene.pass(0);
    expect(scene.newRequests()).toEqual(['0 /assistants/a']);
    expect(scene.claims()).toHaveLength(1);
  });

  test('a cancelled operation stops waiting at once, without a request or a timer', async () => {
    const scene = createScene(2);
    scene.hung.add(0);
    scene.load(0, assistant('a'));
    const controller = new AbortController();
    const load = scene.load(1, assistant('a'), { signal: controller.signal });
    await scene.pass(10);
    controller.abort();
    await scene.pass(MAX_WAIT_MS);
    expect(load).toMatchObject({ value: 'failed', endedAt: 10 });
    expect(scene.newRequests()).toEqual(['0 /assistants/a']);
    expect(scene.timers.size).toBe(0);
  });

  test('a forged message costs one lookup and a request, and a forged claim delays a request by the wait', async () => {
    const scene = createScene(2);
    scene.hung.add(0);
    scene.load(0, assistant('a'));
    scene.load(1, assistant('a'));
    await scene.pass(10);
    expect(scene.newRequests()).toEqual(['0 /assistants/a']);
    const [claim = ''] = scene.claims();
    for (let count = 0; count < 5; count += 1)
      scene.publish('flight-ended', claim.replace('revox:flight:', ''), undefined);
    await scene.pass(LATENCY_MS);
    expect(scene.newRequests()).toEqual(['1 /assistants/a']);

    scene.redis.forgedClaims = true;
    const load = scene.load(1, assistant('b'));
    await scene.pass(MAX_WAIT_MS + LATENCY_MS);
    expect(scene.newRequests()).toEqual(['1 /assistants/b']);
    expect(load.endedAt).toBeLessThanOrEqual(10 + MAX_WAIT_MS + 2 * LATENCY_MS);
  });
});

interface Load {
  /** The value of the response, or `failed`. */
  value: unknown;
  /** Since the start of the scene, in ms. */
  endedAt: number | undefined;
}

/**
 * The caching clients of several instances, over one upstream and a Redis in memory. The test owns
 * the only clock; messages arrive at once.
 */
function createScene(count: number, { credentialRecheckMs = Number.POSITIVE_INFINITY } = {}) {
  const startedAt = 1_000_000;
  const clock = { now: startedAt };
  const timers = new Set<{ readonly at: number; readonly onTime: () => void }>();
  const startTimer = (ms: number, onTime: () => void) => {
    const timer = { at: clock.now + ms, onTime };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const lookupTimeoutMs = 50;
  const redis = { state: 'up' as 'up' | 'silent' | 'slow' | 'gone', forgedClaims: false };
  const entries = new Map<string, SecondTierEntry & { readonly since: number }>();
  const claimed = new Map<string, number>();
  const messages: string[] = [];
  const handlers: Map<string, MessageHandler>[] = [];
  const sent: string[] = [];
  const failures = new Set<number>();
  const hung = new Set<number>();
  /** The instances whose requests stay in their queues. */
  const queued = new Set<number>();
  const latency = { ms: LATENCY_MS };
  const hooks: (SendHooks | undefined)[] = [];
  const publish = (topic: string, body: string, from: number | undefined) => {
    messages.push(`${topic} ${body}`);
    if (redis.state !== 'up') return;
    for (const [instance, topics] of handlers.entries())
      if (instance !== from) topics.get(topic)?.(body);
  };

  const clients = Array.from({ length: count }, (_, instance) => {
    const topics = new Map<string, MessageHandler>();
    handlers.push(topics);
    const flights = createFlights({
      connection: {
        isUp: () => redis.state !== 'gone',
        async send(_tag, ...commands) {
          if (redis.state === 'slow') return new Promise(() => {});
          if (redis.state === 'gone') return undefined;
          return commands.map(([name, key, ...rest]) => {
            if (name === 'DEL') return Number(claimed.delete(String(key)));
            if (redis.forgedClaims || (claimed.get(String(key)) ?? 0) > clock.now) return null;
            claimed.set(String(key), clock.now + Number(rest.at(-1)));
            return 'OK';
          });
        },
      },
      channel: {
        publish: (_tag, topic, body) => publish(topic, body, instance),
        onMessage: (topic, handler) => topics.set(topic, handler),
      },
      settled: async () => {},
      monotonicNow: () => clock.now,
      startTimer,
    });
    const toEntryKey = (owner: CacheOwner, key: string) => `revox:{${owner.fingerprint}}:${key}`;
    const read: SecondTier['read'] = async (owner, key) => {
      if (redis.state === 'slow')
        return new Promise((resolve) => startTimer(lookupTimeoutMs, () => resolve(undefined)));
      const entry = redis.state === 'gone' ? undefined : entries.get(toEntryKey(owner, key));
      return entry && { ...entry, ageMs: entry.ageMs + clock.now - entry.since };
    };
    const secondTier: SecondTier = {
      read,
      openFlight(owner, key, isAccepted) {
        const flight = flights.open(owner.fingerprint, toEntryKey(owner, key));
        return {
          ...flight,
          async read() {
            if (isAccepted) flight.claim();
            const entry = await read(owner, key);
            if (redis.state !== 'slow') await flight.isClaimed();
            return entry;
          },
        };
      },
      write: (owner, key, entry) =>
        void entries.set(toEntryKey(owner, key), { ...entry, since: clock.now }),
      revoke() {},
      close: async () => {},
    };
    let sequence = 0;
    return createCachingClient(
      async ({ credential, signal }, { path, parse }, sending) => {
        sequence += 1;
        const readVersion = { instance: String(instance), sequence, isCached: false };
        const requestedAt = clock.now;
        sent.push(`${instance} ${path}`);
        hooks[instance] = sending;
        if (!queued.has(instance)) sending?.onSent(requestedAt);
        await new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          if (!hung.has(instance)) startTimer(latency.ms, resolve);
        });
        if (failures.has(instance)) throw new UpstreamUnavailableError({ method: 'GET', path });
        const value = parse(`${path} by ${credential === ANN ? 'ann' : 'bob'}`);
        return { value, status: 200, readVersion, requestedAt, upstreamNow: clock.now };
      },
      {
        maxBytes: 1e6,
        freshness: FRESHNESS,
        graceMs: 0,
        credentialRecheckMs,
        maxRevalidations: 10,
        secondTier,
        onCredentialRejected() {},
        events: { onLookup() {} },
        now: () => clock.now,
        monotonicNow: () => clock.now,
        startTimer,
      },
    );
  });

  const load = (
    instance: number,
    request: UpstreamRequest<unknown>,
    context: Partial<UpstreamContext> = {},
    options: FetchOptions = {},
  ): Load => {
    const result: Load = { value: undefined, endedAt: undefined };
    const end = (value: unknown) =>
      Object.assign(result, { value, endedAt: clock.now - startedAt });
    clients[instance]
      ?.fetch(createUpstreamContext({ credential: ANN, ...context }), request, options)
      .then(
        ({ value }) => end(value),
        () => end('failed'),
      );
    return result;
  };

  return {
    startedAt,
    timers,
    redis,
    messages,
    failures,
    hung,
    queued,
    hooks,
    latency,
    lookupTimeoutMs,
    publish,
    load,
    /** Each instance loads the response, the first instance first. */
    loadAll: (request: UpstreamRequest<unknown>, context: Partial<UpstreamContext> = {}) =>
      clients.map((_, instance) => load(instance, request, context)),
    claims: () => [...claimed].filter(([, until]) => until > clock.now).map(([key]) => key),
    /** The requests sent since the last call, as `0 /call/a`: the instance and the path. */
    newRequests: () => sent.splice(0),
    /** Lets time pass, and fires every timer in its turn. */
    async pass(ms: number) {
      const until = clock.now + ms;
      await idle();
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers.delete(next);
        clock.now = Math.max(clock.now, next.at);
        next.onTime();
        await idle();
      }
      clock.now = until;
      await idle();
    },
  };
}
