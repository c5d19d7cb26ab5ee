import { describe, expect, test } from 'vitest';
import { createMemory, type Entry, type MemoryOptions, SWEEP_MS } from '#cache/memory.ts';
import type { Reading } from '#rest/question.ts';
import { createManualTimers } from '../rest/real-server.ts';

const FRESH_MS = 1_000;
const GRACE_MS = 10_000;
const IDLE_MS = 500_000;
const PLENTY = 2 ** 30;

/** Text that a memory of `maxBytes` can hold a few of. */
const LARGE = 'x'.repeat(10_000);

/** A memory with a clock and timers of the test's own. */
function createOne(options: Partial<MemoryOptions> = {}) {
  const timers = createManualTimers();
  const clock = { ms: 1_000_000 };
  const memory = createMemory({
    maxBytes: PLENTY,
    graceMs: GRACE_MS,
    idleMs: IDLE_MS,
    now: () => clock.ms,
    startTimer: timers.startTimer,
    ...options,
  });
  let number = 0;
  /** An answer of this moment, later than all before. */
  const entryOf = (value: unknown, changes: Partial<Entry> = {}): Entry => {
    number += 1;
    return {
      value,
      status: 200,
      reading: readingOf('ours', number),
      askedAt: clock.ms,
      freshUntil: (changes.askedAt ?? clock.ms) + FRESH_MS,
      isLive: false,
      ...changes,
    };
  };
  return {
    memory,
    timers,
    clock,
    entryOf,
    /** Takes the credential, and keeps an answer for it. */
    remember(fingerprint: string, key: string, value: unknown, changes?: Partial<Entry>): Entry {
      const entry = entryOf(value, changes);
      memory.accept(fingerprint, clock.ms, memory.mark());
      memory.keep(fingerprint, key, entry, memory.mark());
      return entry;
    },
    valueAt: (fingerprint: string, key: string) => memory.find(fingerprint, key)?.value,
  };
}

function readingOf(process: string, number: number): Reading {
  return { process, number, isRemembered: false };
}

describe('The memory', () => {
  test('gives back what was kept: the very value, with all that is known of it', () => {
    const { memory, remember } = createOne();
    const value = Object.freeze({ id: 'call' });
    const entry = remember('a', '/call/1', value, { isLive: true, status: 203 });
    expect(memory.find('a', '/call/1')).toMatchObject(entry);
    expect(memory.find('a', '/call/1')!.value).toBe(value);
    expect(memory.find('a', '/call/2')).toBeUndefined();
  });

  test('tells credentials apart: under one key each finds its own, and nobody another’s', () => {
    const { remember, valueAt, memory } = createOne();
    remember('a', '/call/1', 'of a');
    remember('b', '/call/1', 'of b');
    remember('b', '/call/2', 'of b alone');
    memory.accept('c', 0, memory.mark());
    expect(['a', 'b', 'c'].map((fingerprint) => valueAt(fingerprint, '/call/1'))).toEqual(['of a', 'of b', undefined]);
    expect(['a', 'b', 'c'].map((fingerprint) => valueAt(fingerprint, '/call/2'))).toEqual([undefined, 'of b alone', undefined]);
  });

  test('keeps that there is nothing, too', () => {
    const { memory, remember } = createOne();
    remember('a', '/call/1', null, { status: 404 });
    expect(memory.find('a', '/call/1')).toMatchObject({ value: null, status: 404 });
  });

  test('keeps nothing for a credential that was not taken', () => {
    const { memory, entryOf, valueAt } = createOne();
    memory.accept('a', 0, memory.mark());
    memory.keep('stranger', '/call/1', entryOf('not for strangers'), memory.mark());
    expect(memory.bytes).toBe(0);
    memory.accept('stranger', 0, memory.mark());
    expect(valueAt('stranger', '/call/1')).toBeUndefined();
  });

  test('gives what is past its freshness, for whoever asks has to judge', () => {
    const { clock, remember, valueAt } = createOne();
    remember('a', '/call/1', 'old');
    clock.ms += FRESH_MS + GRACE_MS + 1;
    expect(valueAt('a', '/call/1')).toBe('old');
  });
});

