import { describe, expect, test, vi } from 'vitest';
import { createUnsharedLimits } from '#rest/resilience/limit-sharing.ts';
import { createCooldowns } from '#rest/resilience/rate-limit-cooldown.ts';
import { createManualTimers } from './real-server.ts';

function createCooldownScene(random = () => 1) {
  const timers = createManualTimers();
  const clock = { now: 0 };
  const onChange = vi.fn();
  const cooldowns = createCooldowns({
    isAccepted: (credential) => !credential.startsWith('invented'),
    onChange,
    sharedLimits: createUnsharedLimits(1),
    monotonicNow: () => clock.now,
    startTimer: timers.startTimer,
    random,
  });
  return {
    cooldowns,
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
    const { cooldowns, pass, onChange, clock } = createCooldownScene();
    expect(cooldowns.start('a', 7_000)).toBe(7_000);
    clock.now = 1_000;
    expect([
      cooldowns.remainingMs('a'),
      cooldowns.until('a'),
      cooldowns.isProbing('a'),
      cooldowns.count,
    ]).toEqual([6_000, 7_000, true, 1]);
    expect([cooldowns.remainingMs('b'), cooldowns.until('b'), cooldowns.isProbing('b')]).toEqual([
      0,
      undefined,
      false,
    ]);
    pass(7_000);
    expect([cooldowns.until('a'), cooldowns.isProbing('a'), cooldowns.count]).toEqual([
      undefined,
      true,
      0,
    ]);
    cooldowns.clear('a');
    expect(cooldowns.isProbing('a')).toBe(false);
    expect(onChange.mock.calls).toEqual([['a'], ['a'], ['a']]);
  });

  test('another 429 can lengthen a cooldown and cannot shorten it', () => {
    const { cooldowns, timers } = createCooldownScene();
    cooldowns.start('a', 3_000);
    expect(cooldowns.start('a', 2_000)).toBe(3_000);
    expect(cooldowns.start('a', 5_000)).toBe(5_000);
    expect(cooldowns.start('a', undefined)).toBe(5_000);
    expect([timers.running, cooldowns.count]).toEqual([[5_000], 1]);
    // A response to an earlier request does not end the cooldown.
    cooldowns.clear('a');
    expect(cooldowns.until('a')).toBe(5_000);
  });

  test('the remaining time of a cooldown is 0 from its end on, even before its timer fires', () => {
    const { cooldowns, clock } = createCooldownScene();
    cooldowns.start('a', 7_000);
    const remaining = [6_999, 7_000, 7_001, 90_000].map((now) => {
      clock.now = now;
      return cooldowns.remainingMs('a');
    });
    expect(remaining).toEqual([1, 0, 0, 0]);
  });

  test('a cooldown without Retry-After lasts a second and doubles each time until a request succeeds', () => {
    const { cooldowns, pass } = createCooldownScene();
    for (const ms of [1_000, 2_000, 4_000]) {
      expect(cooldowns.start('a', undefined)).toBe(ms);
      pass(ms);
    }
    cooldowns.clear('a');
    expect(cooldowns.start('a', undefined)).toBe(1_000);
  });

  test('jitter shortens a cooldown without Retry-After by up to half', () => {
    expect(createCooldownScene(() => 0).cooldowns.start('a', undefined)).toBe(500);
  });

  test.each([undefined, 31_536_000_000])(
    'a cooldown lasts five minutes at most (Retry-After of %s ms, twelve times in a row)',
    (retryAfterMs) => {
      const { cooldowns, pass } = createCooldownScene();
      const cooldownsMs = Array.from({ length: 12 }, () => {
        const ms = cooldowns.start('a', retryAfterMs);
        pass(ms);
        return ms;
      });
      expect(Math.max(...cooldownsMs)).toBe(300_000);
    },
  );

  test('a cooldown lasts at least 250 ms and doubles each time when the upstream asks for less', () => {
    const { cooldowns, pass } = createCooldownScene();
    for (const ms of [250, 500, 1_000]) {
      expect(cooldowns.start('a', 0)).toBe(ms);
      pass(ms);
    }
    cooldowns.clear('a');
    expect(cooldowns.start('a', 249)).toBe(250);
  });

  test('a cooldown is forgotten a minute after its end when no response arrives', () => {
    const { cooldowns, pass, timers } = createCooldownScene();
    cooldowns.start('a', 300);
    pass(300);
    expect(timers.running).toEqual([60_000]);
    pass(60_000);
    expect([cooldowns.isProbing('a'), timers.running]).toEqual([false, []]);
  });

  test('the gateway keeps ten thousand cooldowns at most and ends the oldest one', () => {
    const { cooldowns, timers } = createCooldownScene();
    for (let n = 0; n <= 10_000; n += 1) cooldowns.start(`key ${n}`, 1_000);
    expect([
      cooldowns.count,
      timers.running.length,
      cooldowns.until('key 0'),
      cooldowns.until('key 1'),
    ]).toEqual([10_000, 10_000, undefined, 1_000]);
  });

  test('the cooldown of an accepted credential does not end when any number of invented keys are in a cooldown', () => {
    const { cooldowns, timers } = createCooldownScene();
    cooldowns.start('a', 1_000);
    for (let n = 0; n <= 10_000; n += 1) cooldowns.start(`invented ${n}`, 1_000);
    expect([
      cooldowns.until('a'),
      cooldowns.until('invented 0'),
      cooldowns.until('invented 1'),
    ]).toEqual([1_000, undefined, 1_000]);
    expect([cooldowns.count, timers.running.length]).toEqual([10_001, 10_001]);
  });
});
