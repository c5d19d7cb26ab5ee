import { describe, expect, test } from 'vitest';
import {
  createMemoryStore,
  type Entry,
  type MemoryStoreOptions,
  SWEEP_INTERVAL_MS,
} from '#cache/memory-store.ts';
import type { ReadVersion } from '#rest/upstream-request.ts';
import { createManualTimers } from '../rest/real-server.ts';

const FRESH_MS = 1_000;
const GRACE_MS = 10_000;
const IDLE_MS = 500_000;
const UNBOUNDED_BYTES = 2 ** 30;

/** Text of which a store of `maxBytes` can hold only a few. */
const LARGE = 'x'.repeat(10_000);

/** A memory store whose clock and timers the test owns. */
function createStore(options: Partial<MemoryStoreOptions> = {}) {
  const timers = createManualTimers();
  const clock = { ms: 1_000_000 };
  const memory = createMemoryStore({
    maxBytes: UNBOUNDED_BYTES,
    graceMs: GRACE_MS,
    idleMs: IDLE_MS,
    now: () => clock.ms,
    startTimer: timers.startTimer,
    ...options,
  });
  let number = 0;
  /** An entry requested now, with a later read version than all entries before. */
  const entryOf = (value: unknown, changes: Partial<Entry> = {}): Entry => {
    number += 1;
    return {
      value,
      status: 200,
      readVersion: readVersion('ours', number),
      requestedAt: clock.ms,
      freshUntil: (changes.requestedAt ?? clock.ms) + FRESH_MS,
      isLive: false,
      ...changes,
    };
  };
  return {
    memory,
    timers,
    clock,
    entryOf,
    /** Records the credential as accepted, and stores an entry for it. */
    setAccepted(fingerprint: string, key: string, value: unknown, changes?: Partial<Entry>): Entry {
      const entry = entryOf(value, changes);
      memory.recordAccepted(fingerprint, clock.ms, memory.takeFence());
      memory.set(fingerprint, key, entry, memory.takeFence());
      return entry;
    },
    valueAt: (fingerprint: string, key: string) => memory.get(fingerprint, key)?.value,
  };
}

function readVersion(instance: string, sequence: number): ReadVersion {
  return { instance, sequence, isCached: false };
}

describe('Memory store', () => {
  test('the memory store returns the stored value itself, with all its metadata', () => {
    const { memory, setAccepted } = createStore();
    const value = Object.freeze({ id: 'call' });
    const entry = setAccepted('a', '/call/1', value, { isLive: true, status: 203 });
    expect(memory.get('a', '/call/1')).toMatchObject(entry);
    expect(memory.get('a', '/call/1')!.value).toBe(value);
    expect(memory.get('a', '/call/2')).toBeUndefined();
  });

  test('an expired entry stays, is no longer fresh, and invalidates the responses that depend on it', () => {
    const { memory, clock, setAccepted } = createStore();
    for (const fingerprint of ['a', 'b'])
      setAccepted(fingerprint, '/call/1', 'old', { serial: fingerprint === 'a' ? 1 : 2 });
    clock.ms += 100;
    memory.expire('a', '/call/1');
    memory.expire('a', '/call/2');
    expect(memory.get('a', '/call/1')).toMatchObject({
      value: 'old',
      freshUntil: clock.ms,
      isOutdated: true,
    });
    expect([memory.hasAll('a', [1]), memory.hasAll('b', [2])]).toEqual([false, true]);
    expect(memory.get('b', '/call/1')).toMatchObject({ freshUntil: clock.ms + FRESH_MS - 100 });
    const { bytes, entries } = memory;
    setAccepted('a', '/call/1', 'new');
    expect(memory.get('a', '/call/1')).toMatchObject({ value: 'new' });
    expect(memory.get('a', '/call/1')?.isOutdated).toBeUndefined();
    expect([memory.bytes, memory.entries]).toEqual([bytes, entries]);
  });

  test('the memory store never returns an entry of one credential to another', () => {
    const { setAccepted, valueAt, memory } = createStore();
    setAccepted('a', '/call/1', 'of a');
    setAccepted('b', '/call/1', 'of b');
    setAccepted('b', '/call/2', 'of b alone');
    memory.recordAccepted('c', 0, memory.takeFence());
    expect(['a', 'b', 'c'].map((fingerprint) => valueAt(fingerprint, '/call/1'))).toEqual([
      'of a',
      'of b',
      undefined,
    ]);
    expect(['a', 'b', 'c'].map((fingerprint) => valueAt(fingerprint, '/call/2'))).toEqual([
      undefined,
      'of b alone',
      undefined,
    ]);
  });

  test('the memory store stores a 404', () => {
    const { memory, setAccepted } = createStore();
    setAccepted('a', '/call/1', null, { status: 404 });
    expect(memory.get('a', '/call/1')).toMatchObject({ value: null, status: 404 });
  });

  test('the memory store stores nothing for a credential that was not accepted', () => {
    const { memory, entryOf, valueAt } = createStore();
    memory.recordAccepted('a', 0, memory.takeFence());
    memory.set('stranger', '/call/1', entryOf('not for strangers'), memory.takeFence());
    expect(memory.bytes).toBe(0);
    memory.recordAccepted('stranger', 0, memory.takeFence());
    expect(valueAt('stranger', '/call/1')).toBeUndefined();
  });

  test('the memory store returns an entry that is past its freshness, because its caller decides about staleness', () => {
    const { clock, setAccepted, valueAt } = createStore();
    setAccepted('a', '/call/1', 'old');
    clock.ms += FRESH_MS + GRACE_MS + 1;
    expect(valueAt('a', '/call/1')).toBe('old');
  });
});