describe('When a credential was taken', () => {
  test('is not known of one that never was', () => {
    expect(createOne().memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
  });

  test('is when it was asked with last, in whatever order the answers come', () => {
    const { memory } = createOne();
    memory.accept('a', 200, memory.mark());
    memory.accept('a', 100, memory.mark());
    expect(memory.acceptedAt('a')).toBe(200);
    memory.accept('a', 300, memory.mark());
    expect(memory.acceptedAt('a')).toBe(300);
    expect(memory.acceptedAt('b')).toBe(Number.NEGATIVE_INFINITY);
  });

  test('is forgotten with a refusal', () => {
    const { memory } = createOne();
    memory.accept('a', 200, memory.mark());
    memory.refuse('a');
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('A refusal', () => {
  test('drops all of its credential, and nothing of another', () => {
    const { memory, remember, valueAt } = createOne();
    remember('b', '/call/1', 'of b');
    const bytesOfB = memory.bytes;
    for (let index = 0; index < 10; index += 1) remember('a', `/call/${index}`, 'of a');
    memory.refuse('a');
    expect(Array.from({ length: 10 }, (_, index) => valueAt('a', `/call/${index}`))).toEqual(Array(10).fill(undefined));
    expect(valueAt('b', '/call/1')).toBe('of b');
    expect(memory.bytes).toBe(bytesOfB);
    expect(memory.acceptedAt('b')).not.toBe(Number.NEGATIVE_INFINITY);
  });

  test('stays when the credential is taken again: what was dropped does not come back', () => {
    const { memory, remember, valueAt } = createOne();
    remember('a', '/call/1', 'before');
    memory.refuse('a');
    remember('a', '/call/2', 'after');
    expect([valueAt('a', '/call/1'), valueAt('a', '/call/2')]).toEqual([undefined, 'after']);
  });

  test('tells whether the credential was known', () => {
    const { memory, remember } = createOne();
    expect(memory.refuse('a')).toBe(false);
    remember('a', '/call/1', 'of a');
    expect(memory.refuse('a')).toBe(true);
    expect(memory.refuse('a')).toBe(false);
  });

  test('outdoes what was asked before it and comes after it', () => {
    const { memory, entryOf, valueAt, clock } = createOne();
    memory.accept('a', clock.ms, memory.mark());
    const before = memory.mark();
    memory.refuse('a');

    memory.accept('a', clock.ms, before);
    memory.keep('a', '/call/1', entryOf('asked before'), before);

    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
    expect(valueAt('a', '/call/1')).toBeUndefined();
  });

  test('outdoes what was asked before it even when the credential has been taken again since', () => {
    const { memory, entryOf, remember, valueAt, clock } = createOne();
    const before = memory.mark();
    memory.refuse('a');
    remember('a', '/call/1', 'asked after');
    clock.ms += 5;
    memory.keep('a', '/call/2', entryOf('asked before'), before);
    memory.accept('a', clock.ms, before);
    expect([valueAt('a', '/call/1'), valueAt('a', '/call/2')]).toEqual(['asked after', undefined]);
    expect(memory.acceptedAt('a')).toBe(clock.ms - 5);
  });

  test('does not concern what another credential asked before it', () => {
    const { memory, entryOf, valueAt, clock } = createOne();
    const before = memory.mark();
    memory.refuse('a');
    memory.accept('b', clock.ms, before);
    memory.keep('b', '/call/1', entryOf('of b'), before);
    expect(valueAt('b', '/call/1')).toBe('of b');
  });

  test('outdoes it even when it has been forgotten among ten thousand others', () => {
    const { memory, entryOf } = createOne();
    const mark = memory.mark();
    memory.refuse('a');
    for (let other = 0; other < 10_000; other += 1) memory.refuse(`other ${other}`);
    memory.accept('a', 1_000_000, mark);
    memory.keep('a', 'key', entryOf('asked before'), mark);
    expect(memory.find('a', 'key')).toBeUndefined();
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
  });

  test('is one of several: each outdoes all that was asked before it', () => {
    const { memory, entryOf, valueAt, clock } = createOne();
    const marks = [memory.mark()];
    for (let round = 0; round < 3; round += 1) {
      memory.refuse('a');
      marks.push(memory.mark());
    }
    const last = marks.pop()!;
    memory.accept('a', clock.ms, last);
    for (const mark of marks) memory.keep('a', '/call/1', entryOf('asked before'), mark);
    expect(valueAt('a', '/call/1')).toBeUndefined();
    memory.keep('a', '/call/1', entryOf('asked after'), last);
    expect(valueAt('a', '/call/1')).toBe('asked after');
  });
});

describe('Of two answers to one question', () => {
  test.each([
    {
      name: 'of one process, the later reading wins, whichever comes first',
      older: { reading: readingOf('p', 1), askedAt: 500 },
      newer: { reading: readingOf('p', 2), askedAt: 500 },
    },
    {
      name: 'of one process, the readings count and not the clock',
      older: { reading: readingOf('p', 1), askedAt: 900 },
      newer: { reading: readingOf('p', 2), askedAt: 500 },
    },
    {
      name: 'of two processes, the one asked later wins, whatever the numbers',
      older: { reading: readingOf('p', 9), askedAt: 500 },
      newer: { reading: readingOf('q', 1), askedAt: 501 },
    },
    {
      name: 'of which one says that there is nothing, the one asked later wins',
      older: { reading: readingOf('p', 9), askedAt: 500 },
      newer: { reading: readingOf('', 0), askedAt: 501, status: 404 },
    },
    {
      name: 'of which the older one says that there is nothing, the one asked later wins',
      older: { reading: readingOf('', 0), askedAt: 500, status: 404 },
      newer: { reading: readingOf('p', 1), askedAt: 501 },
    },
  ])('$name', ({ older, newer }) => {
    for (const order of [
      ['older', 'newer'],
      ['newer', 'older'],
    ] as const) {
      const { remember, valueAt } = createOne();
      const entries = { older, newer };
      for (const age of order) remember('a', '/call/1', age, entries[age]);
      expect(valueAt('a', '/call/1')).toBe('newer');
    }
  });

  test('of one reading, the one that comes last is kept', () => {
    const { remember, valueAt } = createOne();
    remember('a', '/call/1', 'in a list', { reading: readingOf('p', 1) });
    remember('a', '/call/1', 'by itself', { reading: readingOf('p', 1) });
    expect(valueAt('a', '/call/1')).toBe('by itself');
  });

  test('the newer one replaces the older though it may not be kept itself', () => {
    const { memory, remember, clock } = createOne();
    remember('a', '/call/1', 'over');
    remember('a', '/call/1', 'live again', { freshUntil: clock.ms });
    expect(memory.find('a', '/call/1')).toBeUndefined();
    expect(memory.bytes).toBe(0);
  });

  test('the older one replaces nothing, not even when it may not be kept', () => {
    const { remember, valueAt } = createOne();
    remember('a', '/call/1', 'over', { reading: readingOf('p', 2), askedAt: 500, freshUntil: 900 });
    remember('a', '/call/1', 'was live', { reading: readingOf('p', 1), askedAt: 400, freshUntil: 400 });
    expect(valueAt('a', '/call/1')).toBe('over');
  });

  test('one replaces the other’s bytes', () => {
    const { memory, remember } = createOne();
    remember('a', '/call/1', LARGE);
    const large = memory.bytes;
    remember('a', '/call/1', 'small');
    expect(memory.bytes).toBeLessThan(large - 9_000);
    remember('a', '/call/1', LARGE);
    expect(memory.bytes).toBe(large);
    memory.refuse('a');
    expect(memory.bytes).toBe(0);
  });
});

describe('The bound in bytes', () => {
  test('counts the value, and the place it takes', () => {
    const { memory, remember } = createOne();
    remember('a', '/call/1', null);
    const place = memory.bytes;
    expect(place).toBeGreaterThan(100);
    remember('a', `/call/2${'?'.repeat(1_000)}`, null);
    expect(memory.bytes).toBeGreaterThan(2 * place + 1_000);
    const before = memory.bytes;
    remember('a', '/call/3', LARGE);
    expect(memory.bytes - before).toBeGreaterThan(place + LARGE.length);
  });

  test('evicts what the credential that holds the most has used least recently: finding is using', () => {
    const { memory, remember, valueAt } = createOne({ maxBytes: 35_000 });
    remember('b', '/call/2', LARGE);
    remember('a', '/call/1', LARGE);
    remember('a', '/call/3', LARGE);
    expect(valueAt('a', '/call/1')).toBe(LARGE);
    remember('a', '/call/4', LARGE);
    expect(valueAt('b', '/call/2')).toBe(LARGE);
    expect(['1', '3', '4'].map((id) => valueAt('a', `/call/${id}`))).toEqual([LARGE, undefined, LARGE]);
    expect(memory.bytes).toBeLessThanOrEqual(35_000);
  });

  test('leaves a credential that holds less than its share all that it holds, however much another brings', () => {
    const { remember, valueAt } = createOne({ maxBytes: 100_000 });
    for (let n = 0; n < 4; n += 1) remember('small', `/call/${n}`, LARGE);
    for (let n = 0; n < 1_000; n += 1) remember('large', `/call/${n}`, LARGE);
    expect(Array.from({ length: 4 }, (_, n) => valueAt('small', `/call/${n}`))).toEqual(Array(4).fill(LARGE));
    expect(valueAt('large', '/call/999')).toBe(LARGE);
  });

  test('does not take an answer that comes too late for use', () => {
    const { remember, valueAt, entryOf, memory } = createOne({ maxBytes: 35_000 });
    const late = entryOf('late');
    for (const id of ['1', '2', '3']) remember('a', `/call/${id}`, LARGE);
    memory.keep('a', '/call/1', late, memory.mark());
    remember('a', '/call/4', LARGE);
    expect(['1', '2', '3', '4'].map((id) => valueAt('a', `/call/${id}`))).toEqual([undefined, LARGE, LARGE, LARGE]);
  });

  test('is of all credentials together', () => {
    const { memory, remember, valueAt } = createOne({ maxBytes: 35_000 });
    for (const fingerprint of ['a', 'b', 'c', 'd']) remember(fingerprint, '/call/1', LARGE);
    expect(['a', 'b', 'c', 'd'].map((fingerprint) => valueAt(fingerprint, '/call/1'))).toEqual([undefined, LARGE, LARGE, LARGE]);
    expect(memory.bytes).toBeLessThanOrEqual(35_000);
  });

  test('does not keep what is larger than a third of all, nor drop anything for it but what it replaces', () => {
    const { memory, remember, valueAt } = createOne({ maxBytes: 35_000 });
    remember('a', '/call/1', 'small');
    remember('a', '/call/2', 'small, too');
    remember('a', '/call/2', `${LARGE}${LARGE.slice(0, 2_000)}`);
    expect([valueAt('a', '/call/1'), valueAt('a', '/call/2')]).toEqual(['small', undefined]);
    // No trace of it is left that a refusal could fall over.
    memory.refuse('a');
    expect(memory.bytes).toBe(0);
  });

  test('of nothing keeps nothing', () => {
    const { memory, remember, valueAt } = createOne({ maxBytes: 0 });
    remember('a', '/call/1', null);
    expect(valueAt('a', '/call/1')).toBeUndefined();
    expect(memory.bytes).toBe(0);
  });

  test('is never passed, whatever comes and goes', () => {
    const maxBytes = 100_000;
    const { memory, remember, valueAt } = createOne({ maxBytes });
    let mostBytes = 0;
    for (let index = 0; index < 3_000; index += 1) {
      const fingerprint = `credential ${index % 7}`;
      remember(fingerprint, `/call/${(index * 31) % 101}`, 'x'.repeat((index * 7_919) % 12_000));
      if (index % 97 === 0) memory.refuse(fingerprint);
      valueAt(fingerprint, `/call/${(index * 17) % 101}`);
      mostBytes = Math.max(mostBytes, memory.bytes);
    }
    expect(mostBytes).toBeLessThanOrEqual(maxBytes);
    expect(mostBytes).toBeGreaterThan(maxBytes - 15_000);
    for (let index = 0; index < 7; index += 1) memory.refuse(`credential ${index}`);
    expect(memory.bytes).toBe(0);
  });
});

describe('The bound in credentials', () => {
  const MOST = 10_000;

  test('lets the one least recently used go, with all that is kept for it', () => {
    const { memory, remember, valueAt } = createOne();
    for (let index = 0; index < MOST; index += 1) remember(`credential ${index}`, '/call/1', index);
    const full = memory.bytes;
    expect(valueAt('credential 0', '/call/1')).toBe(0);

    remember('one more', '/call/1', 'of one more');

    expect(valueAt('credential 0', '/call/1')).toBe(0);
    expect(valueAt('credential 1', '/call/1')).toBeUndefined();
    expect(memory.acceptedAt('credential 1')).toBe(Number.NEGATIVE_INFINITY);
    expect(valueAt('credential 2', '/call/1')).toBe(2);
    expect(valueAt('one more', '/call/1')).toBe('of one more');
    expect(Math.abs(memory.bytes - full)).toBeLessThan(200);
  });

  test('is not reached by credentials that are none', () => {
    const { memory, remember, valueAt, entryOf } = createOne();
    remember('a', '/call/1', 'of a');
    for (let index = 0; index <= MOST; index += 1) {
      const made = `made up ${index}`;
      memory.find(made, '/call/1');
      memory.keep(made, '/call/1', entryOf('nothing'), memory.mark());
      memory.refuse(made);
    }
    expect(valueAt('a', '/call/1')).toBe('of a');
  });
});

describe('The sweep', () => {
  test('is planned once, as long as there is anything to drop', () => {
    const { memory, timers, remember } = createOne();
    expect(timers.running).toEqual([]);
    remember('a', '/call/1', 'of a');
    remember('b', '/call/1', 'of b');
    expect(timers.running).toEqual([SWEEP_MS]);
    timers.elapse(SWEEP_MS);
    expect(timers.running).toEqual([SWEEP_MS]);
    memory.refuse('a');
    memory.refuse('b');
    timers.elapse(SWEEP_MS);
    expect(timers.running).toEqual([]);
    remember('a', '/call/1', 'again');
    expect(timers.running).toEqual([SWEEP_MS]);
  });

  test('drops what is past its freshness and grace, and not before', () => {
    const { memory, timers, clock, remember, valueAt } = createOne();
    remember('a', '/call/1', 'short', { freshUntil: clock.ms + 10 });
    remember('a', '/call/2', 'long', { freshUntil: clock.ms + 20 });
    const both = memory.bytes;
    clock.ms += 10 + GRACE_MS;
    timers.elapse(SWEEP_MS);
    expect(memory.bytes).toBe(both);
    clock.ms += 1;
    timers.elapse(SWEEP_MS);
    expect([valueAt('a', '/call/1'), valueAt('a', '/call/2')]).toEqual([undefined, 'long']);
    expect(memory.bytes).toBeLessThan(both);
  });

  test('does not count as use', () => {
    const { timers, remember, valueAt } = createOne({ maxBytes: 35_000 });
    for (const id of ['1', '2', '3']) remember('a', `/call/${id}`, LARGE);
    expect(valueAt('a', '/call/1')).toBe(LARGE);
    timers.elapse(SWEEP_MS);
    remember('a', '/call/4', LARGE);
    expect(['1', '2', '3', '4'].map((id) => valueAt('a', `/call/${id}`))).toEqual([LARGE, undefined, LARGE, LARGE]);
  });

  test('forgets a credential of which nothing is kept, when it was not used for long, and not before', () => {
    const { memory, timers, clock } = createOne();
    const acceptedAt = clock.ms;
    memory.accept('a', acceptedAt, memory.mark());
    clock.ms = acceptedAt + IDLE_MS;
    timers.elapse(SWEEP_MS);
    expect(memory.acceptedAt('a')).toBe(acceptedAt);
    clock.ms += 1;
    timers.elapse(SWEEP_MS);
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
    expect(timers.running).toEqual([]);
  });

  test('does not forget a credential of which something is kept', () => {
    const { memory, timers, clock, remember, valueAt } = createOne();
    remember('a', '/call/1', 'for days', { freshUntil: clock.ms + 10 * IDLE_MS });
    clock.ms += 5 * IDLE_MS;
    timers.elapse(SWEEP_MS);
    expect(valueAt('a', '/call/1')).toBe('for days');
    expect(memory.acceptedAt('a')).toBe(clock.ms - 5 * IDLE_MS);
  });

  test('forgets a credential in the sweep that drops the last that is kept for it', () => {
    const { memory, timers, clock, remember } = createOne();
    for (let index = 0; index < 3; index += 1) remember('a', `/call/${index}`, 'of a');
    clock.ms += IDLE_MS + FRESH_MS + GRACE_MS + 1;
    timers.elapse(SWEEP_MS);
    expect(memory.bytes).toBe(0);
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
    expect(timers.running).toEqual([]);
  });

  test('forgets a credential whose entries made room for others', () => {
    const { memory, timers, clock, remember } = createOne({ maxBytes: 35_000 });
    remember('a', '/call/1', LARGE);
    clock.ms += IDLE_MS + 1;
    for (const fingerprint of ['b', 'c', 'd']) remember(fingerprint, '/call/1', LARGE);
    timers.elapse(SWEEP_MS);
    expect(memory.acceptedAt('a')).toBe(Number.NEGATIVE_INFINITY);
    expect(memory.acceptedAt('b')).toBe(clock.ms);
  });

  test('is not put off by a credential that is taken again and again', () => {
    const { timers, clock, remember, memory, valueAt } = createOne();
    remember('a', '/call/1', 'old');
    for (let round = 0; round < 20; round += 1) {
      clock.ms += SWEEP_MS;
      memory.accept('a', clock.ms, memory.mark());
      expect(timers.running).toEqual([SWEEP_MS]);
      timers.elapse(SWEEP_MS);
    }
    expect(valueAt('a', '/call/1')).toBeUndefined();
  });
});
