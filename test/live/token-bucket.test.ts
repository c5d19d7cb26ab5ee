import { expect, test } from 'vitest';
import { TokenBucket } from '#live/token-bucket.ts';

test('a bucket owes at most ten seconds, and says how many tokens were taken', () => {
  const bucket = new TokenBucket(10, 0);
  expect([bucket.take(0), bucket.take(0, 1_000), bucket.take(0, 1_000)]).toEqual([1, 109, 0]);
  expect(bucket.availableAt(0)).toBe(10_100);
  expect(bucket.take(1_000, 1_000)).toBe(10);
});
