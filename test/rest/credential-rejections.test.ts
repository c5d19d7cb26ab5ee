import { expect, test } from 'vitest';
import { createRejectedCredentials } from '#rest/resilience/rejected-credentials.ts';

function createScene(keyHolder: 'gateway' | 'caller' = 'caller') {
  const clock = { now: 0 };
  return {
    clock,
    rejectedCredentials: createRejectedCredentials({ keyHolder, monotonicNow: () => clock.now }),
  };
}

test('a rejected credential is not sent again, except for one probe a second, until the upstream accepts it', () => {
  const { rejectedCredentials, clock } = createScene();
  expect(rejectedCredentials.shouldReject('a', '/a')).toBe(false);
  rejectedCredentials.add('a', '/a');
  expect([
    rejectedCredentials.shouldReject('a', '/a'),
    rejectedCredentials.shouldReject('b', '/a'),
    rejectedCredentials.has('a'),
  ]).toEqual([true, false, true]);
  clock.now = 1_000;
  expect([
    rejectedCredentials.shouldReject('a', '/a'),
    rejectedCredentials.shouldReject('a', '/a'),
  ]).toEqual([false, true]);
  clock.now = 1_999;
  expect(rejectedCredentials.shouldReject('a', '/a')).toBe(true);
  clock.now = 2_000;
  expect([
    rejectedCredentials.shouldReject('a', '/a'),
    rejectedCredentials.shouldReject('a', '/a'),
  ]).toEqual([false, true]);
  rejectedCredentials.delete('a');
  expect([rejectedCredentials.shouldReject('a', '/a'), rejectedCredentials.has('a')]).toEqual([
    false,
    false,
  ]);
});

test('a rejection expires after five seconds without a request', () => {
  const { rejectedCredentials, clock } = createScene();
  rejectedCredentials.add('a', '/a');
  clock.now = 5_000;
  expect(rejectedCredentials.has('a')).toBe(false);
});

test('the gateway keeps ten thousand rejections at most', () => {
  const { rejectedCredentials } = createScene();
  for (let n = 0; n <= 10_000; n += 1) rejectedCredentials.add(`${n}`, '/a');
  expect([
    rejectedCredentials.has('0'),
    rejectedCredentials.has('1'),
    rejectedCredentials.has('10000'),
  ]).toEqual([false, true, true]);
});

test("the gateway's own key counts as rejected after ten rejections in a row", () => {
  const { rejectedCredentials } = createScene('gateway');
  for (let n = 0; n < 9; n += 1) rejectedCredentials.add('own', '/a');
  rejectedCredentials.delete('own');
  for (let n = 0; n < 9; n += 1) rejectedCredentials.add('own', '/a');
  expect([rejectedCredentials.shouldReject('own', '/a'), rejectedCredentials.has('own')]).toEqual([
    false,
    false,
  ]);
  rejectedCredentials.add('own', '/a');
  expect([rejectedCredentials.shouldReject('own', '/a'), rejectedCredentials.has('own')]).toEqual([
    true,
    true,
  ]);
});

test('a rejected path yields to other paths for a second, and is sent as the probe when there are none', () => {
  const { rejectedCredentials, clock } = createScene();
  rejectedCredentials.add('a', '/refused');
  clock.now = 1_000;
  expect(rejectedCredentials.shouldReject('a', '/refused')).toBe(false);
  rejectedCredentials.add('a', '/refused');
  expect(rejectedCredentials.shouldReject('a', '/other')).toBe(true);
  clock.now = 2_500;
  expect([
    rejectedCredentials.shouldReject('a', '/refused'),
    rejectedCredentials.shouldReject('a', '/other'),
  ]).toEqual([true, false]);
  rejectedCredentials.add('a', '/other');
  expect(rejectedCredentials.shouldReject('a', '/third')).toBe(true);
  clock.now = 4_499;
  expect([
    rejectedCredentials.shouldReject('a', '/refused'),
    rejectedCredentials.shouldReject('a', '/other'),
  ]).toEqual([true, true]);
  clock.now = 4_500;
  expect([
    rejectedCredentials.shouldReject('a', '/refused'),
    rejectedCredentials.shouldReject('a', '/other'),
  ]).toEqual([false, true]);
});

test('the last sixteen rejected paths yield to others, and all long paths count as one', () => {
  const { rejectedCredentials, clock } = createScene();
  const long = '/long'.repeat(100);
  for (const path of [...Array.from({ length: 16 }, (_, n) => `/${n}`), long])
    rejectedCredentials.add('a', path);
  expect(rejectedCredentials.shouldReject('a', '/other')).toBe(true);
  clock.now = 1_000;
  expect(
    ['/1', '/15', long, `${long} 2`].map((path) => rejectedCredentials.shouldReject('a', path)),
  ).toEqual([true, true, true, true]);
  expect(rejectedCredentials.shouldReject('a', '/0')).toBe(false);
});
