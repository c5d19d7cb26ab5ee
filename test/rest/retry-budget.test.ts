import { describe, expect, test } from 'vitest';
import { createExpiringMap, createPartitionedMap } from '#rest/resilience/expiring-map.ts';
import { createRetryBudget } from '#rest/resilience/retry-budget.ts';

/**
 * Sends `requestCount` requests that fail twice each, and counts the retries that the budget allows.
 */
function retriesOf(
  budget: ReturnType<typeof createRetryBudget>,
  credentialOf: (n: number) => string,
  requestCount: number,
): number {
  let retries = 0;
  for (let n = 0; n < requestCount; n += 1) {
    budget.deposit(credentialOf(n));
    for (let resend = 0; resend < 2; resend += 1)
      if (budget.tryWithdraw(credentialOf(n))) retries += 1;
  }
  return retries;
}

describe('Retry budget', () => {
  test.each([
    [1, 2],
    [5, 10],
    [100, 30],
    [10_000, 2_010],
  ])(
    'the retry budget of one credential allows %i failing requests to be retried %i times',
    (requestCount, retries) => {
      const counted = retriesOf(
        createRetryBudget(
          () => 0,
          () => true,
        ),
        () => 'a',
        requestCount,
      );
      expect(Math.abs(counted - retries)).toBeLessThanOrEqual(2);
    },
  );

  test('the retry budget of all credentials together also keeps retries from doubling the load', () => {
    expect(
      retriesOf(
        createRetryBudget(
          () => 0,
          () => true,
        ),
        (n) => `key ${n}`,
        1_000,
      ),
    ).toBeLessThanOrEqual(1_000 * 0.2 + 20);
  });

  test('the retry budget has ten retries for one credential, twenty in all, and one more after five requests', () => {
    const budget = createRetryBudget(
      () => 0,
      () => true,
    );
    const withdraw = (count: number, credentialOf: (n: number) => string) =>
      Array.from({ length: count }, (_, n) => budget.tryWithdraw(credentialOf(n))).filter(Boolean)
        .length;
    expect(withdraw(30, () => 'a')).toBe(10);
    expect(withdraw(30, (n) => `key ${n}`)).toBe(10);
    for (let requests = 1; requests <= 4; requests += 1) budget.deposit('a');
    expect(budget.tryWithdraw('a')).toBe(false);
    budget.deposit('a');
    expect([budget.tryWithdraw('a'), budget.tryWithdraw('a')]).toEqual([true, false]);
    for (let requests = 1; requests <= 1_000; requests += 1) budget.deposit('another');
    expect([withdraw(30, (n) => `later ${n}`), withdraw(30, () => 'a')]).toEqual([20, 0]);
  });

  test('one credential does not spend the retry budget of another', () => {
    const budget = createRetryBudget(
      () => 0,
      () => true,
    );
    expect(retriesOf(budget, () => 'flood', 6)).toBeLessThan(12);
    expect(budget.tryWithdraw('another')).toBe(true);
  });

  test('the retry budget is full again after a minute without requests', () => {
    let now = 0;
    const budget = createRetryBudget(
      () => now,
      () => true,
    );
    for (let n = 0; n < 10; n += 1) expect(budget.tryWithdraw('a')).toBe(true);
    expect(budget.tryWithdraw('a')).toBe(false);
    now = 60_000;
    expect(budget.tryWithdraw('a')).toBe(true);
  });
});

describe('Expiring map', () => {
  test('an expiring map forgets entries that have not been used for its idle time', () => {
    let now = 0;
    const map = createExpiringMap<number>({ idleMs: 100, maxEntries: 10, monotonicNow: () => now });
    map.set('a', 1);
    map.set('b', 2);
    now = 99;
    expect(map.get('a')).toBe(1);
    now = 198;
    expect([map.get('b'), map.get('a'), [...map.values()]]).toEqual([undefined, 1, [1]]);
    now = 298;
    expect([...map.values()]).toEqual([]);
    map.set('c', 3);
    expect(map.size).toBe(1);
  });

  test('an expiring map evicts the least recently used entry at its maximum', () => {
    const map = createExpiringMap<number>({ idleMs: 100, maxEntries: 2, monotonicNow: () => 0 });
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
  });
});

test('a partitioned map never evicts an entry of an accepted credential for an invented key, and is still bounded', () => {
  const map = createPartitionedMap<number>(
    { idleMs: 100, maxEntries: 2, monotonicNow: () => 0 },
    (key) => key.startsWith('accepted'),
  );
  map.set('accepted 1', 1);
  map.set('accepted 2', 2);
  for (let n = 0; n < 10; n += 1) map.set(`invented ${n}`, n);
  expect([
    map.get('accepted 1'),
    map.get('accepted 2'),
    map.get('invented 9'),
    map.get('invented 7'),
  ]).toEqual([1, 2, 9, undefined]);
  expect([...map.values()]).toHaveLength(4);
  map.set('accepted 3', 3);
  expect([map.get('accepted 1'), map.get('accepted 3'), map.size]).toEqual([undefined, 3, 4]);
  map.delete('accepted 3');
  map.delete('invented 9');
  expect(map.size).toBe(2);
});

test('a partitioned map moves an entry when its credential becomes accepted', () => {
  let isAccepted = false;
  const map = createPartitionedMap<number>(
    { idleMs: 100, maxEntries: 2, monotonicNow: () => 0 },
    () => isAccepted,
  );
  map.set('a', 1);
  isAccepted = true;
  expect(map.get('a')).toBe(1);
  map.set('a', 2);
  expect([map.get('a'), map.size]).toEqual([2, 1]);
});
