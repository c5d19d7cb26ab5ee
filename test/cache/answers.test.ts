import { describe, expect, test } from 'vitest';
import { createAnswers, type Ingredient, type WholeAnswer } from '#cache/answers.ts';
import { createMemory, type Entry, SWEEP_MS } from '#cache/memory.ts';
import { createServingRules } from '#cache/serving-rules.ts';
import type { Endpoint } from '#rest/question.ts';
import { createClock } from '../kit/clock.ts';
import { createManualTimers } from '../rest/real-server.ts';

const FRESH_MS = 1_000;
const GRACE_MS = 1_000_000;
const RECHECK_MS = 500;
const PLENTY = 2 ** 30;
const CALL: Endpoint = '/call/{id}';

interface Text extends WholeAnswer {
  readonly body: string;
}

/** Answers beside what they are made of, with a clock and timers of the test's own. */
function createPlace({ maxBytes = PLENTY, recheckMs = Number.POSITIVE_INFINITY } = {}) {
  const clock = createClock();
  const timers = createManualTimers();
  const memory = createMemory({
    maxBytes,
    graceMs: GRACE_MS,
    idleMs: GRACE_MS,
    now: clock.now,
    startTimer: timers.startTimer,
  });
  const rules = createServingRules({
    whileRevalidatingMs: 100,
    graceMs: GRACE_MS,
    credentialRecheckMs: recheckMs,
    acceptedAt: memory.acceptedAt,
    now: clock.now,
  });
  const told: string[] = [];
  const events = { onAnswered: (endpoint: Endpoint, source: string) => told.push(`${endpoint} ${source}`) };
  const answers = createAnswers<Text>({ memory, rules, events, now: clock.now });
  let serial = 0;
  const place = {
    clock,
    memory,
    timers,
    answers,
    takeTold: () => told.splice(0),
    /** The upstream takes the credential, and answers a question: that is kept. */
    learn(key: string, { fingerprint = 'a', freshForMs = FRESH_MS, value = 'x' as unknown } = {}): Ingredient {
      serial += 1;
      const entry: Entry = {
        value,
        status: 200,
        reading: { process: 'ours', number: serial, isRemembered: false },
        askedAt: clock.now(),
        freshUntil: clock.now() + freshForMs,
        isLive: false,
        serial,
      };
      memory.accept(fingerprint, clock.now(), memory.mark());
      memory.keep(fingerprint, key, entry, memory.mark());
      return { endpoint: CALL, key, serial };
    },
    /** An operation is answered out of these. */
    keep(madeOf: readonly Ingredient[], { fingerprint = 'a', body = 'the answer', mark = answers.mark() } = {}): void {
      const freshUntil = Math.min(
        ...madeOf.map(({ key }) => memory.find(fingerprint, key)?.freshUntil ?? clock.now() + FRESH_MS),
      );
      answers.keep(fingerprint, 'asked', { body, bytes: 2 * body.length, freshUntil, madeOf }, mark);
    },
    found: (fingerprint = 'a') => answers.find(fingerprint, 'asked')?.body,
  };
  return place;
}

