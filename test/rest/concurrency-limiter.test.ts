import { describe, expect, test, vi } from 'vitest';
import {
  type AcquireOptions,
  type ConcurrencyLimiter,
  type ConcurrencyLimiterOptions,
  createConcurrencyLimiter,
  QueueOverflowError,
} from '#rest/resilience/concurrency-limiter.ts';

const NEVER_ABORTED = new AbortController().signal;

const createLimiter = (options: Partial<ConcurrencyLimiterOptions> = {}) =>
  createConcurrencyLimiter({
    maxPerCredential: 1,
    maxTotal: 100,
    maxQueued: 1_000,
    isAccepted: () => true,
    isProbing: () => false,
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
function createQueueScene(turns: ConcurrencyLimiter) {
  const order: string[] = [];
  const ends: (() => void)[] = [];
  return {
    order,
    ask(name: string, given: Partial<AcquireOptions> = {}) {
      return turns.acquire(toAcquireOptions(given)).then((end) => {
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
    const turns = createLimiter({ maxPerCredential: 2 });
    const { order, ask, endNext } = createQueueScene(turns);
    for (const name of ['first', 'second', 'third', 'fourth']) void ask(name);
    await new Promise(setImmediate);
    expect(order).toEqual(['first', 'second']);
    expect(turns.state).toEqual({ inFlight: 2, queued: 2 });
    await endNext();
    expect(order).toEqual(['first', 'second', 'third']);
    await endNext();
    expect(order).toEqual(['first', 'second', 'third', 'fourth']);
    await endNext();
    await endNext();
    expect(turns.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('the limiter never exceeds its limits, in whatever order requests start and end', async () => {
    const turns = createLimiter({ maxPerCredential: 3, maxTotal: 5 });
    const inside = new Map<string, number>();
    let most = 0;
    let mostInAll = 0;
    const visit = async (index: number) => {
      const credential = `key ${index % 4}`;
      const end = await turns.acquire(
        toAcquireOptions({
          credential,
          caller: index % 3 === 0 ? undefined : `caller ${index % 5}`,
        }),
      );
      inside.set(credential, (inside.get(credential) ?? 0) + 1);
      most = Math.max(most, ...inside.values());
      mostInAll = Math.max(
        mostInAll,
        [...inside.values()].reduce((sum, count) => sum + count, 0),
      );
      for (let turn = 0; turn < (index * 7) % 11; turn += 1) await Promise.resolve();
      inside.set(credential, (inside.get(credential) ?? 0) - 1);
      end();
    };
    await Promise.all(Array.from({ length: 400 }, (_, index) => visit(index)));
    expect([most, mostInAll]).toEqual([3, 5]);
    expect(turns.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('requests of one credential do not wait for requests of another', async () => {
    const turns = createLimiter();
    await turns.acquire(toAcquireOptions({ credential: 'a' }));
    const second = turns.acquire(toAcquireOptions({ credential: 'a' }));
    await expect(turns.acquire(toAcquireOptions({ credential: 'b' }))).resolves.toBeTypeOf(
      'function',
    );
    expect(await isSettled(second)).toBe(false);
  });

  test('a slot is released once, however often its release function is called', async () => {
    const turns = createLimiter();
    const end = await turns.acquire(toAcquireOptions());
    const next = turns.acquire(toAcquireOptions());
    const afterNext = turns.acquire(toAcquireOptions());
    end();
    end();
    await next;
    expect(await isSettled(afterNext)).toBe(false);
  });

  test('the limiter grants no slot to an aborted request and leaves no listener on its signal', async () => {
    const turns = createLimiter();
    const end = await turns.acquire(toAcquireOptions());
    const leaving = new AbortController();
    const add = vi.spyOn(leaving.signal, 'addEventListener');
    const remove = vi.spyOn(leaving.signal, 'removeEventListener');
    const gone = turns.acquire(toAcquireOptions({ signal: leaving.signal }));
    const next = turns.acquire(toAcquireOptions());
    leaving.abort(new Error('I have to go'));
    await expect(gone).rejects.toThrow('I have to go');
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls[0]).toEqual(add.mock.calls[0]?.slice(0, 2));
    await expect(
      turns.acquire(toAcquireOptions({ signal: AbortSignal.abort(new Error('too late')) })),
    ).rejects.toThrow('too late');
    end();
    (await next)();
    expect(turns.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('the limiter forgets a credential and a caller without requests', async () => {
    const set = vi.spyOn(Map.prototype, 'set');
    const turns = createLimiter();
    const end = await turns.acquire(
      toAcquireOptions({ credential: 'a key of its own', caller: 'somebody' }),
    );
    const mapOf = (key: string) =>
      set.mock.contexts[set.mock.calls.findIndex(([name]) => name === key)] as Map<string, unknown>;
    const [lanes, callers] = [mapOf('a key of its own'), mapOf('somebody')];
    set.mockRestore();
    const leaving = new AbortController();
    const gone = turns.acquire(
      toAcquireOptions({
        credential: 'a key of its own',
        caller: 'another',
        signal: leaving.signal,
      }),
    );
    expect(callers.size).toBe(2);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    expect([lanes.size, callers.size]).toEqual([1, 1]);
    end();
    expect([lanes.size, callers.size]).toEqual([0, 0]);
  });

  test('the limiter counts a slot that is released while another request of its credential starts', async () => {
    const turns = createLimiter();
    const end = await turns.acquire(toAcquireOptions());
    const leaving = new AbortController();
    const gone = turns.acquire(toAcquireOptions({ signal: leaving.signal }));
    leaving.abort();
    end();
    // Starts on a new lane, before the aborted request has noticed its signal.
    const first = await turns.acquire(toAcquireOptions());
    await expect(gone).rejects.toThrow();
    const second = turns.acquire(toAcquireOptions());
    expect(await isSettled(second)).toBe(false);
    first();
    await second;
  });
});

describe('Fair queueing', () => {
  test('a credential with many requests does not delay other credentials when the total limit is reached', async () => {
    const { order, ask, endNext } = createQueueScene(
      createLimiter({ maxPerCredential: 10, maxTotal: 1 }),
    );
    for (let count = 0; count < 5; count += 1) void ask('flood', { credential: 'flood' });
    void ask('a', { credential: 'a' });
    void ask('b', { credential: 'b' });
    for (let count = 0; count < 7; count += 1) await endNext();
    expect(order).toEqual(['flood', 'flood', 'a', 'b', 'flood', 'flood', 'flood']);
  });

  test('a caller with many requests does not delay other callers of the same credential', async () => {
    const { order, ask, endNext } = createQueueScene(createLimiter({ maxPerCredential: 1 }));
    for (let count = 0; count < 5; count += 1) void ask('flood', { caller: 'flood' });
    void ask('a', { caller: 'a' });
    void ask('a', { caller: 'a' });
    void ask('b', { caller: 'b' });
    for (let count = 0; count < 8; count += 1) await endNext();
    expect(order).toEqual(['flood', 'flood', 'a', 'b', 'flood', 'a', 'flood', 'flood']);
  });

  test('a single caller leaves some slots of its credential free for other callers', async () => {
    const turns = createLimiter({ maxPerCredential: 20 });
    for (let count = 0; count < 200; count += 1)
      void turns.acquire(toAcquireOptions({ caller: 'flood' }));
    expect(turns.state).toEqual({ inFlight: 15, queued: 185 });
    await expect(turns.acquire(toAcquireOptions({ caller: 'somebody else' }))).resolves.toBeTypeOf(
      'function',
    );
    // Without callers in the options there is no other caller to keep a slot free for.
    for (let count = 0; count < 20; count += 1)
      void turns.acquire(toAcquireOptions({ credential: 'alone' }));
    expect(turns.state.inFlight).toBe(36);
  });

  test('a request over the queue limit of its credential is rejected, and a caller below its minimum still queues', async () => {
    const turns = createLimiter({ maxQueued: 2 });
    const end = await turns.acquire(toAcquireOptions({ caller: 'flood' }));
    const queued = [
      turns.acquire(toAcquireOptions({ caller: 'flood' })),
      turns.acquire(toAcquireOptions({ caller: 'flood' })),
    ];
    await expect(turns.acquire(toAcquireOptions({ caller: 'flood' }))).rejects.toThrow(
      '2 requests are queued',
    );
    expect(await isSettled(turns.acquire(toAcquireOptions({ caller: 'another' })))).toBe(false);
    end();
    await queued[0];
    expect(turns.state).toEqual({ inFlight: 1, queued: 2 });
  });

  test('all queues together are bounded', async () => {
    const turns = createLimiter({ maxQueued: 25 });
    for (let count = 0; count < 251; count += 1)
      void turns.acquire(toAcquireOptions({ caller: `caller ${count % 10}` }));
    expect(turns.state).toEqual({ inFlight: 1, queued: 250 });
    await expect(turns.acquire(toAcquireOptions({ caller: 'caller 1' }))).rejects.toThrow(
      '250 requests are queued',
    );
    // A caller below its minimum is not rejected, and a request with a free slot does not queue at
    // all.
    expect(await isSettled(turns.acquire(toAcquireOptions({ caller: 'a modest one' })))).toBe(
      false,
    );
    await expect(turns.acquire(toAcquireOptions({ credential: 'another' }))).resolves.toBeTypeOf(
      'function',
    );
  });
});

describe('Concurrency limiter during a cooldown', () => {
  /** A limiter whose `key` can be in a cooldown until a given moment, and be probing. */
  function createPausable() {
    const state = { until: undefined as number | undefined, isOnTrial: false, now: 0 };
    const turns = createLimiter({
      maxPerCredential: 5,
      isProbing: (credential) => credential === 'key' && state.isOnTrial,
      coolingDownUntil: (credential) => (credential === 'key' ? state.until : undefined),
      monotonicNow: () => state.now,
    });
    return { state, turns };
  }

  test('requests that can outwait the cooldown stay queued, and the others are rejected at once with the remaining time', async () => {
    const { state, turns } = createPausable();
    for (let count = 0; count < 5; count += 1) void turns.acquire(toAcquireOptions());
    const patient = turns.acquire(toAcquireOptions({ deadlineAt: () => 8_000 }));
    const impatient = turns.acquire(toAcquireOptions({ deadlineAt: () => 6_000 }));
    Object.assign(state, { until: 7_000, now: 100 });
    turns.reevaluate('key');
    await expect(impatient).rejects.toMatchObject({ name: 'CooldownError', remainingMs: 6_900 });
    await expect(
      turns.acquire(toAcquireOptions({ deadlineAt: () => 6_999 })),
    ).rejects.toMatchObject({ remainingMs: 6_900 });
    expect(await isSettled(patient)).toBe(false);
    await expect(
      turns.acquire(toAcquireOptions({ credential: 'another', deadlineAt: () => 0 })),
    ).resolves.toBeTypeOf('function');
  });

  test('the limiter sends nothing during a cooldown, then one probe, and all queued requests after the probe', async () => {
    const { state, turns } = createPausable();
    Object.assign(state, { until: 7_000, isOnTrial: true });
    const { order, ask, endNext } = createQueueScene(turns);
    for (const name of ['a', 'b', 'c', 'd']) void ask(name);
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    state.until = undefined;
    turns.reevaluate('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['a']);
    await endNext();
    expect(order).toEqual(['a', 'b']);
    state.isOnTrial = false;
    turns.reevaluate('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('Concurrency limiter for unaccepted credentials', () => {
  const accepted = new Set<string>();
  const createAmongNewcomers = (options: Partial<ConcurrencyLimiterOptions> = {}) => {
    accepted.clear();
    return createLimiter({
      maxPerCredential: 20,
      isAccepted: (credential) => accepted.has(credential),
      ...options,
    });
  };

  test('an unaccepted credential has one request in flight, and as many as others once the upstream accepts it', async () => {
    const turns = createAmongNewcomers({ maxPerCredential: 3 });
    const { order, ask, endNext } = createQueueScene(turns);
    for (const name of ['1', '2', '3', '4', '5']) void ask(name);
    await new Promise(setImmediate);
    expect(order).toEqual(['1']);
    accepted.add('key');
    turns.reevaluate('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['1', '2', '3']);
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4']);
    accepted.delete('key');
    turns.reevaluate('key');
    await endNext();
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4']);
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4', '5']);
    await endNext();
    expect(turns.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('half of all slots stay free for accepted credentials, however many unaccepted ones there are', async () => {
    const turns = createAmongNewcomers({ maxTotal: 10 });
    accepted.add('tenant');
    const { order, ask, endNext } = createQueueScene(turns);
    for (let n = 0; n < 100; n += 1) void ask(`invented ${n}`, { credential: `invented ${n}` });
    await new Promise(setImmediate);
    expect(turns.state).toEqual({ inFlight: 5, queued: 95 });
    for (let n = 0; n < 5; n += 1) void ask(`tenant ${n}`, { credential: 'tenant' });
    await new Promise(setImmediate);
    expect(order.slice(5)).toEqual(['tenant 0', 'tenant 1', 'tenant 2', 'tenant 3', 'tenant 4']);
    for (let count = 0; count < 105; count += 1) await endNext();
    expect(order).toHaveLength(105);
    expect(turns.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('all unaccepted credentials together get the share of one accepted credential', async () => {
    const turns = createAmongNewcomers({ maxTotal: 2 });
    accepted.add('busy').add('a').add('b');
    const { order, ask, endNext } = createQueueScene(turns);
    for (let n = 0; n < 2; n += 1) void ask('busy', { credential: 'busy' });
    for (let n = 0; n < 100; n += 1) void ask('invented', { credential: `invented ${n}` });
    for (let n = 0; n < 3; n += 1) {
      void ask('a', { credential: 'a' });
      void ask('b', { credential: 'b' });
    }
    await new Promise(setImmediate);
    for (let count = 0; count < 9; count += 1) await endNext();
    expect(order.slice(0, 2)).toEqual(['busy', 'busy']);
    const counts = Object.groupBy(order.slice(2, 11), (name) => name);
    expect([counts.invented?.length, counts.a?.length, counts.b?.length]).toEqual([3, 3, 3]);
    expect([...new Set(order.slice(2, 5))].sort()).toEqual(['a', 'b', 'invented']);
  });

  test('unaccepted credentials take turns among themselves', async () => {
    const turns = createAmongNewcomers({ maxTotal: 1 });
    const { order, ask, endNext } = createQueueScene(turns);
    for (let n = 0; n < 50; n += 1) void ask('loud', { credential: 'loud' });
    void ask('quiet', { credential: 'quiet' });
    await new Promise(setImmediate);
    await endNext();
    await endNext();
    expect(order.toSorted()).toEqual(['loud', 'loud', 'quiet']);
  });

  test('unaccepted credentials share one queue, and an accepted credential still queues when that one is full', async () => {
    const turns = createAmongNewcomers({ maxTotal: 1, maxQueued: 20 });
    accepted.add('tenant');
    const { ask } = createQueueScene(turns);
    for (let n = 0; n < 21; n += 1) void ask('invented', { credential: `invented ${n}` });
    await new Promise(setImmediate);
    expect(turns.state).toEqual({ inFlight: 1, queued: 20 });
    await expect(
      turns.acquire(toAcquireOptions({ credential: 'one more' })),
    ).rejects.toBeInstanceOf(QueueOverflowError);
    void ask('tenant', { credential: 'tenant' });
    await new Promise(setImmediate);
    expect(turns.state).toEqual({ inFlight: 1, queued: 21 });
  });

  test('when the shared queue is full, the unaccepted credential with the most queued requests loses its last one', async () => {
    const turns = createAmongNewcomers({ maxTotal: 1, maxQueued: 20 });
    const { order, ask, endNext } = createQueueScene(turns);
    const outcomes: string[] = [];
    const askAs = (credential: string) =>
      ask(credential, { credential }).catch(() => outcomes.push(credential));
    for (let n = 0; n < 10; n += 1) void askAs('loud');
    for (let n = 0; n < 12; n += 1) void askAs('louder');
    await new Promise(setImmediate);
    expect(outcomes).toEqual(['louder']);
    for (let n = 0; n < 4; n += 1) void askAs('quiet');
    await new Promise(setImmediate);
    expect(outcomes.toSorted()).toEqual(['loud', 'louder', 'louder', 'louder', 'louder']);
    expect(turns.state).toEqual({ inFlight: 1, queued: 20 });
    for (let count = 0; count < 21; count += 1) await endNext();
    expect(order.filter((name) => name === 'quiet')).toHaveLength(4);
    expect(turns.state).toEqual({ inFlight: 0, queued: 0 });
  });

  test('the limiter rejects all queued requests of a rejected credential and no others', async () => {
    const turns = createAmongNewcomers({ maxTotal: 1 });
    const { order, ask, endNext } = createQueueScene(turns);
    void ask('first', { credential: 'refused' });
    const waiting = Array.from({ length: 5 }, () =>
      turns.acquire(toAcquireOptions({ credential: 'refused' })),
    );
    void ask('other', { credential: 'other' });
    const reason = new Error('refused');
    turns.rejectQueued('refused', reason);
    turns.rejectQueued('nothing waits with this one', reason);
    expect(await Promise.allSettled(waiting)).toEqual(
      Array(5).fill({ status: 'rejected', reason }),
    );
    await endNext();
    expect(order).toEqual(['first', 'other']);
    await endNext();
    expect(turns.state).toEqual({ inFlight: 0, queued: 0 });
  });
});
