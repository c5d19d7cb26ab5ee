import { describe, expect, test, vi } from 'vitest';
import { type Asker, createTurns, QueueOverflowError, type Turns, type TurnsOptions } from '#rest/turns.ts';

const NEVER = new AbortController().signal;

const create = (options: Partial<TurnsOptions> = {}) =>
  createTurns({
    perCredential: 1,
    inAll: 100,
    maxQueued: 1_000,
    isAccepted: () => true,
    isOnTrial: () => false,
    pausedUntil: () => undefined,
    elapsed: () => 0,
    ...options,
  });

const asker = (given: Partial<Asker> = {}): Asker => ({
  credential: 'key',
  caller: undefined,
  signal: NEVER,
  latest: () => Number.POSITIVE_INFINITY,
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

/** Asks for turns, writes down in which order they come, and ends each when it is told to. */
function createQueue(turns: Turns) {
  const order: string[] = [];
  const ends: (() => void)[] = [];
  return {
    order,
    ask(name: string, given: Partial<Asker> = {}) {
      return turns.take(asker(given)).then((end) => {
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

describe('Turns', () => {
  test('are given to as many as there are places, then one for each that ends, first come first served', async () => {
    const turns = create({ perCredential: 2 });
    const { order, ask, endNext } = createQueue(turns);
    for (const name of ['first', 'second', 'third', 'fourth']) void ask(name);
    await new Promise(setImmediate);
    expect(order).toEqual(['first', 'second']);
    expect(turns.state).toEqual({ inFlight: 2, waiting: 2 });
    await endNext();
    expect(order).toEqual(['first', 'second', 'third']);
    await endNext();
    expect(order).toEqual(['first', 'second', 'third', 'fourth']);
    await endNext();
    await endNext();
    expect(turns.state).toEqual({ inFlight: 0, waiting: 0 });
  });

  test('are never more than there are places, however they come and go', async () => {
    const turns = create({ perCredential: 3, inAll: 5 });
    const inside = new Map<string, number>();
    let most = 0;
    let mostInAll = 0;
    const visit = async (index: number) => {
      const credential = `key ${index % 4}`;
      const end = await turns.take(asker({ credential, caller: index % 3 === 0 ? undefined : `caller ${index % 5}` }));
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
    expect(turns.state).toEqual({ inFlight: 0, waiting: 0 });
  });

  test('of one credential are not waited for by another', async () => {
    const turns = create();
    await turns.take(asker({ credential: 'a' }));
    const second = turns.take(asker({ credential: 'a' }));
    await expect(turns.take(asker({ credential: 'b' }))).resolves.toBeTypeOf('function');
    expect(await isSettled(second)).toBe(false);
  });

  test('end once, however often that is said', async () => {
    const turns = create();
    const end = await turns.take(asker());
    const next = turns.take(asker());
    const afterNext = turns.take(asker());
    end();
    end();
    await next;
    expect(await isSettled(afterNext)).toBe(false);
  });

  test('are not given to who has left, or was gone before; and no listener stays on a signal', async () => {
    const turns = create();
    const end = await turns.take(asker());
    const leaving = new AbortController();
    const add = vi.spyOn(leaving.signal, 'addEventListener');
    const remove = vi.spyOn(leaving.signal, 'removeEventListener');
    const gone = turns.take(asker({ signal: leaving.signal }));
    const next = turns.take(asker());
    leaving.abort(new Error('I have to go'));
    await expect(gone).rejects.toThrow('I have to go');
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls[0]).toEqual(add.mock.calls[0]?.slice(0, 2));
    await expect(turns.take(asker({ signal: AbortSignal.abort(new Error('too late')) }))).rejects.toThrow('too late');
    end();
    (await next)();
    expect(turns.state).toEqual({ inFlight: 0, waiting: 0 });
  });

  test('leave nothing behind: a credential and a caller that nobody uses are forgotten', async () => {
    const set = vi.spyOn(Map.prototype, 'set');
    const turns = create();
    const end = await turns.take(asker({ credential: 'a key of its own', caller: 'somebody' }));
    const mapOf = (key: string) => set.mock.contexts[set.mock.calls.findIndex(([name]) => name === key)] as Map<string, unknown>;
    const [lanes, callers] = [mapOf('a key of its own'), mapOf('somebody')];
    set.mockRestore();
    const leaving = new AbortController();
    const gone = turns.take(asker({ credential: 'a key of its own', caller: 'another', signal: leaving.signal }));
    expect(callers.size).toBe(2);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    expect([lanes.size, callers.size]).toEqual([1, 1]);
    end();
    expect([lanes.size, callers.size]).toEqual([0, 0]);
  });

  test('that end as others begin are counted all the same', async () => {
    const turns = create();
    const end = await turns.take(asker());
    const leaving = new AbortController();
    const gone = turns.take(asker({ signal: leaving.signal }));
    leaving.abort();
    end();
    // Begins on a new lane, before the one who left has noticed.
    const first = await turns.take(asker());
    await expect(gone).rejects.toThrow();
    const second = turns.take(asker());
    expect(await isSettled(second)).toBe(false);
    first();
    await second;
  });
});

describe('Who asks for much waits for himself', () => {
  test('among credentials, where all together are too many', async () => {
    const { order, ask, endNext } = createQueue(create({ perCredential: 10, inAll: 1 }));
    for (let count = 0; count < 5; count += 1) void ask('flood', { credential: 'flood' });
    void ask('a', { credential: 'a' });
    void ask('b', { credential: 'b' });
    for (let count = 0; count < 7; count += 1) await endNext();
    expect(order).toEqual(['flood', 'flood', 'a', 'b', 'flood', 'flood', 'flood']);
  });

  test('among the callers of one credential', async () => {
    const { order, ask, endNext } = createQueue(create({ perCredential: 1 }));
    for (let count = 0; count < 5; count += 1) void ask('flood', { caller: 'flood' });
    void ask('a', { caller: 'a' });
    void ask('a', { caller: 'a' });
    void ask('b', { caller: 'b' });
    for (let count = 0; count < 8; count += 1) await endNext();
    expect(order).toEqual(['flood', 'flood', 'a', 'b', 'flood', 'a', 'flood', 'flood']);
  });

  test('and leaves a place free for who comes next', async () => {
    const turns = create({ perCredential: 20 });
    for (let count = 0; count < 200; count += 1) void turns.take(asker({ caller: 'flood' }));
    expect(turns.state).toEqual({ inFlight: 15, waiting: 185 });
    await expect(turns.take(asker({ caller: 'somebody else' }))).resolves.toBeTypeOf('function');
    // Nobody is told apart: then there is nobody to leave a place for.
    for (let count = 0; count < 20; count += 1) void turns.take(asker({ credential: 'alone' }));
    expect(turns.state.inFlight).toBe(36);
  });

  test('until the queue is full', async () => {
    const turns = create({ maxQueued: 2 });
    const end = await turns.take(asker({ caller: 'flood' }));
    const queued = [turns.take(asker({ caller: 'flood' })), turns.take(asker({ caller: 'flood' }))];
    await expect(turns.take(asker({ caller: 'flood' }))).rejects.toThrow('2 are waiting');
    expect(await isSettled(turns.take(asker({ caller: 'another' })))).toBe(false);
    end();
    await queued[0];
    expect(turns.state).toEqual({ inFlight: 1, waiting: 2 });
  });

  test('and all the queues together are bounded', async () => {
    const turns = create({ maxQueued: 25 });
    for (let count = 0; count < 251; count += 1) void turns.take(asker({ caller: `caller ${count % 10}` }));
    expect(turns.state).toEqual({ inFlight: 1, waiting: 250 });
    await expect(turns.take(asker({ caller: 'caller 1' }))).rejects.toThrow('250 are waiting');
    // Who has not made it so long is not refused, and who can go at once does not even wait.
    expect(await isSettled(turns.take(asker({ caller: 'a modest one' })))).toBe(false);
    await expect(turns.take(asker({ credential: 'another' }))).resolves.toBeTypeOf('function');
  });
});

describe('While a credential is paused', () => {
  /** Turns of which `key` can be paused until a moment, and be on trial. */
  function createPausable() {
    const state = { until: undefined as number | undefined, isOnTrial: false, now: 0 };
    const turns = create({
      perCredential: 5,
      isOnTrial: (credential) => credential === 'key' && state.isOnTrial,
      pausedUntil: (credential) => (credential === 'key' ? state.until : undefined),
      elapsed: () => state.now,
    });
    return { state, turns };
  }

  test('those wait who can, and those are told how long it takes who cannot: at once, if they wait already', async () => {
    const { state, turns } = createPausable();
    for (let count = 0; count < 5; count += 1) void turns.take(asker());
    const patient = turns.take(asker({ latest: () => 8_000 }));
    const impatient = turns.take(asker({ latest: () => 6_000 }));
    Object.assign(state, { until: 7_000, now: 100 });
    turns.reconsider('key');
    await expect(impatient).rejects.toMatchObject({ name: 'PausedError', leftMs: 6_900 });
    await expect(turns.take(asker({ latest: () => 6_999 }))).rejects.toMatchObject({ leftMs: 6_900 });
    expect(await isSettled(patient)).toBe(false);
    await expect(turns.take(asker({ credential: 'another', latest: () => 0 }))).resolves.toBeTypeOf('function');
  });

  test('nothing is sent; afterwards one, to see; and all when that is answered', async () => {
    const { state, turns } = createPausable();
    Object.assign(state, { until: 7_000, isOnTrial: true });
    const { order, ask, endNext } = createQueue(turns);
    for (const name of ['a', 'b', 'c', 'd']) void ask(name);
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    state.until = undefined;
    turns.reconsider('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['a']);
    await endNext();
    expect(order).toEqual(['a', 'b']);
    state.isOnTrial = false;
    turns.reconsider('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('Credentials that the upstream has never accepted', () => {
  const accepted = new Set<string>();
  const createAmongNewcomers = (options: Partial<TurnsOptions> = {}) => {
    accepted.clear();
    return create({ perCredential: 20, isAccepted: (credential) => accepted.has(credential), ...options });
  };

  test('have one request in flight each, and as many as others once they are accepted', async () => {
    const turns = createAmongNewcomers({ perCredential: 3 });
    const { order, ask, endNext } = createQueue(turns);
    for (const name of ['1', '2', '3', '4', '5']) void ask(name);
    await new Promise(setImmediate);
    expect(order).toEqual(['1']);
    accepted.add('key');
    turns.reconsider('key');
    await new Promise(setImmediate);
    expect(order).toEqual(['1', '2', '3']);
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4']);
    accepted.delete('key');
    turns.reconsider('key');
    await endNext();
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4']);
    await endNext();
    expect(order).toEqual(['1', '2', '3', '4', '5']);
    await endNext();
    expect(turns.state).toEqual({ inFlight: 0, waiting: 0 });
  });

  test('leave half of all places to the accepted ones, however many of them there are', async () => {
    const turns = createAmongNewcomers({ inAll: 10 });
    accepted.add('tenant');
    const { order, ask, endNext } = createQueue(turns);
    for (let n = 0; n < 100; n += 1) void ask(`invented ${n}`, { credential: `invented ${n}` });
    await new Promise(setImmediate);
    expect(turns.state).toEqual({ inFlight: 5, waiting: 95 });
    for (let n = 0; n < 5; n += 1) void ask(`tenant ${n}`, { credential: 'tenant' });
    await new Promise(setImmediate);
    expect(order.slice(5)).toEqual(['tenant 0', 'tenant 1', 'tenant 2', 'tenant 3', 'tenant 4']);
    for (let count = 0; count < 105; count += 1) await endNext();
    expect(order).toHaveLength(105);
    expect(turns.state).toEqual({ inFlight: 0, waiting: 0 });
  });

  test('have together the turns of one accepted credential', async () => {
    const turns = createAmongNewcomers({ inAll: 2 });
    accepted.add('busy').add('a').add('b');
    const { order, ask, endNext } = createQueue(turns);
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

  test('have each its turn among themselves', async () => {
    const turns = createAmongNewcomers({ inAll: 1 });
    const { order, ask, endNext } = createQueue(turns);
    for (let n = 0; n < 50; n += 1) void ask('loud', { credential: 'loud' });
    void ask('quiet', { credential: 'quiet' });
    await new Promise(setImmediate);
    await endNext();
    await endNext();
    expect(order.toSorted()).toEqual(['loud', 'loud', 'quiet']);
  });

  test('wait in one queue: when that is full, an accepted credential waits in its own', async () => {
    const turns = createAmongNewcomers({ inAll: 1, maxQueued: 20 });
    accepted.add('tenant');
    const { ask } = createQueue(turns);
    for (let n = 0; n < 21; n += 1) void ask('invented', { credential: `invented ${n}` });
    await new Promise(setImmediate);
    expect(turns.state).toEqual({ inFlight: 1, waiting: 20 });
    await expect(turns.take(asker({ credential: 'one more' }))).rejects.toBeInstanceOf(QueueOverflowError);
    void ask('tenant', { credential: 'tenant' });
    await new Promise(setImmediate);
    expect(turns.state).toEqual({ inFlight: 1, waiting: 21 });
  });

  test('have a place each while they have few waiting requests: the one that has most gives up its last', async () => {
    const turns = createAmongNewcomers({ inAll: 1, maxQueued: 20 });
    const { order, ask, endNext } = createQueue(turns);
    const outcomes: string[] = [];
    const askAs = (credential: string) => ask(credential, { credential }).catch(() => outcomes.push(credential));
    for (let n = 0; n < 10; n += 1) void askAs('loud');
    for (let n = 0; n < 12; n += 1) void askAs('louder');
    await new Promise(setImmediate);
    expect(outcomes).toEqual(['louder']);
    for (let n = 0; n < 4; n += 1) void askAs('quiet');
    await new Promise(setImmediate);
    expect(outcomes.toSorted()).toEqual(['loud', 'louder', 'louder', 'louder', 'louder']);
    expect(turns.state).toEqual({ inFlight: 1, waiting: 20 });
    for (let count = 0; count < 21; count += 1) await endNext();
    expect(order.filter((name) => name === 'quiet')).toHaveLength(4);
    expect(turns.state).toEqual({ inFlight: 0, waiting: 0 });
  });

  test('are given up together when the upstream refuses theirs, and no other', async () => {
    const turns = createAmongNewcomers({ inAll: 1 });
    const { order, ask, endNext } = createQueue(turns);
    void ask('first', { credential: 'refused' });
    const waiting = Array.from({ length: 5 }, () => turns.take(asker({ credential: 'refused' })));
    void ask('other', { credential: 'other' });
    const reason = new Error('refused');
    turns.rejectWaiting('refused', reason);
    turns.rejectWaiting('nothing waits with this one', reason);
    expect(await Promise.allSettled(waiting)).toEqual(Array(5).fill({ status: 'rejected', reason }));
    await endNext();
    expect(order).toEqual(['first', 'other']);
    await endNext();
    expect(turns.state).toEqual({ inFlight: 0, waiting: 0 });
  });
});
