import { describe, expect, test } from 'vitest';
import { createMemoryStore, type Entry, SWEEP_INTERVAL_MS } from '#cache/memory-store.ts';
import { type CacheableResponse, createResponseCache, type Dependency } from '#cache/response-cache.ts';
import { createStalenessPolicy } from '#cache/staleness-policy.ts';
import type { Endpoint } from '#rest/upstream-request.ts';
import { createManualTimers } from '../rest/real-server.ts';
import { createClock } from '../support/clock.ts';

const FRESH_MS = 1_000;
const GRACE_MS = 1_000_000;
const RECHECK_MS = 500;
const UNBOUNDED_BYTES = 2 ** 30;
const CALL: Endpoint = '/call/{id}';

interface Text extends CacheableResponse {
  readonly body: string;
}

/** Answers beside what they are made of, with a clock and timers of the test's own. */
function createResponseCacheScene({ maxBytes = UNBOUNDED_BYTES, recheckMs = Number.POSITIVE_INFINITY } = {}) {
  const clock = createClock();
  const timers = createManualTimers();
  const memoryStore = createMemoryStore({
    maxBytes,
    graceMs: GRACE_MS,
    idleMs: GRACE_MS,
    now: clock.now,
    startTimer: timers.startTimer,
  });
  const stalenessPolicy = createStalenessPolicy({
    whileRevalidatingMs: 100,
    graceMs: GRACE_MS,
    credentialRecheckMs: recheckMs,
    acceptedAt: memoryStore.acceptedAt,
    now: clock.now,
  });
  const told: string[] = [];
  const events = { onLookup: (endpoint: Endpoint, source: string) => told.push(`${endpoint} ${source}`) };
  const answers = createResponseCache<Text>({ memoryStore, stalenessPolicy, events, now: clock.now });
  let serial = 0;
  const place = {
    clock,
    memory: memoryStore,
    timers,
    answers,
    takeTold: () => told.splice(0),
    /** The upstream takes the credential, and answers a question: that is kept. */
    learn(key: string, { fingerprint = 'a', freshForMs = FRESH_MS, value = 'x' as unknown } = {}): Dependency {
      serial += 1;
      const entry: Entry = {
        value,
        status: 200,
        readVersion: { instance: 'ours', sequence: serial, isCached: false },
        requestedAt: clock.now(),
        freshUntil: clock.now() + freshForMs,
        isLive: false,
        serial,
      };
      memoryStore.recordAccepted(fingerprint, clock.now(), memoryStore.takeFence());
      memoryStore.set(fingerprint, key, entry, memoryStore.takeFence());
      return { endpoint: CALL, key, serial };
    },
    /** An operation is answered out of these. */
    keep(dependencies: readonly Dependency[], { fingerprint = 'a', body = 'the answer', mark = answers.takeFence() } = {}): void {
      const freshUntil = Math.min(
        ...dependencies.map(({ key }) => memoryStore.get(fingerprint, key)?.freshUntil ?? clock.now() + FRESH_MS),
      );
      answers.set(fingerprint, 'asked', { body, bytes: 2 * body.length, freshUntil, dependencies }, mark);
    },
    found: (fingerprint = 'a') => answers.get(fingerprint, 'asked')?.body,
  };
  return place;
}

