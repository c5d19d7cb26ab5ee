import { describe, expect, test, vi } from 'vitest';
import type { AcquireOptions } from '#rest/resilience/acquire-options.ts';
import {
  type ConcurrencyLimiter,
  type ConcurrencyLimiterOptions,
  createConcurrencyLimiter,
  QueueOverflowError,
} from '#rest/resilience/concurrency-limiter.ts';

const NEVER_ABORTED = new AbortController().signal;

interface LimiterOptions extends ConcurrencyLimiterOptions {
  /** @default 1 */
  readonly maxPerCredential: number;
  /** @default none */
  readonly isProbing: (credential: string) => boolean;
}

const createLimiter = ({
  maxPerCredential = 1,
  isProbing = () => false,
  ...options
}: Partial<LimiterOptions> = {}) =>
  createConcurrencyLimiter({
    maxActiveOf: (credential) => (isProbing(credential) ? 1 : maxPerCredential),
    onDemand() {},
    maxTotal: 100,
    maxQueued: 1_000,
    isAccepted: () => true,
    coolingDownUntil: () => undefined,
    monotonicNow: () => 0,
    ...options,
  });

const toAcquireOptions = (given: Partial<AcquireOptions> = {}): AcquireOptions => ({
  credential: 'key',
  caller: undefined,
  signal: NEVER_ABORTED,
  deadlineAt: () => Number.POSITIVE_INFINITY,
  ...given,
});

