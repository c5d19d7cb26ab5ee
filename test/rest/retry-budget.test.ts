import { describe, expect, test } from 'vitest';
import { createForgetfulMap } from '#rest/forgetful-map.ts';
import { createRetryBudget } from '#rest/retry-budget.ts';

/** Sends so many questions that fail twice each, and counts the retries that are allowed. */
function retriesOf(budget: ReturnType<typeof createRetryBudget>, credentialOf: (n: number) => string, questions: number): number {
  let retries = 0;
  for (let n = 0; n < questions; n += 1) {
    budget.earn(credentialOf(n));
    for (let resend = 0; resend < 2; resend += 1) if (budget.spend(credentialOf(n))) retries += 1;
  }
  return retries;
}

describe('The retry budget', () => {
  test.each([
    [1, 2],
    [5, 10],
    [100, 30],
    [10_000, 2_010],
  ])('of one credential: %i questions that all fail are sent again %i times', (questions, retries) => {
    const counted = retriesOf(
      createRetryBudget(() => 0),
      () => 'a',
      questions,
    );
    expect(Math.abs(counted - retries)).toBeLessThanOrEqual(2);
  });

  test('of all credentials together: they do not double the load either', () => {
    expect(
      retriesOf(
        createRetryBudget(() => 0),
        (n) => `key ${n}`,
        1_000,
      ),
    ).toBeLessThanOrEqual(1_000 * 0.2 + 20);
  });

  test('of one credential is not spent by another', () => {
    const budget = createRetryBudget(() => 0);
    expect(retriesOf(budget, () => 'flood', 6)).toBeLessThan(12);
    expect(budget.spend('another')).toBe(true);
  });

  test('is whole again after a minute of quiet', () => {
    let now = 0;
    const budget = createRetryBudget(() => now);
    for (let n = 0; n < 10; n += 1) expect(budget.spend('a')).toBe(true);
    expect(budget.spend('a')).toBe(false);
    now = 60_000;
    expect(budget.spend('a')).toBe(true);
  });
});

describe('A forgetful map', () => {
  test('forgets what nobody has touched for a while', () => {
    let now = 0;
    const map = createForgetfulMap<number>({ idleMs: 100, most: 10, elapsed: () => now });
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

  test('holds so many at most, the ones that were touched last', () => {
    const map = createForgetfulMap<number>({ idleMs: 100, most: 2, elapsed: () => 0 });
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
  });
});
