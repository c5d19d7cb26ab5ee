import { describe, expect, test, vi } from 'vitest';
import { createCircuitBreaker } from '#rest/resilience/circuit-breaker.ts';
import { createCircuitBreakers } from '#rest/resilience/circuit-breakers.ts';
import type { FailureKind } from '#rest/upstream-events.ts';

const CLOSED = { state: 'closed', openCount: 0 };
const ALL_CLOSED = { connection: CLOSED, endpoint: CLOSED };

function createBreakerScene({ failures = 4, openMs = 1_000 } = {}) {
  const clock = { now: 0 };
  const onChange = vi.fn();
  const isAccepted = (credential: string) => !credential.startsWith('invented');
  const options = { failures, openMs, isAccepted, onChange, monotonicNow: () => clock.now };
  return { clock, onChange, options, circuit: createCircuitBreaker(options) };
}

describe('Circuit breaker', () => {
  test('a circuit breaker admits all requests until the configured number has failed, and then none', () => {
    const { circuit, onChange } = createBreakerScene();
    for (let count = 0; count < 3; count += 1) circuit.tryAcquire()?.fail();
    expect(circuit.state).toBe('closed');
    circuit.tryAcquire()?.fail();
    expect([circuit.state, circuit.allowsRequest, circuit.tryAcquire()]).toEqual([
      'open',
      false,
      undefined,
    ]);
    expect(onChange.mock.calls).toEqual([['opened']]);
  });

  test('a circuit breaker stays closed while most requests succeed', () => {
    const { circuit } = createBreakerScene();
    for (let count = 0; count < 100; count += 1) {
      circuit.tryAcquire()?.succeed();
      circuit.tryAcquire()?.succeed();
      circuit.tryAcquire()?.fail();
    }
    expect(circuit.state).toBe('closed');
  });

  test('a circuit breaker forgets failures that are long past', () => {
    const { circuit, clock } = createBreakerScene();
    for (let count = 0; count < 20; count += 1) {
      circuit.tryAcquire()?.fail();
      clock.now += 12_000;
    }
    expect(circuit.state).toBe('closed');
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    expect(circuit.state).toBe('open');
  });

  test.each([
    [9_999, 'open'],
    [10_000, 'open'],
    [19_999, 'open'],
    [20_000, 'closed'],
  ])('a failure counts together with the failures of %i ms before: %s', (ms, state) => {
    const { circuit, clock } = createBreakerScene();
    for (let count = 0; count < 3; count += 1) circuit.tryAcquire()?.fail();
    clock.now = ms;
    circuit.tryAcquire()?.fail();
    expect(circuit.state).toBe(state);
  });

  test.each([
    { succeeded: 4, state: 'open' },
    { succeeded: 5, state: 'closed' },
  ])('with 4 failures and $succeeded successes, the circuit is $state', ({ succeeded, state }) => {
    const { circuit } = createBreakerScene();
    for (let count = 0; count < succeeded; count += 1) circuit.tryAcquire()?.succeed();
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    expect(circuit.state).toBe(state);
  });

  test('another probe replaces one that has not ended after a minute', () => {
    const { circuit, clock } = createBreakerScene();
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    clock.now = 1_000;
    expect(circuit.tryAcquire()).toBeDefined();
    clock.now += 59_999;
    expect([circuit.allowsRequest, circuit.tryAcquire()]).toEqual([false, undefined]);
    clock.now += 1;
    expect(circuit.allowsRequest).toBe(true);
    circuit.tryAcquire()?.succeed();
    expect(circuit.state).toBe('closed');
  });

  test('a half-open circuit breaker admits one probe and closes when the probe succeeds', () => {
    const { circuit, clock, onChange } = createBreakerScene();
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    clock.now = 999;
    expect(circuit.tryAcquire()).toBeUndefined();
    clock.now = 1_000;
    expect(circuit.state).toBe('half-open');
    const probe = circuit.tryAcquire();
    expect(circuit.tryAcquire()).toBeUndefined();
    probe?.succeed();
    expect(circuit.state).toBe('closed');
    for (let count = 0; count < 3; count += 1) circuit.tryAcquire()?.fail();
    expect(circuit.state).toBe('closed');
    expect(onChange.mock.calls).toEqual([['opened'], ['half-open'], ['closed']]);
  });

  test('an open circuit breaker doubles its open time with each failed probe, up to 30 seconds', () => {
    const { circuit, clock, onChange } = createBreakerScene();
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      clock.now += ms - 1;
      expect(circuit.tryAcquire()).toBeUndefined();
      clock.now += 1;
      circuit.tryAcquire()?.fail();
    }
    expect(onChange.mock.calls).toEqual([['opened'], ...Array(7).fill(['half-open'])]);
  });

  test('a half-open circuit breaker admits another probe when the first one is ignored', () => {
    const { circuit, clock } = createBreakerScene();
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    clock.now = 1_000;
    circuit.tryAcquire()?.ignore();
    circuit.tryAcquire()?.succeed();
    expect(circuit.state).toBe('closed');
  });

  test('a circuit breaker does not count a request that was sent before it opened as its probe', () => {
    const { circuit, clock } = createBreakerScene();
    const [early, late] = [circuit.tryAcquire(), circuit.tryAcquire()];
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    early?.succeed();
    expect(circuit.state).toBe('open');
    clock.now = 1_000;
    const probe = circuit.tryAcquire();
    late?.fail();
    circuit.recordFailure();
    expect(circuit.state).toBe('half-open');
    probe?.succeed();
    expect(circuit.state).toBe('closed');
  });
});