describe('Acceptance of a credential in the memory store', () => {
  test('a credential that was never accepted has no acceptance time', () => {
    expect(createStore().memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
  });

  test('the acceptance time of a credential is the latest request time, in whatever order the responses arrive', () => {
    const { memory } = createStore();
    memory.recordAccepted('a', 200, memory.takeFence());
    memory.recordAccepted('a', 100, memory.takeFence());
    expect(memory.acceptedAt('a')).toBe(200);
    memory.recordAccepted('a', 300, memory.takeFence());
    expect(memory.acceptedAt('a')).toBe(300);
    expect(memory.acceptedAt('b')).toBe(Number.NEGATIVE_INFINITY);
  });

  test('a revocation deletes the acceptance time of its credential', () => {
    const { memory } = createStore();
    memory.recordAccepted('a', 200, memory.takeFence());
    memory.revoke('a');
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('Revocation in the memory store', () => {
  test('a revocation drops all entries of its credential and none of another', () => {
    const { memory, setAccepted, valueAt } = createStore();
    setAccepted('b', '/call/1', 'of b');
    const bytesOfB = memory.bytes;
    for (let index = 0; index < 10; index += 1) setAccepted('a', `/call/${index}`, 'of a');
    memory.revoke('a');
    expect(Array.from({ length: 10 }, (_, index) => valueAt('a', `/call/${index}`))).toEqual(
      Array(10).fill(undefined),
    );
    expect(valueAt('b', '/call/1')).toBe('of b');
    expect(memory.bytes).toBe(bytesOfB);
    expect(memory.acceptedAt('b')).not.toBe(Number.NEGATIVE_INFINITY);
  });

  test('entries of a revoked credential do not come back when the credential is accepted again', () => {
    const { memory, setAccepted, valueAt } = createStore();
    setAccepted('a', '/call/1', 'before');
    memory.revoke('a');
    setAccepted('a', '/call/2', 'after');
    expect([valueAt('a', '/call/1'), valueAt('a', '/call/2')]).toEqual([undefined, 'after']);
  });

  test('revoke returns whether the credential was known', () => {
    const { memory, setAccepted } = createStore();
    expect(memory.revoke('a')).toBe(false);
    setAccepted('a', '/call/1', 'of a');
    expect(memory.revoke('a')).toBe(true);
    expect(memory.revoke('a')).toBe(false);
  });

  test('a response that was requested before a revocation is not stored after it', () => {
    const { memory, entryOf, valueAt, clock } = createStore();
    memory.recordAccepted('a', clock.ms, memory.takeFence());
    const before = memory.takeFence();
    memory.revoke('a');

    memory.recordAccepted('a', clock.ms, before);
    memory.set('a', '/call/1', entryOf('requested before'), before);

    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
    expect(valueAt('a', '/call/1')).toBeUndefined();
  });

  test('a response requested before a revocation is not stored, even when the credential has been accepted again since', () => {
    const { memory, entryOf, setAccepted, valueAt, clock } = createStore();
    const before = memory.takeFence();
    memory.revoke('a');
    setAccepted('a', '/call/1', 'requested after');
    clock.ms += 5;
    memory.set('a', '/call/2', entryOf('requested before'), before);
    memory.recordAccepted('a', clock.ms, before);
    expect([valueAt('a', '/call/1'), valueAt('a', '/call/2')]).toEqual([
      'requested after',
      undefined,
    ]);
    expect(memory.acceptedAt('a')).toBe(clock.ms - 5);
  });

  test('a revocation does not affect the requests of another credential', () => {
    const { memory, entryOf, valueAt, clock } = createStore();
    const before = memory.takeFence();
    memory.revoke('a');
    memory.recordAccepted('b', clock.ms, before);
    memory.set('b', '/call/1', entryOf('of b'), before);
    expect(valueAt('b', '/call/1')).toBe('of b');
  });

  test('a response requested before a revocation is not stored, even after ten thousand other revocations', () => {
    const { memory, entryOf } = createStore();
    const fence = memory.takeFence();
    memory.revoke('a');
    for (let other = 0; other < 10_000; other += 1) memory.revoke(`other ${other}`);
    memory.recordAccepted('a', 1_000_000, fence);
    memory.set('a', 'key', entryOf('requested before'), fence);
    expect(memory.get('a', 'key')).toBeUndefined();
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
  });

  test('each of several revocations invalidates all responses requested before it', () => {
    const { memory, entryOf, valueAt, clock } = createStore();
    const fences = [memory.takeFence()];
    for (let round = 0; round < 3; round += 1) {
      memory.revoke('a');
      fences.push(memory.takeFence());
    }
    const last = fences.pop()!;
    memory.recordAccepted('a', clock.ms, last);
    for (const fence of fences) memory.set('a', '/call/1', entryOf('requested before'), fence);
    expect(valueAt('a', '/call/1')).toBeUndefined();
    memory.set('a', '/call/1', entryOf('requested after'), last);
    expect(valueAt('a', '/call/1')).toBe('requested after');
  });
});

describe('Replacement in the memory store', () => {
  test.each([
    {
      name: 'of two responses of one instance, the later read version wins in either order',
      older: { readVersion: readVersion('p', 1), requestedAt: 500 },
      newer: { readVersion: readVersion('p', 2), requestedAt: 500 },
    },
    {
      name: 'of two responses of one instance, the read versions decide and not the clock',
      older: { readVersion: readVersion('p', 1), requestedAt: 900 },
      newer: { readVersion: readVersion('p', 2), requestedAt: 500 },
    },
    {
      name: 'of two responses of two instances, the one requested later wins whatever the sequence numbers',
      older: { readVersion: readVersion('p', 9), requestedAt: 500 },
      newer: { readVersion: readVersion('q', 1), requestedAt: 501 },
    },
    {
      name: 'of a response and a later 404, the one requested later wins',
      older: { readVersion: readVersion('p', 9), requestedAt: 500 },
      newer: { readVersion: readVersion('', 0), requestedAt: 501, status: 404 },
    },
    {
      name: 'of a 404 and a later response, the one requested later wins',
      older: { readVersion: readVersion('', 0), requestedAt: 500, status: 404 },
      newer: { readVersion: readVersion('p', 1), requestedAt: 501 },
    },
  ])('$name', ({ older, newer }) => {
    for (const order of [
      ['older', 'newer'],
      ['newer', 'older'],
    ] as const) {
      const { setAccepted, valueAt } = createStore();
      const entries = { older, newer };
      for (const age of order) setAccepted('a', '/call/1', age, entries[age]);
      expect(valueAt('a', '/call/1')).toBe('newer');
    }
  });

  test('of two responses of the same read version, the last one is stored', () => {
    const { setAccepted, valueAt } = createStore();
    setAccepted('a', '/call/1', 'in a list', { readVersion: readVersion('p', 1) });
    setAccepted('a', '/call/1', 'by itself', { readVersion: readVersion('p', 1) });
    expect(valueAt('a', '/call/1')).toBe('by itself');
  });

  test('a newer response that may not be stored still removes the older entry', () => {
    const { memory, setAccepted, clock } = createStore();
    setAccepted('a', '/call/1', 'over');
    setAccepted('a', '/call/1', 'live again', { freshUntil: clock.ms });
    expect(memory.get('a', '/call/1')).toBeUndefined();
    expect(memory.bytes).toBe(0);
  });

  test('an older response replaces nothing, even if it may not be stored', () => {
    const { setAccepted, valueAt } = createStore();
    setAccepted('a', '/call/1', 'over', {
      readVersion: readVersion('p', 2),
      requestedAt: 500,
      freshUntil: 900,
    });
    setAccepted('a', '/call/1', 'was live', {
      readVersion: readVersion('p', 1),
      requestedAt: 400,
      freshUntil: 400,
    });
    expect(valueAt('a', '/call/1')).toBe('over');
  });

  test('a replacement also replaces the counted bytes', () => {
    const { memory, setAccepted } = createStore();
    setAccepted('a', '/call/1', LARGE);
    const large = memory.bytes;
    setAccepted('a', '/call/1', 'small');
    expect(memory.bytes).toBeLessThan(large - 9_000);
    setAccepted('a', '/call/1', LARGE);
    expect(memory.bytes).toBe(large);
    memory.revoke('a');
    expect(memory.bytes).toBe(0);
  });
});

describe('Byte limit of the memory store', () => {
  test('the byte limit counts the value, the key and the overhead of an entry', () => {
    const { memory, setAccepted } = createStore();
    setAccepted('a', '/call/1', null);
    const bytesWithOne = memory.bytes;
    expect(bytesWithOne).toBeGreaterThan(100);
    setAccepted('a', `/call/2${'?'.repeat(1_000)}`, null);
    expect(memory.bytes).toBeGreaterThan(2 * bytesWithOne + 1_000);
    const before = memory.bytes;
    setAccepted('a', '/call/3', LARGE);
    expect(memory.bytes - before).toBeGreaterThan(bytesWithOne + LARGE.length);
  });

  test('the memory store evicts the least recently used entry of the credential that holds the most, and a lookup counts as use', () => {
    const { memory, setAccepted, valueAt } = createStore({ maxBytes: 35_000 });
    setAccepted('b', '/call/2', LARGE);
    setAccepted('a', '/call/1', LARGE);
    setAccepted('a', '/call/3', LARGE);
    expect(valueAt('a', '/call/1')).toBe(LARGE);
    setAccepted('a', '/call/4', LARGE);
    expect(valueAt('b', '/call/2')).toBe(LARGE);
    expect(['1', '3', '4'].map((id) => valueAt('a', `/call/${id}`))).toEqual([
      LARGE,
      undefined,
      LARGE,
    ]);
    expect(memory.bytes).toBeLessThanOrEqual(35_000);
  });

  test('a credential that holds less than its share keeps all its entries, however much another credential stores', () => {
    const { setAccepted, valueAt } = createStore({ maxBytes: 100_000 });
    for (let n = 0; n < 4; n += 1) setAccepted('small', `/call/${n}`, LARGE);
    for (let n = 0; n < 1_000; n += 1) setAccepted('large', `/call/${n}`, LARGE);
    expect(Array.from({ length: 4 }, (_, n) => valueAt('small', `/call/${n}`))).toEqual(
      Array(4).fill(LARGE),
    );
    expect(valueAt('large', '/call/999')).toBe(LARGE);
  });

  test('a response that is already expired on arrival does not count as a use of its entry', () => {
    const { setAccepted, valueAt, entryOf, memory } = createStore({ maxBytes: 35_000 });
    const late = entryOf('late');
    for (const id of ['1', '2', '3']) setAccepted('a', `/call/${id}`, LARGE);
    memory.set('a', '/call/1', late, memory.takeFence());
    setAccepted('a', '/call/4', LARGE);
    expect(['1', '2', '3', '4'].map((id) => valueAt('a', `/call/${id}`))).toEqual([
      undefined,
      LARGE,
      LARGE,
      LARGE,
    ]);
  });

  test('the byte limit holds for all credentials together', () => {
    const { memory, setAccepted, valueAt } = createStore({ maxBytes: 35_000 });
    for (const fingerprint of ['a', 'b', 'c', 'd']) setAccepted(fingerprint, '/call/1', LARGE);
    expect(['a', 'b', 'c', 'd'].map((fingerprint) => valueAt(fingerprint, '/call/1'))).toEqual([
      undefined,
      LARGE,
      LARGE,
      LARGE,
    ]);
    expect(memory.bytes).toBeLessThanOrEqual(35_000);
  });

  test('the memory store rejects a value larger than a third of its limit, and evicts only the entry that it would replace', () => {
    const { memory, setAccepted, valueAt } = createStore({ maxBytes: 35_000 });
    setAccepted('a', '/call/1', 'small');
    setAccepted('a', '/call/2', 'small, too');
    setAccepted('a', '/call/2', `${LARGE}${LARGE.slice(0, 2_000)}`);
    expect([valueAt('a', '/call/1'), valueAt('a', '/call/2')]).toEqual(['small', undefined]);
    // No trace of the value is left that a revocation could trip over.
    memory.revoke('a');
    expect(memory.bytes).toBe(0);
  });

  test('a memory store with a limit of 0 bytes stores nothing', () => {
    const { memory, setAccepted, valueAt } = createStore({ maxBytes: 0 });
    setAccepted('a', '/call/1', null);
    expect(valueAt('a', '/call/1')).toBeUndefined();
    expect(memory.bytes).toBe(0);
  });

  test('the memory store never exceeds its byte limit', () => {
    const maxBytes = 100_000;
    const { memory, setAccepted, valueAt } = createStore({ maxBytes });
    let peakBytes = 0;
    for (let index = 0; index < 3_000; index += 1) {
      const fingerprint = `credential ${index % 7}`;
      setAccepted(fingerprint, `/call/${(index * 31) % 101}`, 'x'.repeat((index * 7_919) % 12_000));
      if (index % 97 === 0) memory.revoke(fingerprint);
      valueAt(fingerprint, `/call/${(index * 17) % 101}`);
      peakBytes = Math.max(peakBytes, memory.bytes);
    }
    expect(peakBytes).toBeLessThanOrEqual(maxBytes);
    expect(peakBytes).toBeGreaterThan(maxBytes - 15_000);
    for (let index = 0; index < 7; index += 1) memory.revoke(`credential ${index}`);
    expect(memory.bytes).toBe(0);
  });
});

describe('Credential limit of the memory store', () => {
  const MAX_CREDENTIALS = 10_000;

  test('the memory store evicts the least recently used credential with all its entries', () => {
    const { memory, setAccepted, valueAt } = createStore();
    for (let index = 0; index < MAX_CREDENTIALS; index += 1)
      setAccepted(`credential ${index}`, '/call/1', index);
    const full = memory.bytes;
    expect(valueAt('credential 0', '/call/1')).toBe(0);

    setAccepted('one more', '/call/1', 'of one more');

    expect(valueAt('credential 0', '/call/1')).toBe(0);
    expect(valueAt('credential 1', '/call/1')).toBeUndefined();
    expect(memory.acceptedAt('credential 1')).toBe(Number.NEGATIVE_INFINITY);
    expect(valueAt('credential 2', '/call/1')).toBe(2);
    expect(valueAt('one more', '/call/1')).toBe('of one more');
    expect(Math.abs(memory.bytes - full)).toBeLessThan(200);
  });

  test('credentials that were never accepted do not count towards the credential limit', () => {
    const { memory, setAccepted, valueAt, entryOf } = createStore();
    setAccepted('a', '/call/1', 'of a');
    for (let index = 0; index <= MAX_CREDENTIALS; index += 1) {
      const made = `made up ${index}`;
      memory.get(made, '/call/1');
      memory.set(made, '/call/1', entryOf('nothing'), memory.takeFence());
      memory.revoke(made);
    }
    expect(valueAt('a', '/call/1')).toBe('of a');
  });
});

describe('Sweep of the memory store', () => {
  test('one sweep is scheduled while the memory store holds anything', () => {
    const { memory, timers, setAccepted } = createStore();
    expect(timers.running).toEqual([]);
    setAccepted('a', '/call/1', 'of a');
    setAccepted('b', '/call/1', 'of b');
    expect(timers.running).toEqual([SWEEP_INTERVAL_MS]);
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(timers.running).toEqual([SWEEP_INTERVAL_MS]);
    memory.revoke('a');
    memory.revoke('b');
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(timers.running).toEqual([]);
    setAccepted('a', '/call/1', 'again');
    expect(timers.running).toEqual([SWEEP_INTERVAL_MS]);
  });

  test('the sweep drops entries that are past their freshness and grace, and no others', () => {
    const { memory, timers, clock, setAccepted, valueAt } = createStore();
    setAccepted('a', '/call/1', 'short', { freshUntil: clock.ms + 10 });
    setAccepted('a', '/call/2', 'long', { freshUntil: clock.ms + 20 });
    const both = memory.bytes;
    clock.ms += 10 + GRACE_MS;
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(memory.bytes).toBe(both);
    clock.ms += 1;
    timers.elapse(SWEEP_INTERVAL_MS);
    expect([valueAt('a', '/call/1'), valueAt('a', '/call/2')]).toEqual([undefined, 'long']);
    expect(memory.bytes).toBeLessThan(both);
  });

  test('the sweep does not count as a use of an entry', () => {
    const { timers, setAccepted, valueAt } = createStore({ maxBytes: 35_000 });
    for (const id of ['1', '2', '3']) setAccepted('a', `/call/${id}`, LARGE);
    expect(valueAt('a', '/call/1')).toBe(LARGE);
    timers.elapse(SWEEP_INTERVAL_MS);
    setAccepted('a', '/call/4', LARGE);
    expect(['1', '2', '3', '4'].map((id) => valueAt('a', `/call/${id}`))).toEqual([
      LARGE,
      undefined,
      LARGE,
      LARGE,
    ]);
  });

  test('the sweep forgets a credential without entries once it has been idle for long enough', () => {
    const { memory, timers, clock } = createStore();
    const acceptedAt = clock.ms;
    memory.recordAccepted('a', acceptedAt, memory.takeFence());
    clock.ms = acceptedAt + IDLE_MS;
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(memory.acceptedAt('a')).toBe(acceptedAt);
    clock.ms += 1;
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
    expect(timers.running).toEqual([]);
  });

  test('the sweep keeps a credential that has entries', () => {
    const { memory, timers, clock, setAccepted, valueAt } = createStore();
    setAccepted('a', '/call/1', 'for days', { freshUntil: clock.ms + 10 * IDLE_MS });
    clock.ms += 5 * IDLE_MS;
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(valueAt('a', '/call/1')).toBe('for days');
    expect(memory.acceptedAt('a')).toBe(clock.ms - 5 * IDLE_MS);
  });

  test('the sweep that drops the last entry of an idle credential also forgets the credential', () => {
    const { memory, timers, clock, setAccepted } = createStore();
    for (let index = 0; index < 3; index += 1) setAccepted('a', `/call/${index}`, 'of a');
    clock.ms += IDLE_MS + FRESH_MS + GRACE_MS + 1;
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(memory.bytes).toBe(0);
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
    expect(timers.running).toEqual([]);
  });

  test('the sweep forgets an idle credential whose entries were evicted', () => {
    const { memory, timers, clock, setAccepted } = createStore({ maxBytes: 35_000 });
    setAccepted('a', '/call/1', LARGE);
    clock.ms += IDLE_MS + 1;
    for (const fingerprint of ['b', 'c', 'd']) setAccepted(fingerprint, '/call/1', LARGE);
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
    expect(memory.acceptedAt('b')).toBe(clock.ms);
  });

  test('repeated acceptances of a credential do not postpone the sweep', () => {
    const { timers, clock, setAccepted, memory, valueAt } = createStore();
    setAccepted('a', '/call/1', 'old');
    for (let round = 0; round < 20; round += 1) {
      clock.ms += SWEEP_INTERVAL_MS;
      memory.recordAccepted('a', clock.ms, memory.takeFence());
      expect(timers.running).toEqual([SWEEP_INTERVAL_MS]);
      timers.elapse(SWEEP_INTERVAL_MS);
    }
    expect(valueAt('a', '/call/1')).toBeUndefined();
  });
});