/** Whether a promise has settled by the time everything that can run has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await new Promise(setImmediate);
  return settled;
}

/** Acquires slots, records the order in which they are granted, and releases them one by one. */
function createQueueScene(limiter: ConcurrencyLimiter) {
  const order: string[] = [];
  const ends: (() => void)[] = [];
  return {
    order,
    acquire(name: string, given: Partial<AcquireOptions> = {}) {
      return limiter.acquire(toAcquireOptions(given)).then((end) => {
        order.push(name);
        ends.push(end);
      });
    },
    async endNext() {
      ends.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

describe('Concurrency limiter', () => {
  test('the limiter starts as many requests as there are slots and then one for each that ends, first come first served', async () => {
    const limiter = createLimiter({ maxPerCredential: 2 });
    const { order, acquire, endNext } = createQueueScene(limiter);
    for (const name of ['first', 'second', 'third', 'fourth']) void acquire(name);
    await new Promise(setImmediate);
    expect(order).toEqual(['first', 'second']);
    expect(limiter.state).toEqual({ inFlight: 2, queued: 2 });
    await endNext();
    expect(order).toEqual(['first', 'second', 'third']);
    await endNext();
    expect(order).toEqual(['first', 'second', 'third', 'fourth']);
    await endNext();
    await endNext();
    expect(limiter.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('the limiter never exceeds its limits, in whatever order requests start and end', async () => {
    const limiter = createLimiter({ maxPerCredential: 3, maxTotal: 5 });
    const inside = new Map<string, number>();
    let maxActive = 0;
    let maxTotalActive = 0;
    const visit = async (index: number) => {
      const credential = `key ${index % 4}`;
      const end = await limiter.acquire(
        toAcquireOptions({
          credential,
          caller: index % 3 === 0 ? undefined : `caller ${index % 5}`,
        }),
      );
      inside.set(credential, (inside.get(credential) ?? 0) + 1);
      maxActive = Math.max(maxActive, ...inside.values());
      maxTotalActive = Math.max(
        maxTotalActive,
        [...inside.values()].reduce((sum, count) => sum + count, 0),
      );
      for (let turn = 0; turn < (index * 7) % 11; turn += 1) await Promise.resolve();
      inside.set(credential, (inside.get(credential) ?? 0) - 1);
      end();
    };
    await Promise.all(Array.from({ length: 400 }, (_, index) => visit(index)));
    expect([maxActive, maxTotalActive]).toEqual([3, 5]);
    expect(limiter.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('requests of one credential do not wait for requests of another', async () => {
    const limiter = createLimiter();
    await limiter.acquire(toAcquireOptions({ credential: 'a' }));
    const second = limiter.acquire(toAcquireOptions({ credential: 'a' }));
    await expect(limiter.acquire(toAcquireOptions({ credential: 'b' }))).resolves.toBeTypeOf(
      'function',
    );
    expect(await isSettled(second)).toBe(false);
  });

  test('a slot is released once, however often its release function is called', async () => {
    const limiter = createLimiter();
    const end = await limiter.acquire(toAcquireOptions());
    const next = limiter.acquire(toAcquireOptions());
    const afterNext = limiter.acquire(toAcquireOptions());
    end();
    end();
    await next;
    expect(await isSettled(afterNext)).toBe(false);
  });

  test('the limiter grants no slot to an aborted request and leaves no listener on its signal', async () => {
    const limiter = createLimiter();
    const end = await limiter.acquire(toAcquireOptions());
    const leaving = new AbortController();
    const add = vi.spyOn(leaving.signal, 'addEventListener');
    const remove = vi.spyOn(leaving.signal, 'removeEventListener');
    const aborted = limiter.acquire(toAcquireOptions({ signal: leaving.signal }));
    const next = limiter.acquire(toAcquireOptions());
    leaving.abort(new Error('I have to go'));
    await expect(aborted).rejects.toThrow('I have to go');
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls[0]).toEqual(add.mock.calls[0]?.slice(0, 2));
    await expect(
      limiter.acquire(toAcquireOptions({ signal: AbortSignal.abort(new Error('too late')) })),
    ).rejects.toThrow('too late');
    end();
    (await next)();
    expect(limiter.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('the limiter forgets a credential and a caller without requests', async () => {
    const set = vi.spyOn(Map.prototype, 'set');
    const limiter = createLimiter();
    const end = await limiter.acquire(
      toAcquireOptions({ credential: 'a key of its own', caller: 'one caller' }),
    );
    const mapOf = (key: string) =>
      set.mock.contexts[set.mock.calls.findIndex(([name]) => name === key)] as Map<string, unknown>;
    const [queues, callers] = [mapOf('a key of its own'), mapOf('one caller')];
    set.mockRestore();
    const leaving = new AbortController();
    const aborted = limiter.acquire(
      toAcquireOptions({
        credential: 'a key of its own',
        caller: 'another',
        signal: leaving.signal,
      }),
    );
    expect(callers.size).toBe(2);
    leaving.abort();
    await expect(aborted).rejects.toThrow();
    expect([queues.size, callers.size]).toEqual([1, 1]);
    end();
    expect([queues.size, callers.size]).toEqual([0, 0]);
  });

  test('the limiter counts a slot that is released while another request of its credential starts', async () => {
    const limiter = createLimiter();
    const end = await limiter.acquire(toAcquireOptions());
    const leaving = new AbortController();
    const aborted = limiter.acquire(toAcquireOptions({ signal: leaving.signal }));
    leaving.abort();
    end();
    // Starts on a new lane, before the aborted request has noticed its signal.
    const first = await limiter.acquire(toAcquireOptions());
    await expect(aborted).rejects.toThrow();
    const second = limiter.acquire(toAcquireOptions());
    expect(await isSettled(second)).toBe(false);
    first();
    await second;
  });
});

describe('Fair queueing', () => {
  test('a credential with many requests does not delay other credentials when the total limit is reached', async () => {
    const { order, acquire, endNext } = createQueueScene(
      createLimiter({ maxPerCredential: 10, maxTotal: 1 }),
    );
    for (let count = 0; count < 5; count += 1) void acquire('flood', { credential: 'flood' });
    void acquire('a', { credential: 'a' });
    void acquire('b', { credential: 'b' });
    for (let count = 0; count < 7; count += 1) await endNext();
    expect(order).toEqual(['flood', 'flood', 'a', 'b', 'flood', 'flood', 'flood']);
  });

  test('a caller with many requests does not delay other callers of the same credential', async () => {
    const { order, acquire, endNext } = createQueueScene(createLimiter({ maxPerCredential: 1 }));
    for (let count = 0; count < 5; count += 1) void acquire('flood', { caller: 'flood' });
    void acquire('a', { caller: 'a' });
    void acquire('a', { caller: 'a' });
    void acquire('b', { caller: 'b' });
    for (let count = 0; count < 8; count += 1) await endNext();
    expect(order).toEqual(['flood', 'flood', 'a', 'b', 'flood', 'a', 'flood', 'flood']);
  });

  test('a single caller leaves some slots of its credential free for other callers', async () => {
    const limiter = createLimiter({ maxPerCredential: 20 });
    for (let count = 0; count < 200; count += 1)
      void limiter.acquire(toAcquireOptions({ caller: 'flood' }));
    expect(limiter.state).toEqual({ inFlight: 15, queued: 185 });
    await expect(
      limiter.acquire(toAcquireOptions({ caller: 'another caller' })),
    ).resolves.toBeTypeOf('function');
    // Without callers in the options there is no other caller to keep a slot free for.
    for (let count = 0; count < 20; count += 1)
      void limiter.acquire(toAcquireOptions({ credential: 'alone' }));
    expect(limiter.state.inFlight).toBe(36);
  });

  test('a request over the queue limit of its credential is rejected, and a caller below its minimum still queues', async () => {
    const limiter = createLimiter({ maxQueued: 2 });
    const end = await limiter.acquire(toAcquireOptions({ caller: 'flood' }));
    const queued = [
      limiter.acquire(toAcquireOptions({ caller: 'flood' })),
      limiter.acquire(toAcquireOptions({ caller: 'flood' })),
    ];
    await expect(limiter.acquire(toAcquireOptions({ caller: 'flood' }))).rejects.toThrow(
      '2 requests are queued',
    );
    expect(await isSettled(limiter.acquire(toAcquireOptions({ caller: 'another' })))).toBe(false);
    end();
    await queued[0];
    expect(limiter.state).toEqual({ inFlight: 1, queued: 2 });
  });

  test('all queues together are bounded', async () => {
    const limiter = createLimiter({ maxQueued: 25 });
    for (let count = 0; count < 251; count += 1)
      void limiter.acquire(toAcquireOptions({ caller: `caller ${count % 10}` }));
    expect(limiter.state).toEqual({ inFlight: 1, queued: 250 });
    await expect(limiter.acquire(toAcquireOptions({ caller: 'caller 1' }))).rejects.toThrow(
      '250 requests are queued',
    );
    // A caller below its minimum is not rejected, and a request with a free slot does not queue at
    // all.
    expect(await isSettled(limiter.acquire(toAcquireOptions({ caller: 'a modest one' })))).toBe(
      false,
    );
    await expect(limiter.acquire(toAcquireOptions({ credential: 'another' }))).resolves.toBeTypeOf(
      'function',
    );
  });
});

describe('Concurrency limiter during a cooldown', () => {
  /** A limiter whose `key` can be in a cooldown until a given moment, and be probing. */
  function createPausable() {
    const state = { until: undefined as number | undefined, isProbing: false, now: 0 };
    const limiter = createLimiter({
      maxPerCredential: 5,
      isProbing: (credential) => credential === 'key' && state.isProbing,
      coolingDownUntil: (credential) => (credential === 'key' ? state.until : undefined),
      monotonicNow: () => state.now,
    });
    return { state, limiter };
  }

  test('requests that can outwait the cooldown stay queued, and the others are rejected at once with the remaining time', async () => {
    const { state, limiter } = createPausable();
    for (let count = 0; count < 5; count += 1) void limiter.acquire(toAcquireOptions());
    const longDeadline = limiter.acquire(toAcquireOptions({ deadlineAt: () => 8_000 }));
    const shortDeadline = limiter.acquire(toAcquireOptions({ deadlineAt: () => 6_000 }));
    Object.assign(state, { until: 7_000, now: 100 });
    limiter.reevaluate('key');
    await expect(shortDeadline).rejects.toMatchObject({
      name: 'CooldownError',
      remainingMs: 6_900,
    });
    await expect(
      limiter.acquire(toAcquireOptions({ deadlineAt: () => 6_999 })),
    ).rejects.toMatchObject({ remainingMs: 6_900 });
    expect(await isSettled(longDeadline)).toBe(false);
    await expect(
      limiter.acquire(toAcquireOptions({ credential: 'another', deadlineAt: () => 0 })),
    ).resolves.toBeTypeOf('function');
  });

  test('the limiter sends nothing during a cooldown, then one probe, and all queued requests after the probe', async () => {
    const { state, limiter } = createPausable();
    Object.assign(state, { until: 7_000, isProbing: true });
    const { order, acquire, endNext } = createQueueScene(limiter);
    for (const name of ['a', 'b', 'c', 'd']) void acquire(name);
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    state.until = undefined;
    limiter.reevaluate('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['a']);
    await endNext();
    expect(order).toEqual(['a', 'b']);
    state.isProbing = false;
    limiter.reevaluate('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('Concurrency limiter for unaccepted credentials', () => {
  const accepted = new Set<string>();
  const createLimiterWithNewCallers = (options: Partial<LimiterOptions> = {}) => {
    accepted.clear();
    return createLimiter({
      maxPerCredential: 20,
      isAccepted: (credential) => accepted.has(credential),
      ...options,
    });
  };

  test('an unaccepted credential has one request in flight, and as many as others once the upstream accepts it', async () => {
    const limiter = createLimiterWithNewCallers({ maxPerCredential: 3 });
    const { order, acquire, endNext } = createQueueScene(limiter);
    for (const name of ['1', '2', '3', '4', '5']) void acquire(name);
    await new Promise(setImmediate);
    expect(order).toEqual(['1']);
    accepted.add('key');
    limiter.reevaluate('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['1', '2', '3']);
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4']);
    accepted.delete('key');
    limiter.reevaluate('key');
    await endNext();
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4']);
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4', '5']);
    await endNext();
    expect(limiter.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('half of all slots stay free for accepted credentials, however many unaccepted ones there are', async () => {
    const limiter = createLimiterWithNewCallers({ maxTotal: 10 });
    accepted.add('tenant');
    const { order, acquire, endNext } = createQueueScene(limiter);
    for (let n = 0; n < 100; n += 1) void acquire(`invented ${n}`, { credential: `invented ${n}` });
    await new Promise(setImmediate);
    expect(limiter.state).toEqual({ inFlight: 5, queued: 95 });
    for (let n = 0; n < 5; n += 1) void acquire(`tenant ${n}`, { credential: 'tenant' });
    await new Promise(setImmediate);
    expect(order.slice(5)).toEqual(['tenant 0', 'tenant 1', 'tenant 2', 'tenant 3', 'tenant 4']);
    for (let count = 0; count < 105; count += 1) await endNext();
    expect(order).toHaveLength(105);
    expect(limiter.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('all unaccepted credentials together get the share of one accepted credential', async () => {
    const limiter = createLimiterWithNewCallers({ maxTotal: 2 });
    accepted.add('busy').add('a').add('b');
    const { order, acquire, endNext } = createQueueScene(limiter);
    for (let n = 0; n < 2; n += 1) void acquire('busy', { credential: 'busy' });
    for (let n = 0; n < 100; n += 1) void acquire('invented', { credential: `invented ${n}` });
    for (let n = 0; n < 3; n += 1) {
      void acquire('a', { credential: 'a' });
      void acquire('b', { credential: 'b' });
    }
    await new Promise(setImmediate);
    for (let count = 0; count < 9; count += 1) await endNext();
    expect(order.slice(0, 2)).toEqual(['busy', 'busy']);
    const counts = Object.groupBy(order.slice(2, 11), (name) => name);
    expect([counts.invented?.length, counts.a?.length, counts.b?.length]).toEqual([3, 3, 3]);
    expect([...new Set(order.slice(2, 5))].sort()).toEqual(['a', 'b', 'invented']);
  });

  test('unaccepted credentials take turns among themselves', async () => {
    const limiter = createLimiterWithNewCallers({ maxTotal: 1 });
    const { order, acquire, endNext } = createQueueScene(limiter);
    for (let n = 0; n < 50; n += 1) void acquire('loud', { credential: 'loud' });
    void acquire('quiet', { credential: 'quiet' });
    await new Promise(setImmediate);
    await endNext();
    await endNext();
    expect(order.toSorted()).toEqual(['loud', 'loud', 'quiet']);
  });

  test('unaccepted credentials share one queue, and an accepted credential still queues when that one is full', async () => {
    const limiter = createLimiterWithNewCallers({ maxTotal: 1, maxQueued: 20 });
    accepted.add('tenant');
    const { acquire } = createQueueScene(limiter);
    for (let n = 0; n < 21; n += 1) void acquire('invented', { credential: `invented ${n}` });
    await new Promise(setImmediate);
    expect(limiter.state).toEqual({ inFlight: 1, queued: 20 });
    await expect(
      limiter.acquire(toAcquireOptions({ credential: 'one more' })),
    ).rejects.toBeInstanceOf(QueueOverflowError);
    void acquire('tenant', { credential: 'tenant' });
    await new Promise(setImmediate);
    expect(limiter.state).toEqual({ inFlight: 1, queued: 21 });
  });

  test('when the shared queue is full, the unaccepted credential with the most queued requests loses its last one', async () => {
    const limiter = createLimiterWithNewCallers({ maxTotal: 1, maxQueued: 20 });
    const { order, acquire, endNext } = createQueueScene(limiter);
    const outcomes: string[] = [];
    const acquireAs = (credential: string) =>
      acquire(credential, { credential }).catch(() => outcomes.push(credential));
    for (let n = 0; n < 10; n += 1) void acquireAs('loud');
    for (let n = 0; n < 12; n += 1) void acquireAs('louder');
    await new Promise(setImmediate);
    expect(outcomes).toEqual(['louder']);
    for (let n = 0; n < 4; n += 1) void acquireAs('quiet');
    await new Promise(setImmediate);
    expect(outcomes.toSorted()).toEqual(['loud', 'louder', 'louder', 'louder', 'louder']);
    expect(limiter.state).toEqual({ inFlight: 1, queued: 20 });
    for (let count = 0; count < 21; count += 1) await endNext();
    expect(order.filter((name) => name === 'quiet')).toHaveLength(4);
    expect(limiter.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('the limiter rejects all queued requests of a rejected credential and no others', async () => {
    const limiter = createLimiterWithNewCallers({ maxTotal: 1 });
    const { order, acquire, endNext } = createQueueScene(limiter);
    void acquire('first', { credential: 'refused' });
    const waiting = Array.from({ length: 5 }, () =>
      limiter.acquire(toAcquireOptions({ credential: 'refused' })),
    );
    void acquire('other', { credential: 'other' });
    const reason = new Error('refused');
    limiter.rejectQueued('refused', reason);
    limiter.rejectQueued('nothing waits with this one', reason);
    expect(await Promise.allSettled(waiting)).toEqual(
      Array(5).fill({ status: 'rejected', reason }),
    );
    await endNext();
    expect(order).toEqual(['first', 'other']);
    await endNext();
    expect(limiter.state).toEqual({ inFlight: 0, queued: 0 });
  });
});