describe('A whole answer is found', () => {
  test('while all that it is made of is kept and fresh; each of those counts as asked', () => {
    const { learn, keep, found, clock, takeTold } = createPlace();
    keep([learn('/call/1'), learn('/call/2'), learn('/call/3')]);
    expect(found()).toBe('the answer');
    clock.pass(FRESH_MS - 1);
    expect(found()).toBe('the answer');
    expect(takeTold()).toEqual(Array.from({ length: 6 }, () => `${CALL} memory`));
  });

  test('no longer than the least fresh of that', () => {
    const { learn, keep, found, clock, takeTold } = createPlace();
    keep([learn('/call/1'), learn('/call/2', { freshForMs: 10 })]);
    clock.pass(9);
    expect(found()).toBe('the answer');
    takeTold();
    clock.pass(1);
    expect(found()).toBeUndefined();
    expect(takeTold()).toEqual([]);
  });

  test('for ten minutes, where nothing of the upstream is in it', () => {
    const { memory, answers, clock } = createPlace();
    memory.accept('a', 0, memory.mark());
    answers.keep('a', 'key', { body: 'the schema', bytes: 10, freshUntil: Number.POSITIVE_INFINITY, madeOf: [] }, answers.mark());
    clock.pass(599_999);
    expect(answers.find('a', 'key')?.body).toBe('the schema');
    clock.pass(1);
    expect(answers.find('a', 'key')).toBeUndefined();
  });

  test('only by its own key, and only for the credential that asked', () => {
    const { learn, keep, found, answers } = createPlace();
    keep([learn('/call/1')]);
    learn('/call/1', { fingerprint: 'b' });
    expect(found('b')).toBeUndefined();
    expect(found('nobody')).toBeUndefined();
    expect(answers.find('a', 'asked ')).toBeUndefined();
    expect(answers.find('a', '')).toBeUndefined();
    expect(found()).toBe('the answer');
  });

  test('not in the place of a question: no path is one of its keys', () => {
    const { learn, keep, memory } = createPlace();
    keep([learn('/call/1')]);
    expect(memory.find('a', 'asked')).toBeUndefined();
    expect(memory.entries).toBe(2);
  });
});

describe('A whole answer is not found', () => {
  test('when something newer has come in the place of what it is made of, though all the rest is as it was', () => {
    const { learn, keep, found, memory } = createPlace();
    keep([learn('/call/1'), learn('/call/2')]);
    learn('/call/2');
    expect(found()).toBeUndefined();
    // And is no more in the way.
    expect(memory.entries).toBe(2);
  });

  test('when something newer that may not be kept has pushed out what it is made of', () => {
    const { learn, keep, found } = createPlace();
    keep([learn('/call/1')]);
    learn('/call/1', { freshForMs: 0 });
    expect(found()).toBeUndefined();
  });

  test('when a part of it was pushed out by others', () => {
    const { learn, keep, found, memory, clock } = createPlace({ maxBytes: 60_000 });
    keep([learn('/call/1', { freshForMs: 50 * FRESH_MS })]);
    // The answer is used again and again, and what it is made of with it.
    for (let n = 0; n < 50; n += 1) {
      clock.pass(FRESH_MS / 2);
      learn(`/call/other-${n}`, { value: 'x'.repeat(2_000) });
      expect(found()).toBe('the answer');
    }
    memory.drop('a', '/call/1');
    expect(found()).toBeUndefined();
    keep([learn('/call/1')]);
    for (let n = 0; n < 50; n += 1) learn(`/call/other-${n}`, { value: 'x'.repeat(2_000) });
    expect(memory.find('a', '/call/1')).toBeUndefined();
    expect(found()).toBeUndefined();
  });

  test('once the credential was refused, nor when it is taken again', () => {
    const { learn, keep, found, memory } = createPlace();
    keep([learn('/call/1')]);
    memory.refuse('a');
    expect(found()).toBeUndefined();
    learn('/call/1');
    expect(found()).toBeUndefined();
  });

  test('while nobody knows whether the credential is still taken; it is when that is known', () => {
    const { learn, keep, found, clock } = createPlace({ recheckMs: RECHECK_MS });
    keep([learn('/call/1')]);
    clock.pass(RECHECK_MS - 1);
    expect(found()).toBe('the answer');
    clock.pass(1);
    expect(found()).toBeUndefined();
    learn('/call/other');
    expect(found()).toBe('the answer');
  });

  test('when the clock has been set back to before it was made', () => {
    const { learn, keep, found, clock } = createPlace();
    const ingredient = learn('/call/1');
    clock.pass(10);
    keep([ingredient]);
    clock.pass(-1);
    expect(found()).toBeUndefined();
  });
});

