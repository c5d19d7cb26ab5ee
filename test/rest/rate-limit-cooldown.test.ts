import { describe, expect, test, vi } from 'vitest';
import { createCooldowns } from '#rest/resilience/rate-limit-cooldown.ts';
import { createManualTimers } from './real-server.ts';

function createCooldownScene(random = () => 1) {
  const timers = createManualTimers();
  const clock = { now: 0 };
  const onChange = vi.fn();
  const pauses = createCooldowns({
    isAccepted: (credential) => !credential.startsWith('invented'),
    onChange,
    monotonicNow: () => clock.now,
    startTimer: timers.startTimer,
    random,
  });
  return {
    pauses,
    onChange,
    timers,
    /** Lets `ms` pass, which ends a cooldown of that length. */
    pass(ms: number) {
      clock.now += ms;
      timers.elapse(ms);
    },
    clock,
  };
}

describe('Rate-limit cooldown', () => {
  test('a cooldown lasts as long as the upstream asks, for that credential only', () => {
    const { pauses, pass, onChange, clock } = createCooldownScene();
    expect(pauses.start('a', 7_000)).toBe(7_000);
    clock.now = 1_000;
    expect([
      pauses.remainingMs('a'),
      pauses.until('a'),
      pauses.isProbing('a'),
      pauses.count,
    ]).toEqual([6_000, 7_000, true, 1]);
    expect([pauses.remainingMs('b'), pauses.until('b'), pauses.isProbing('b')]).toEqual([
      0,
      undefined,
      false,
    ]);
    pass(7_000);
    expect([pauses.until('a'), pauses.isProbing('a'), pauses.count]).toEqual([undefined, true, 0]);
    pauses.clear('a');
    expect(pauses.isProbing('a')).toBe(false);
    expect(onChange.mock.calls).toEqual([['a'], ['a'], ['a']]);
  });

  test('another 429 can lengthen a cooldown and cannot shorten it', () => {
    const { pauses, timers } = createCooldownScene();
    pauses.start('a', 3_000);
    expect(pauses.start('a', 2_000)).toBe(3_000);
    expect(pauses.start('a', 5_000)).toBe(5_000);
    expect(pauses.start('a', undefined)).toBe(5_000);
    expect([timers.running, pauses.count]).toEqual([[5_000], 1]);
    // A response to an earlier request does not end the cooldown.
    pauses.clear('a');
    expect(pauses.until('a')).toBe(5_000);
  });

  test('a cooldown without Retry-After lasts a second and doubles each time until a request succeeds', () => {
    const { pauses, pass } = createCooldownScene();
    for (const ms of [1_000, 2_000, 4_000]) {
      expect(pauses.start('a', undefined)).toBe(ms);
      pass(ms);
    }
    pauses.clear('a');
    expect(pauses.start('a', undefined)).toBe(1_000);
  });

  test('jitter shortens a cooldown without Retry-After by up to half', () => {
    expect(createCooldownScene(() => 0).pauses.start('a', undefined)).toBe(500);
  });

  test.each([undefined, 31_536_000_000])(
    'a cooldown lasts five minutes at most (Retry-After of %s ms, twelve times in a row)',
    (askedMs) => {
      const { pauses, pass } = createCooldownScene();
      const pausesMs = Array.from({ length: 12 }, () => {
        const ms = pauses.start('a', askedMs);
        pass(ms);
        return ms;
      });
      expect(Math.max(...pausesMs)).toBe(300_000);
    },
  );

  test('a cooldown lasts at least 250 ms and doubles each time when the upstream asks for less', () => {
    const { pauses, pass } = createCooldownScene();
    for (const ms of [250, 500, 1_000]) {
      expect(pauses.start('a', 0)).toBe(ms);
      pass(ms);
    }
    pauses.clear('a');
    expect(pauses.start('a', 249)).toBe(250);
  });

  test('a cooldown is forgotten a minute after its end when no response arrives', () => {
    const { pauses, pass, timers } = createCooldownScene();
    pauses.start('a', 300);
    pass(300);
    expect(timers.running).toEqual([60_000]);
    pass(60_000);
    expect([pauses.isProbing('a'), timers.running]).toEqual([false, []]);
  });

  test('the gateway keeps ten thousand cooldowns at most and ends the oldest one', () => {
    const { pauses, timers } = createCooldownScene();
    for (let n = 0; n <= 10_000; n += 1) pauses.start(`key ${n}`, 1_000);
    expect([
      pauses.count,
      timers.running.length,
      pauses.until('key 0'),
      pauses.until('key 1'),
    ]).toEqual([10_000, 10_000, undefined, 1_000]);
  });

  test('the cooldown of an accepted credential does not end when any number of invented keys are in a cooldown', () => {
    const { pauses, timers } = createCooldownScene();
    pauses.start('a', 1_000);
    for (let n = 0; n <= 10_000; n += 1) pauses.start(`invented ${n}`, 1_000);
    expect([pauses.until('a'), pauses.until('invented 0'), pauses.until('invented 1')]).toEqual([
      1_000,
      undefined,
      1_000,
    ]);
    expect([pauses.count, timers.running.length]).toEqual([10_001, 10_001]);
  });
});
