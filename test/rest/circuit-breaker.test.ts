import { describe, expect, test, vi } from 'vitest';
import { createCircuitBreaker } from '#rest/resilience/circuit-breaker.ts';
import { createCircuitBreakers } from '#rest/resilience/circuit-breakers.ts';
import type { FailureKind } from '#rest/upstream-events.ts';

function createBreakerScene({ failures = 4, openMs = 1_000 } = {}) {
  const clock = { now: 0 };
  const onChange = vi.fn();
  const isAccepted = (credential: string) => !credential.startsWith('invented');
  const options = { failures, openMs, isAccepted, onChange, monotonicNow: () => clock.now };
  return { clock, onChange, options, circuit: createCircuitBreaker(options) };
}

describe('A circuit', () => {
  test('lets everything through until so many requests have failed, and then nothing', () => {
    const { circuit, onChange } = createBreakerScene();
    for (let count = 0; count < 3; count += 1) circuit.tryAcquire()?.fail();
    expect(circuit.state).toBe('closed');
    circuit.tryAcquire()?.fail();
    expect([circuit.state, circuit.allowsRequest, circuit.tryAcquire()]).toEqual(['open', false, undefined]);
    expect(onChange.mock.calls).toEqual([['opened']]);
  });

  test('stays closed while most requests succeed', () => {
    const { circuit } = createBreakerScene();
    for (let count = 0; count < 100; count += 1) {
      circuit.tryAcquire()?.succeed();
      circuit.tryAcquire()?.succeed();
      circuit.tryAcquire()?.fail();
    }
    expect(circuit.state).toBe('closed');
  });

  test('forgets what failed long ago', () => {
    const { circuit, clock } = createBreakerScene();
    for (let count = 0; count < 20; count += 1) {
      circuit.tryAcquire()?.fail();
      clock.now += 12_000;
    }
    expect(circuit.state).toBe('closed');
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    expect(circuit.state).toBe('open');
  });

  test('lets one through to see, and closes when that succeeds', () => {
    const { circuit, clock, onChange } = createBreakerScene();
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    clock.now = 999;
    expect(circuit.tryAcquire()).toBeUndefined();
    clock.now = 1_000;
    expect(circuit.state).toBe('half-open');
    const trial = circuit.tryAcquire();
    expect(circuit.tryAcquire()).toBeUndefined();
    trial?.succeed();
    expect(circuit.state).toBe('closed');
    for (let count = 0; count < 3; count += 1) circuit.tryAcquire()?.fail();
    expect(circuit.state).toBe('closed');
    expect(onChange.mock.calls).toEqual([['opened'], ['closed']]);
  });

  test('stays open for twice as long each time that fails, half a minute at most', () => {
    const { circuit, clock, onChange } = createBreakerScene();
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      clock.now += ms - 1;
      expect(circuit.tryAcquire()).toBeUndefined();
      clock.now += 1;
      circuit.tryAcquire()?.fail();
    }
    expect(onChange.mock.calls).toEqual([['opened']]);
  });

  test('lets another one through when the first says nothing', () => {
    const { circuit, clock } = createBreakerScene();
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    clock.now = 1_000;
    circuit.tryAcquire()?.ignore();
    circuit.tryAcquire()?.succeed();
    expect(circuit.state).toBe('closed');
  });

  test('does not take for the one to see what was sent before', () => {
    const { circuit, clock } = createBreakerScene();
    const [early, late] = [circuit.tryAcquire(), circuit.tryAcquire()];
    for (let count = 0; count < 4; count += 1) circuit.tryAcquire()?.fail();
    early?.succeed();
    expect(circuit.state).toBe('open');
    clock.now = 1_000;
    const trial = circuit.tryAcquire();
    late?.fail();
    circuit.recordFailure();
    expect(circuit.state).toBe('half-open');
    trial?.succeed();
    expect(circuit.state).toBe('closed');
  });
});

const toBreakerKey = (fingerprint: string, caller?: string) => ({ credential: { fingerprint }, caller });

test('The breaker of an accepted credential stays open while any number of invented keys fail', () => {
  const { options } = createBreakerScene();
  const breaker = createCircuitBreakers(options);
  const fail = (fingerprint: string) => breaker.tryAcquire(toBreakerKey(fingerprint), '/call/{id}')?.('server-error');
  for (let count = 0; count < 4; count += 1) fail('a');
  for (let n = 0; n <= 10_000; n += 1) fail(`invented ${n}`);
  expect(breaker.allowsRequest(toBreakerKey('a'), '/call/{id}')).toBe(false);
});

