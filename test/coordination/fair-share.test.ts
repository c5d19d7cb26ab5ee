import { expect, test } from 'vitest';
import { toFairShare } from '#coordination/fair-share.ts';

test.each([
  ['the only instance has the whole limit', [20], 20, [20]],
  ['equal demands have equal shares', [20, 20, 20, 20, 20], 20, [4, 4, 4, 4, 4]],
  ['the remainder goes to the highest demands', [20, 20, 20], 20, [6, 7, 7]],
  ['a low demand is met, and the others share the rest', [2, 20, 20], 20, [2, 9, 9]],
  ['what no instance demands is divided equally', [5, 1], 20, [12, 8]],
  [
    'each instance has a slot, even if there are more instances than slots',
    [9, 9, 9],
    2,
    [1, 1, 1],
  ],
])('%s', (_name, requests, limit, shares) => {
  const demands = requests.map((count, index) => ({ instance: `i${index}`, requests: count }));
  expect(demands.map(({ instance }) => toFairShare(demands, instance, limit))).toEqual(shares);
});
