import { expect, test } from 'vitest';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';

const HOUR_MS = 3_600_000;

function createCredentialsScene(keyHolder: 'gateway' | 'caller' = 'caller') {
  const clock = { now: 0 };
  return {
    clock,
    accepted: createAcceptedCredentials({ keyHolder, monotonicNow: () => clock.now }),
  };
}

test('a credential counts as accepted from its first acceptance until the upstream rejects it', () => {
  const { accepted } = createCredentialsScene();
  expect(accepted.has('a')).toBe(false);
  accepted.add('a');
  expect([accepted.has('a'), accepted.has('b')]).toEqual([true, false]);
  accepted.delete('a');
  expect(accepted.has('a')).toBe(false);
});

test('an accepted credential expires after an hour without use, and every use prolongs it', () => {
  const { accepted, clock } = createCredentialsScene();
  accepted.add('a');
  clock.now += HOUR_MS - 1;
  expect(accepted.has('a')).toBe(true);
  clock.now += HOUR_MS - 1;
  expect(accepted.has('a')).toBe(true);
  clock.now += HOUR_MS;
  expect(accepted.has('a')).toBe(false);
});

test('the gateway keeps ten thousand accepted credentials and evicts the least recently used one', () => {
  const { accepted } = createCredentialsScene();
  for (let key = 0; key <= 10_000; key += 1) accepted.add(`${key}`);
  expect([accepted.has('0'), accepted.has('1'), accepted.has('10000')]).toEqual([
    false,
    true,
    true,
  ]);
});

test("the gateway's own credential counts as accepted from the start", () => {
  const { accepted } = createCredentialsScene('gateway');
  accepted.delete('own');
  expect(accepted.has('own')).toBe(true);
});
