import { describe, expect, test } from 'vitest';
import { createMemoryStore, type Entry, SWEEP_INTERVAL_MS } from '#cache/memory-store.ts';
import {
  type CacheableResponse,
  createResponseCache,
  type Dependency,
} from '#cache/response-cache.ts';
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

/** A response cache and its dependencies, with a clock and timers that the test owns. */
function createResponseCacheScene({
  maxBytes = UNBOUNDED_BYTES,
  recheckMs = Number.POSITIVE_INFINITY,
} = {}) {
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
  const lookups: string[] = [];
  const events = {
    onLookup: (endpoint: Endpoint, source: string) => lookups.push(`${endpoint} ${source}`),
  };
  const responses = createResponseCache<Text>({
    memoryStore,
    stalenessPolicy,
    events,
    now: clock.now,
  });
  let serial = 0;
  const scene = {
    clock,
    memory: memoryStore,
    timers,
    responses,
    takeLookups: () => lookups.splice(0),
    /** Records the credential as accepted, and stores an upstream response for it. */
    storeDependency(
      key: string,
      { fingerprint = 'a', freshForMs = FRESH_MS, value = 'x' as unknown } = {},
    ): Dependency {
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
    /** Caches the response of an operation with these dependencies. */
    storeResponse(
      dependencies: readonly Dependency[],
      { fingerprint = 'a', body = 'the response', fence = responses.takeFence() } = {},
    ): void {
      const freshUntil = Math.min(
        ...dependencies.map(
          ({ key }) => memoryStore.get(fingerprint, key)?.freshUntil ?? clock.now() + FRESH_MS,
        ),
      );
      responses.set(
        fingerprint,
        'operation',
        { body, bytes: 2 * body.length, freshUntil, dependencies },
        fence,
      );
    },
    found: (fingerprint = 'a') => responses.get(fingerprint, 'operation')?.body,
  };
  return scene;
}

describe('Response cache hit', () => {
  test('the response cache serves a response while its dependencies are cached and fresh, and reports a hit for each of them', () => {
    const { storeDependency, storeResponse, found, clock, takeLookups } =
      createResponseCacheScene();
    storeResponse([
      storeDependency('/call/1'),
      storeDependency('/call/2'),
      storeDependency('/call/3'),
    ]);
    expect(found()).toBe('the response');
    clock.pass(FRESH_MS - 1);
    expect(found()).toBe('the response');
    expect(takeLookups()).toEqual(Array.from({ length: 6 }, () => `${CALL} memory`));
  });

  test('a cached response is fresh no longer than its least fresh dependency', () => {
    const { storeDependency, storeResponse, found, clock, takeLookups } =
      createResponseCacheScene();
    storeResponse([storeDependency('/call/1'), storeDependency('/call/2', { freshForMs: 10 })]);
    clock.pass(9);
    expect(found()).toBe('the response');
    takeLookups();
    clock.pass(1);
    expect(found()).toBeUndefined();
    expect(takeLookups()).toEqual([]);
  });

  test('a cached response without dependencies is fresh for ten minutes', () => {
    const { memory, responses, clock } = createResponseCacheScene();
    memory.recordAccepted('a', 0, memory.takeFence());
    responses.set(
      'a',
      'key',
      { body: 'the schema', bytes: 10, freshUntil: Number.POSITIVE_INFINITY, dependencies: [] },
      responses.takeFence(),
    );
    clock.pass(599_999);
    expect(responses.get('a', 'key')?.body).toBe('the schema');
    clock.pass(1);
    expect(responses.get('a', 'key')).toBeUndefined();
  });

  test('a cached response is served only for its own key and its own credential', () => {
    const { storeDependency, storeResponse, found, responses } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1')]);
    storeDependency('/call/1', { fingerprint: 'b' });
    expect(found('b')).toBeUndefined();
    expect(found('absent')).toBeUndefined();
    expect(responses.get('a', 'operation ')).toBeUndefined();
    expect(responses.get('a', '')).toBeUndefined();
    expect(found()).toBe('the response');
  });

  test('a cached response is never served as an upstream response, because no path is one of its keys', () => {
    const { storeDependency, storeResponse, memory } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1')]);
    expect(memory.get('a', 'operation')).toBeUndefined();
    expect(memory.entries).toBe(2);
  });
});

describe('Response cache miss', () => {
  test('a newer upstream response invalidates every cached response that depends on it', () => {
    const { storeDependency, storeResponse, found, memory } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1'), storeDependency('/call/2')]);
    storeDependency('/call/2');
    expect(found()).toBeUndefined();
    // The cached response is deleted as well.
    expect(memory.entries).toBe(2);
  });

  test('a newer upstream response that may not be stored invalidates the cached response too', () => {
    const { storeDependency, storeResponse, found } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1')]);
    storeDependency('/call/1', { freshForMs: 0 });
    expect(found()).toBeUndefined();
  });

  test('the eviction of a dependency invalidates the cached response', () => {
    const { storeDependency, storeResponse, found, memory, clock } = createResponseCacheScene({
      maxBytes: 60_000,
    });
    storeResponse([storeDependency('/call/1', { freshForMs: 50 * FRESH_MS })]);
    // The cached response is used again and again, which counts as a use of its dependency.
    for (let n = 0; n < 50; n += 1) {
      clock.pass(FRESH_MS / 2);
      storeDependency(`/call/other-${n}`, { value: 'x'.repeat(2_000) });
      expect(found()).toBe('the response');
    }
    memory.delete('a', '/call/1');
    expect(found()).toBeUndefined();
    storeResponse([storeDependency('/call/1')]);
    for (let n = 0; n < 50; n += 1)
      storeDependency(`/call/other-${n}`, { value: 'x'.repeat(2_000) });
    expect(memory.get('a', '/call/1')).toBeUndefined();
    expect(found()).toBeUndefined();
  });

  test('a revocation invalidates the cached responses of its credential for good', () => {
    const { storeDependency, storeResponse, found, memory } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1')]);
    memory.revoke('a');
    expect(found()).toBeUndefined();
    storeDependency('/call/1');
    expect(found()).toBeUndefined();
  });

  test('the response cache serves nothing while the credential must be rechecked, and again after the recheck', () => {
    const { storeDependency, storeResponse, found, clock } = createResponseCacheScene({
      recheckMs: RECHECK_MS,
    });
    storeResponse([storeDependency('/call/1')]);
    clock.pass(RECHECK_MS - 1);
    expect(found()).toBe('the response');
    clock.pass(1);
    expect(found()).toBeUndefined();
    storeDependency('/call/other');
    expect(found()).toBe('the response');
  });

  test('a clock set back to before a response was cached invalidates it', () => {
    const { storeDependency, storeResponse, found, clock } = createResponseCacheScene();
    const dependency = storeDependency('/call/1');
    clock.pass(10);
    storeResponse([dependency]);
    clock.pass(-1);
    expect(found()).toBeUndefined();
  });
});

describe('Response cache storage', () => {
  test('a response with more than two hundred dependencies is not cached', () => {
    const { storeDependency, storeResponse, found, memory } = createResponseCacheScene();
    const dependencies = Array.from({ length: 201 }, (_, n) => storeDependency(`/call/${n}`));
    memory.recordAccepted('a', 0, memory.takeFence());
    storeResponse(dependencies);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(201);
    const fewer = Array.from({ length: 200 }, (_, n) => storeDependency(`/call/${n}`));
    storeResponse(fewer);
    expect(found()).toBe('the response');
  });

  test('a response with a dependency that is not stored is not cached, because a change of it could not invalidate it', () => {
    const { storeDependency, storeResponse, found, memory } = createResponseCacheScene();
    storeResponse([
      storeDependency('/call/1'),
      { endpoint: CALL, key: '/call/failed', serial: undefined },
    ]);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(1);
  });

  test('a response is not served when a newer version of a dependency is stored than the one it was built from', () => {
    const { storeDependency, storeResponse, found } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1'), { endpoint: CALL, key: '/call/2', serial: 1_000 }]);
    expect(found()).toBeUndefined();
  });

  test('a response that has expired by the time it is complete is not cached', () => {
    const { storeDependency, storeResponse, memory, clock } = createResponseCacheScene();
    const dependency = storeDependency('/call/1');
    clock.pass(FRESH_MS);
    storeResponse([dependency]);
    expect(memory.entries).toBe(1);
  });

  test('a response being built when its credential is revoked is not cached, even if the credential is accepted again', () => {
    const { storeDependency, storeResponse, found, responses, memory } = createResponseCacheScene();
    storeDependency('/call/1');
    const fence = responses.takeFence();
    memory.revoke('a');
    storeResponse([storeDependency('/call/1')], { fence });
    expect(found()).toBeUndefined();
    storeResponse([storeDependency('/call/1')]);
    expect(found()).toBe('the response');
  });

  test('a response for a credential that was never accepted is not cached', () => {
    const { storeResponse, memory } = createResponseCacheScene();
    storeResponse([{ endpoint: CALL, key: '/call/1', serial: 1 }], { fingerprint: 'another' });
    expect(memory.entries).toBe(0);
  });
});

describe('Response cache memory', () => {
  test('cached responses and their dependencies share one byte limit', () => {
    const maxBytes = 100_000;
    const { storeDependency, responses, clock, memory } = createResponseCacheScene({ maxBytes });
    const dependencies = [storeDependency('/call/1')];
    for (let n = 0; n < 1_000; n += 1) {
      const response = {
        body: 'x'.repeat(1_000),
        bytes: 2_000,
        freshUntil: clock.now() + FRESH_MS,
        dependencies,
      };
      responses.set('a', `operation ${n}`, response, responses.takeFence());
      expect(memory.bytes).toBeLessThanOrEqual(maxBytes);
    }
    expect(memory.entries).toBeGreaterThan(10);
  });

  test('a response larger than the byte limit allows is not cached and evicts nothing', () => {
    const { storeDependency, storeResponse, found, memory } = createResponseCacheScene({
      maxBytes: 100_000,
    });
    storeResponse([storeDependency('/call/1')], { body: 'x'.repeat(60_000) });
    expect(found()).toBeUndefined();
    expect(memory.get('a', '/call/1')).toBeDefined();
  });

  test('the size of a cached response includes its key and the keys of its dependencies', () => {
    const { storeDependency, responses, memory, clock } = createResponseCacheScene();
    const long = `/call/${'x'.repeat(10_000)}`;
    const dependencies = [storeDependency(long)];
    const before = memory.bytes;
    responses.set(
      'a',
      'k'.repeat(10_000),
      { body: '', bytes: 0, freshUntil: clock.now() + FRESH_MS, dependencies },
      responses.takeFence(),
    );
    expect(memory.bytes - before).toBeGreaterThan(40_000);
  });

  test('a newer response replaces the cached one', () => {
    const { storeDependency, storeResponse, found, memory } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1')]);
    storeResponse([storeDependency('/call/1')], { body: 'the next response' });
    expect(found()).toBe('the next response');
    expect(memory.entries).toBe(2);
  });

  test('a lookup deletes a cached response that has expired', () => {
    const { storeDependency, storeResponse, found, clock, memory } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1')]);
    clock.pass(FRESH_MS);
    expect(found()).toBeUndefined();
    expect(memory.entries).toBe(1);
  });

  test('the sweep deletes expired cached responses, because they are never served stale', () => {
    const { storeDependency, storeResponse, clock, timers, memory } = createResponseCacheScene();
    storeResponse([storeDependency('/call/1')]);
    clock.pass(SWEEP_INTERVAL_MS);
    timers.elapse(SWEEP_INTERVAL_MS);
    expect(memory.entries).toBe(1);
    expect(memory.get('a', '/call/1')).toBeDefined();
  });
});