describe('The breaker', () => {
  function createBroken(kind: FailureKind, asker = toBreakerKey('a'), endpoint = '/call/{id}' as const) {
    const { options, clock } = createBreakerScene();
    const breaker = createCircuitBreakers(options);
    for (let count = 0; count < 4; count += 1) breaker.tryAcquire(asker, endpoint)?.(kind);
    return { breaker, clock };
  }

  test.each<FailureKind>(['unreachable', 'connect-timeout'])('keeps everything back when there is no way there: %s', (kind) => {
    const { breaker, clock } = createBroken(kind);
    expect(breaker.state).toBe('open');
    expect(breaker.allowsRequest(toBreakerKey('another'), '/assistants')).toBe(false);
    expect(breaker.tryAcquire(toBreakerKey('another'), '/assistants')).toBeUndefined();
    clock.now = 1_000;
    expect(breaker.state).toBe('half-open');
    const leave = breaker.tryAcquire(toBreakerKey('another'), '/assistants');
    expect(breaker.tryAcquire(toBreakerKey('a'), '/call')).toBeUndefined();
    leave?.('server-error');
    expect(breaker.state).toBe('closed');
  });

  test.each<FailureKind>(['server-error', 'timeout', 'connection'])(
    'keeps back what one caller asks of one endpoint when that fails, and nothing else: %s',
    (kind) => {
      const { breaker } = createBroken(kind);
      expect(breaker.state).toBe('partly-open');
      expect(breaker.tryAcquire(toBreakerKey('a'), '/call/{id}')).toBeUndefined();
      expect(breaker.allowsRequest(toBreakerKey('a'), '/call/{id}')).toBe(false);
      for (const [asker, endpoint] of [
        [toBreakerKey('b'), '/call/{id}'],
        [toBreakerKey('a'), '/call'],
        // With the same key, but somebody else.
        [toBreakerKey('a', 'another'), '/call/{id}'],
      ] as const) {
        expect(breaker.allowsRequest(asker, endpoint)).toBe(true);
        expect(breaker.tryAcquire(asker, endpoint)).toBeTypeOf('function');
      }
    },
  );

  test.each<FailureKind>(['aborted', 'invalid', 'rate-limited', 'missing', 'credential', 'rejected'])(
    'says nothing against an upstream that answers, nor of who leaves: %s',
    (kind) => {
      expect(createBroken(kind).breaker.state).toBe('closed');
    },
  );

  test('tries an endpoint again after a while, one request at a time, and closes it when that is answered', () => {
    const { breaker, clock } = createBroken('server-error');
    clock.now = 1_000;
    const leave = breaker.tryAcquire(toBreakerKey('a'), '/call/{id}');
    expect(breaker.tryAcquire(toBreakerKey('a'), '/call/{id}')).toBeUndefined();
    leave?.('missing');
    expect(breaker.state).toBe('closed');
    expect(breaker.tryAcquire(toBreakerKey('a'), '/call/{id}')).toBeTypeOf('function');
  });

  test('lets the one to see go again when it was given up', () => {
    const { breaker, clock } = createBroken('unreachable');
    clock.now = 1_000;
    breaker.tryAcquire(toBreakerKey('a'), '/call')?.('aborted');
    expect(breaker.tryAcquire(toBreakerKey('a'), '/call')).toBeTypeOf('function');
  });

  test('is not kept open by one who asks for what takes too long: it has been reached', () => {
    const { breaker, clock } = createBroken('unreachable');
    clock.now = 1_000;
    breaker.tryAcquire(toBreakerKey('a'), '/call')?.('timeout');
    expect(breaker.state).toBe('closed');
    expect(breaker.tryAcquire(toBreakerKey('b'), '/call')).toBeTypeOf('function');
  });

  test('forgets an endpoint that nobody asks for', () => {
    const { breaker, clock } = createBroken('server-error');
    clock.now = 60_000;
    expect(breaker.state).toBe('closed');
    expect(breaker.allowsRequest(toBreakerKey('a'), '/call/{id}')).toBe(true);
  });
});