const toBreakerKey = (fingerprint: string, caller?: string) => ({
  credential: { fingerprint },
  caller,
});

test('the circuit breaker of an accepted credential stays open while any number of invented keys fail', () => {
  const { options } = createBreakerScene();
  const breaker = createCircuitBreakers(options);
  const fail = (fingerprint: string) =>
    breaker.tryAcquire(toBreakerKey(fingerprint), '/call/{id}')?.('server-error');
  for (let count = 0; count < 4; count += 1) fail('a');
  for (let n = 0; n <= 10_000; n += 1) fail(`invented ${n}`);
  expect(breaker.allowsRequest(toBreakerKey('a'), '/call/{id}')).toBe(false);
});

describe('Circuit breakers of the client', () => {
  function createBroken(
    kind: FailureKind,
    breakerKey = toBreakerKey('a'),
    endpoint = '/call/{id}' as const,
  ) {
    const { options, clock } = createBreakerScene();
    const breaker = createCircuitBreakers(options);
    for (let count = 0; count < 4; count += 1) breaker.tryAcquire(breakerKey, endpoint)?.(kind);
    return { breaker, clock };
  }

  test.each<FailureKind>(['unreachable', 'connect-timeout'])(
    'when the upstream cannot be reached (%s), the circuit breaker blocks all requests',
    (kind) => {
      const { breaker, clock } = createBroken(kind);
      expect(breaker.state.connection).toEqual({ state: 'open', openCount: 1 });
      expect(breaker.allowsRequest(toBreakerKey('another'), '/assistants')).toBe(false);
      expect(breaker.tryAcquire(toBreakerKey('another'), '/assistants')).toBeUndefined();
      clock.now = 1_000;
      expect(breaker.state.connection).toEqual({ state: 'half-open', openCount: 1 });
      const leave = breaker.tryAcquire(toBreakerKey('another'), '/assistants');
      expect(breaker.tryAcquire(toBreakerKey('a'), '/call')).toBeUndefined();
      leave?.('server-error');
      expect(breaker.state).toEqual(ALL_CLOSED);
    },
  );

  test.each<FailureKind>(['server-error', 'timeout', 'connection'])(
    'when an endpoint fails (%s), the circuit breaker blocks that endpoint for that caller and nothing else',
    (kind) => {
      const { breaker } = createBroken(kind);
      expect(breaker.state).toEqual({
        connection: CLOSED,
        endpoint: { state: 'open', openCount: 1 },
      });
      expect(breaker.tryAcquire(toBreakerKey('a'), '/call/{id}')).toBeUndefined();
      expect(breaker.allowsRequest(toBreakerKey('a'), '/call/{id}')).toBe(false);
      for (const [breakerKey, endpoint] of [
        [toBreakerKey('b'), '/call/{id}'],
        [toBreakerKey('a'), '/call'],
        // The same key, but another caller.
        [toBreakerKey('a', 'another'), '/call/{id}'],
      ] as const) {
        expect(breaker.allowsRequest(breakerKey, endpoint)).toBe(true);
        expect(breaker.tryAcquire(breakerKey, endpoint)).toBeTypeOf('function');
      }
    },
  );

  test.each<FailureKind>([
    'aborted',
    'invalid',
    'rate-limited',
    'missing',
    'credential',
    'rejected',
  ])(
    'the circuit breaker counts neither an upstream response nor a disconnected client as a failure: %s',
    (kind) => {
      expect(createBroken(kind).breaker.state).toEqual(ALL_CLOSED);
    },
  );

  test('the circuit breaker probes an endpoint with one request at a time and closes when the endpoint responds', () => {
    const { breaker, clock } = createBroken('server-error');
    clock.now = 1_000;
    const leave = breaker.tryAcquire(toBreakerKey('a'), '/call/{id}');
    expect(breaker.tryAcquire(toBreakerKey('a'), '/call/{id}')).toBeUndefined();
    leave?.('missing');
    expect(breaker.state).toEqual(ALL_CLOSED);
    expect(breaker.tryAcquire(toBreakerKey('a'), '/call/{id}')).toBeTypeOf('function');
  });

  test('the circuit breaker admits another probe when the first one is aborted', () => {
    const { breaker, clock } = createBroken('unreachable');
    clock.now = 1_000;
    breaker.tryAcquire(toBreakerKey('a'), '/call')?.('aborted');
    expect(breaker.tryAcquire(toBreakerKey('a'), '/call')).toBeTypeOf('function');
  });

  test('a probe that times out closes the circuit breaker of the whole upstream, because the upstream was reached', () => {
    const { breaker, clock } = createBroken('unreachable');
    clock.now = 1_000;
    breaker.tryAcquire(toBreakerKey('a'), '/call')?.('timeout');
    expect(breaker.state).toEqual(ALL_CLOSED);
    expect(breaker.tryAcquire(toBreakerKey('b'), '/call')).toBeTypeOf('function');
  });

  test('the circuit breaker forgets an endpoint that no request uses', () => {
    const { breaker, clock } = createBroken('server-error');
    clock.now = 60_000;
    expect(breaker.state).toEqual(ALL_CLOSED);
    expect(breaker.allowsRequest(toBreakerKey('a'), '/call/{id}')).toBe(true);
  });
});