describe('A whole answer is found', () => {
  test('while all that it is made of is kept and fresh; each of those counts as asked', () => {
    const { learn, keep, found, clock, takeTold } = createResponseCacheScene();
    keep([learn('/call/1'), learn('/call/2'), learn('/call/3')]);
    expect(found()).toBe('the answer');
    clock.pass(FRESH_MS - 1);
    expect(found()).toBe('the answer');
    expect(takeTold()).toEqual(Array.from({ length: 6 }, () => `${CALL} memory`));
  });

  test('no longer than the least fresh of that', () => {
    const { learn, keep, found, clock, takeTold } = createResponseCacheScene();
    keep([learn('/call/1'), learn('/call/2', { freshForMs: 10 })]);
    clock.pass(9);
    expect(found()).toBe('the answer');
    takeTold();
    clock.pass(1);
    expect(found()).toBeUndefined();
    expect(takeTold()).toEqual([]);
  });

  test('for ten minutes, where nothing of the upstream is in it', () => {
    const { memory, answers, clock } = createResponseCacheScene();
    memory.recordAccepted('a', 0, memory.takeFence());
    answers.set(
      'a',
      'key',
      { body: 'the schema', bytes: 10, freshUntil: Number.POSITIVE_INFINITY, dependencies: [] },
      answers.takeFence(),
    );
    clock.pass(599_999);
    expect(answers.get('a', 'key')?.body).toBe('the schema');
    clock.pass(1);
    expect(answers.get('a', 'key')).toBeUndefined();
  });

  test('only by its own key, and only for the credential that asked', () => {
    const { learn, keep, found, answers } = createResponseCacheScene();
    keep([learn('/call/1')]);
    learn('/call/1', { fingerprint: 'b' });
    expect(found('b')).toBeUndefined();
    expect(found('nobody')).toBeUndefined();
    expect(answers.get('a', 'asked ')).toBeUndefined();
    expect(answers.get('a', '')).toBeUndefined();
    expect(found()).toBe('the answer');
  });

  test('not in the place of a question: no path is one of its keys', () => {
    const { learn, keep, memory } = createResponseCacheScene();
    keep([learn('/call/1')]);
    expect(memory.get('a', 'asked')).toBeUndefined();
    expect(memory.entries).toBe(2);
  });
});

describe('A whole answer is not found', () => {
  test('when something newer has come in the place of what it is made of, though all the rest is as it was', () => {
    const { learn, keep, found, memory } = createResponseCacheScene();
    keep([learn('/call/1'), learn('/call/2')]);
    learn('/call/2');
    expect(found()).toBeUndefined();
    // And is no more in the way.
    expect(memory.entries).toBe(2);
  });

  test('when something newer that may not be kept has pushed out what it is made of', () => {
    const { learn, keep, found } = createResponseCacheScene();
    keep([learn('/call/1')]);
    learn('/call/1', { freshForMs: 0 });
    expect(found()).toBeUndefined();
  });

  test('when a part of it was pushed out by others', () => {
    const { learn, keep, found, memory, clock } = createResponseCacheScene({ maxBytes: 60_000 });
    keep([learn('/call/1', { freshForMs: 50 * FRESH_MS })]);
    // The answer is used again and again, and what it is made of with it.
    for (let n = 0; n < 50; n += 1) {
      clock.pass(FRESH_MS / 2);
      learn(`/call/other-${n}`, { value: 'x'.repeat(2_000) });
      expect(found()).toBe('the answer');
    }
    memory.delete('a', '/call/1');
    expect(found()).toBeUndefined();
    keep([learn('/call/1')]);
    for (let n = 0; n < 50; n += 1) learn(`/call/other-${n}`, { value: 'x'.repeat(2_000) });
    expect(memory.get('a', '/call/1')).toBeUndefined();
    expect(found()).toBeUndefined();
  });

  test('once the credential was refused, nor when it is taken again', () => {
    const { learn, keep, found, memory } = createResponseCacheScene();
    keep([learn('/call/1')]);
    memory.revoke('a');
    expect(found()).toBeUndefined();
    learn('/call/1');
    expect(found()).toBeUndefined();
  });

  test('while nobody knows whether the credential is still taken; it is when that is known', () => {
    const { learn, keep, found, clock } = createResponseCacheScene({ recheckMs: RECHECK_MS });
    keep([learn('/call/1')]);
    clock.pass(RECHECK_MS - 1);
    expect(found()).toBe('the answer');
    clock.pass(1);
    expect(found()).toBeUndefined();
    learn('/call/other');
    expect(found()).toBe('the answer');
  });

  test('when the clock has been set back to before it was made', () => {
    const { learn, keep, found, clock } = createResponseCacheScene();
    const ingredient = learn('/call/1');
    clock.pass(10);
    keep([ingredient]);
    clock.pass(-1);
    expect(found()).toBeUndefined();
  });
});

