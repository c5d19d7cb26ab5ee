import { expect, test } from 'vitest';
import { createRefusals } from '#rest/refusals.ts';

function createScene(keyHolder: 'gateway' | 'caller' = 'caller') {
  const clock = { now: 0 };
  return { clock, refusals: createRefusals({ keyHolder, elapsed: () => clock.now }) };
}

test('a refused credential is rejected, but for one request a second, until it is accepted', () => {
  const { refusals, clock } = createScene();
  expect(refusals.rejects('a')).toBe(false);
  refusals.add('a');
  expect([refusals.rejects('a'), refusals.rejects('b'), refusals.has('a')]).toEqual([true, false, true]);
  clock.now = 1_000;
  expect([refusals.rejects('a'), refusals.rejects('a')]).toEqual([false, true]);
  clock.now = 1_999;
  expect(refusals.rejects('a')).toBe(true);
  clock.now = 2_000;
  expect([refusals.rejects('a'), refusals.rejects('a')]).toEqual([false, true]);
  refusals.delete('a');
  expect([refusals.rejects('a'), refusals.has('a')]).toEqual([false, false]);
});

test('a refusal is forgotten after five seconds without a request', () => {
  const { refusals, clock } = createScene();
  refusals.add('a');
  clock.now = 5_000;
  expect(refusals.has('a')).toBe(false);
});

test('ten thousand refusals are remembered at most', () => {
  const { refusals } = createScene();
  for (let n = 0; n <= 10_000; n += 1) refusals.add(`${n}`);
  expect([refusals.has('0'), refusals.has('1'), refusals.has('10000')]).toEqual([false, true, true]);
});

test('the key of the gateway is rejected after ten refusals in a row', () => {
  const { refusals } = createScene('gateway');
  for (let n = 0; n < 9; n += 1) refusals.add('own');
  refusals.delete('own');
  for (let n = 0; n < 9; n += 1) refusals.add('own');
  expect([refusals.rejects('own'), refusals.has('own')]).toEqual([false, false]);
  refusals.add('own');
  expect([refusals.rejects('own'), refusals.has('own')]).toEqual([true, true]);
});
