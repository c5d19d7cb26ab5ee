import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toFairShare } from '#coordination/fair-share.ts';

test('the shares of any demands add up to the limit, and no instance gets less than it demands while another gets more than one slot more', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 20, max: 100 }),
      (requests, limit) => {
        const demands = requests.map((count, index) => ({
          instance: `i${index}`,
          requests: count,
        }));
        const shares = demands.map(({ instance }) => toFairShare(demands, instance, limit));
        const sum = shares.reduce((total, share) => total + share, 0);
        // An instance without demand keeps one slot for its first request.
        const idle = requests.filter((count) => count === 0).length;
        expect(sum).toBeGreaterThanOrEqual(limit);
        expect(sum).toBeLessThanOrEqual(limit + idle);
        for (const [index, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(1);
          if (share < (requests[index] as number))
            expect(Math.max(...shares)).toBeLessThanOrEqual(share + 1);
        }
      },
    ),
  );
});