describe('A whole answer is not kept', () => {
  test('when it is made of more than two hundred', () => {
    const { learn, keep, found, memory } = createPlace();
    const madeOf = Array.from({ length: 201 }, (_, n) => learn(`/call/${n}`));
    memory.accept('a', 0, memory.mark());
    keep(madeOf);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(201);
    const fewer = Array.from({ length: 200 }, (_, n) => learn(`/call/${n}`));
    keep(fewer);
    expect(found()).toBe('the answer');
  });

  test('when a part of it was not kept: nobody would learn that it has changed', () => {
    const { learn, keep, found, memory } = createPlace();
    keep([learn('/call/1'), { endpoint: CALL, key: '/call/failed', serial: undefined }]);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(1);
  });

  test('or is of no use, when a part of it was read, but something newer kept', () => {
    const { learn, keep, found } = createPlace();
    keep([learn('/call/1'), { endpoint: CALL, key: '/call/2', serial: 1_000 }]);
    expect(found()).toBeUndefined();
  });

  test('when it is not fresh any more by the time that it is made', () => {
    const { learn, keep, memory, clock } = createPlace();
    const ingredient = learn('/call/1');
    clock.pass(FRESH_MS);
    keep([ingredient]);
    expect(memory.entries).toBe(1);
  });

  test('when the credential was refused while it was made, though it has been taken since', () => {
    const { learn, keep, found, answers, memory } = createPlace();
    learn('/call/1');
    const mark = answers.mark();
    memory.refuse('a');
    keep([learn('/call/1')], { mark });
    expect(found()).toBeUndefined();
    keep([learn('/call/1')]);
    expect(found()).toBe('the answer');
  });

  test('for a credential that the upstream has not taken', () => {
    const { keep, memory } = createPlace();
    keep([{ endpoint: CALL, key: '/call/1', serial: 1 }], { fingerprint: 'stranger' });
    expect(memory.entries).toBe(0);
  });
});

describe('Whole answers have no memory of their own', () => {
  test('the bound is one for them and for what they are made of', () => {
    const maxBytes = 100_000;
    const { learn, answers, clock, memory } = createPlace({ maxBytes });
    const madeOf = [learn('/call/1')];
    for (let n = 0; n < 1_000; n += 1) {
      const answer = { body: 'x'.repeat(1_000), bytes: 2_000, freshUntil: clock.now() + FRESH_MS, madeOf };
      answers.keep('a', `asked ${n}`, answer, answers.mark());
      expect(memory.bytes).toBeLessThanOrEqual(maxBytes);
    }
    expect(memory.entries).toBeGreaterThan(10);
  });

  test('one that is larger than all of it is not kept, and pushes nobody out', () => {
    const { learn, keep, found, memory } = createPlace({ maxBytes: 100_000 });
    keep([learn('/call/1')], { body: 'x'.repeat(60_000) });
    expect(found()).toBeUndefined();
    expect(memory.find('a', '/call/1')).toBeDefined();
  });

  test('its key counts, and so do those of what it is made of', () => {
    const { learn, answers, memory, clock } = createPlace();
    const long = `/call/${'x'.repeat(10_000)}`;
    const madeOf = [learn(long)];
    const before = memory.bytes;
    answers.keep('a', 'k'.repeat(10_000), { body: '', bytes: 0, freshUntil: clock.now() + FRESH_MS, madeOf }, answers.mark());
    expect(memory.bytes - before).toBeGreaterThan(40_000);
  });

  test('a newer one takes the place of the one before', () => {
    const { learn, keep, found, memory } = createPlace();
    keep([learn('/call/1')]);
    keep([learn('/call/1')], { body: 'the next answer' });
    expect(found()).toBe('the next answer');
    expect(memory.entries).toBe(2);
  });

  test('who asks for one that is not fresh any more drops it', () => {
    const { learn, keep, found, clock, memory } = createPlace();
    keep([learn('/call/1')]);
    clock.pass(FRESH_MS);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(1);
  });

  test('those that nobody asks for are swept when they are not fresh any more: they stand in for nothing', () => {
    const { learn, keep, clock, timers, memory } = createPlace();
    keep([learn('/call/1')]);
    clock.pass(SWEEP_MS);
    timers.elapse(SWEEP_MS);
    expect(memory.entries).toBe(1);
    expect(memory.find('a', '/call/1')).toBeDefined();
  });
});