describe('A whole answer is not kept', () => {
  test('when it is made of more than two hundred', () => {
    const { learn, keep, found, memory } = createResponseCacheScene();
    const madeOf = Array.from({ length: 201 }, (_, n) => learn(`/call/${n}`));
    memory.recordAccepted('a', 0, memory.takeFence());
    keep(madeOf);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(201);
    const fewer = Array.from({ length: 200 }, (_, n) => learn(`/call/${n}`));
    keep(fewer);
    expect(found()).toBe('the answer');
  });

  test('when a part of it was not kept: nobody would learn that it has changed', () => {
    const { learn, keep, found, memory } = createResponseCacheScene();
    keep([learn('/call/1'), { endpoint: CALL, key: '/call/failed', serial: undefined }]);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(1);
  });

  test('or is of no use, when a part of it was read, but something newer kept', () => {
    const { learn, keep, found } = createResponseCacheScene();
    keep([learn('/call/1'), { endpoint: CALL, key: '/call/2', serial: 1_000 }]);
    expect(found()).toBeUndefined();
  });

  test('when it is not fresh any more by the time that it is made', () => {
    const { learn, keep, memory, clock } = createResponseCacheScene();
    const ingredient = learn('/call/1');
    clock.pass(FRESH_MS);
    keep([ingredient]);
    expect(memory.entries).toBe(1);
  });

  test('when the credential was refused while it was made, though it has been taken since', () => {
    const { learn, keep, found, answers, memory } = createResponseCacheScene();
    learn('/call/1');
    const mark = answers.takeFence();
    memory.revoke('a');
    keep([learn('/call/1')], { mark });
    expect(found()).toBeUndefined();
    keep([learn('/call/1')]);
    expect(found()).toBe('the answer');
  });

  test('for a credential that the upstream has not taken', () => {
    const { keep, memory } = createResponseCacheScene();
    keep([{ endpoint: CALL, key: '/call/1', serial: 1 }], { fingerprint: 'stranger' });
    expect(memory.entries).toBe(0);
  });
});

describe('Whole answers have no memory of their own', () => {
  test('the bound is one for them and for what they are made of', () => {
    const maxBytes = 100_000;
    const { learn, answers, clock, memory } = createResponseCacheScene({ maxBytes });
    const dependencies = [learn('/call/1')];
    for (let n = 0; n < 1_000; n += 1) {
      const answer = { body: 'x'.repeat(1_000), bytes: 2_000, freshUntil: clock.now() + FRESH_MS, dependencies };
      answers.set('a', `asked ${n}`, answer, answers.takeFence());
      expect(memory.bytes).toBeLessThanOrEqual(maxBytes);
    }
    expect(memory.entries).toBeGreaterThan(10);
  });

  test('one that is larger than all of it is not kept, and pushes nobody out', () => {
    const { learn, keep, found, memory } = createResponseCacheScene({ maxBytes: 100_000 });
    keep([learn('/call/1')], { body: 'x'.repeat(60_000) });
    expect(found()).toBeUndefined();
    expect(memory.get('a', '/call/1')).toBeDefined();
  });

  test('its key counts, and so do those of what it is made of', () => {
    const { learn, answers, memory, clock } = createResponseCacheScene();
    const long = `/call/${'x'.repeat(10_000)}`;
    const dependencies = [learn(long)];
    const before = memory.bytes;
    answers.set(
      'a',
      'k'.repeat(10_000),
      { body: '', bytes: 0, freshUntil: clock.now() + FRESH_MS, dependencies },
      answers.takeFence(),
    );
    expect(memory.bytes - before).toBeGreaterThan(40_000);
  });

  test('a newer one takes the place of the one before', () => {
    const { learn, keep, found, memory } = createResponseCacheScene();
    keep([learn('/call/1')]);
    keep([learn('/call/1')], { body: 'the next answer' });
    expect(found()).toBe('the next answer');
    expect(memory.entries).toBe(2);
  });

  test('who asks for one that is not fresh any more drops it', () => {
    const { learn, keep, found, clock, memory } = createResponseCacheScene();
    keep([learn('/call/1')]);
    clock.pass(FRESH_MS);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(1);
  });

  test('those that nobody asks for are swept when they are not fresh any more: they stand in for nothing', () => {
    const { learn, keep, clock, timers, memory } = createResponseCacheScene();
    keep([learn('/call/1')]);
    clock.pass(SWEEP_INTERVAL_MS);
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(memory.entries).toBe(1);
    expect(memory.get('a', '/call/1')).toBeDefined();
  });
});
