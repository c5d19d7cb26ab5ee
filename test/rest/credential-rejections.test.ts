import { expect, test } from 'vitest';
import { createRejectedCredentials } from '#rest/resilience/rejected-credentials.ts';

function createScene(keyHolder: 'gateway' | 'caller' = 'caller') {
  const clock = { now: 0 };
  return {
    clock,
    refusals: createRejectedCredentials({ keyHolder, monotonicNow: () => clock.now }),
  };
}

test('a rejected credential is not sent again, except for one probe a second, until the upstream accepts it', () => {
  const { refusals, clock } = createScene();
  expect(refusals.shouldReject('a', '/a')).toBe(false);
  refusals.add('a', '/a');
  expect([
    refusals.shouldReject('a', '/a'),
    refusals.shouldReject('b', '/a'),
    refusals.has('a'),
  ]).toEqual([true, false, true]);
  clock.now = 1_000;
  expect([refusals.shouldReject('a', '/a'), refusals.shouldReject('a', '/a')]).toEqual([
    false,
    true,
  ]);
  clock.now = 1_999;
  expect(refusals.shouldReject('a', '/a')).toBe(true);
  clock.now = 2_000;
  expect([refusals.shouldReject('a', '/a'), refusals.shouldReject('a', '/a')]).toEqual([
    false,
    true,
  ]);
  refusals.delete('a');
  expect([refusals.shouldReject('a', '/a'), refusals.has('a')]).toEqual([false, false]);
});

test('a rejection expires after five seconds without a request', () => {
  const { refusals, clock } = createScene();
  refusals.add('a', '/a');
  clock.now = 5_000;
  expect(refusals.has('a')).toBe(false);
});

test('the gateway keeps ten thousand rejections at most', () => {
  const { refusals } = createScene();
  for (let n = 0; n <= 10_000; n += 1) refusals.add(`${n}`, '/a');
  expect([refusals.has('0'), refusals.has('1'), refusals.has('10000')]).toEqual([
    false,
    true,
    true,
  ]);
});

test("the gateway's own key counts as rejected after ten rejections in a row", () => {
  const { refusals } = createScene('gateway');
  for (let n = 0; n < 9; n += 1) refusals.add('own', '/a');
  refusals.delete('own');
  for (let n = 0; n < 9; n += 1) refusals.add('own', '/a');
  expect([refusals.shouldReject('own', '/a'), refusals.has('own')]).toEqual([false, false]);
  refusals.add('own', '/a');
  expect([refusals.shouldReject('own', '/a'), refusals.has('own')]).toEqual([true, true]);
});

test('a rejected path yields to other paths for a second, and is sent as the probe when there are none', () => {
  const { refusals, clock } = createScene();
  refusals.add('a', '/refused');
  clock.now = 1_000;
  expect(refusals.shouldReject('a', '/refused')).toBe(false);
  refusals.add('a', '/refused');
  expect(refusals.shouldReject('a', '/other')).toBe(true);
  clock.now = 2_500;
  expect([refusals.shouldReject('a', '/refused'), refusals.shouldReject('a', '/other')]).toEqual([
    true,
    false,
  ]);
  refusals.add('a', '/other');
  expect(refusals.shouldReject('a', '/third')).toBe(true);
  clock.now = 4_499;
  expect([refusals.shouldReject('a', '/refused'), refusals.shouldReject('a', '/other')]).toEqual([
    true,
    true,
  ]);
  clock.now = 4_500;
  expect([refusals.shouldReject('a', '/refused'), refusals.shouldReject('a', '/other')]).toEqual([
    false,
    true,
  ]);
});

test('the last sixteen rejected paths yield to others, and all long paths count as one', () => {
  const { refusals, clock } = createScene();
  const long = '/long'.repeat(100);
  for (const path of [...Array.from({ length: 16 }, (_, n) => `/${n}`), long])
    refusals.add('a', path);
  expect(refusals.shouldReject('a', '/other')).toBe(true);
  clock.now = 1_000;
  expect(['/1', '/15', long, `${long} 2`].map((path) => refusals.shouldReject('a', path))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(refusals.shouldReject('a', '/0')).toBe(false);
});
