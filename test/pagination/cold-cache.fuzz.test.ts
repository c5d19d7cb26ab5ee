import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSimulatedList } from '../support/simulated-list.ts';
import { createCachedUpstream } from './cached-upstream.ts';
import { createListReader } from './list-reader.ts';
import {
  applyEdit,
  arbitraryBehavior,
  arbitraryEdit,
  arbitrarySmallEdit,
  NUM_RUNS,
  TIMEOUT_MS,
} from './moving-lists.ts';

test(
  'an operation with a cold cache sends the same requests as one without a cache, even if the list moves while it is read',
  async () => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          length: fc.integer({ min: 0, max: 150 }),
          pageSize: fc.integer({ min: 1, max: 12 }),
          behavior: arbitraryBehavior,
          firstPage: fc.constantFrom('auto' as const, 'known' as const),
          position: fc.option(fc.nat({ max: 150 })),
          direction: fc.constantFrom('first' as const, 'last' as const),
          side: fc.constantFrom('after' as const, 'before' as const),
          size: fc.integer({ min: 1, max: 30 }),
          edits: fc.array(
            fc.tuple(fc.integer({ min: 0, max: 8 }), fc.oneof(arbitraryEdit, arbitrarySmallEdit)),
            {
              maxLength: 3,
            },
          ),
        }),
        async ({
          length,
          pageSize,
          behavior,
          firstPage,
          position,
          direction,
          side,
          size,
          edits,
        }) => {
          const [plain, cached] = await Promise.all(
            [false, true].map(async (isCached) => {
              const upstream = createSimulatedList(length, behavior);
              const known = createListReader(upstream, { pageSize });
              const { edges } = (await known.read({ first: 100 })).connection;
              const item = position === null ? undefined : edges[position];
              upstream.log.length = 0;
              const reader = createListReader(
                isCached ? createCachedUpstream(upstream) : upstream,
                { pageSize, firstPage },
              );
              for (const [count, one] of edits) {
                const act = () => applyEdit(upstream, one, item?.node.id ?? '');
                if (count === 0) act();
                else upstream.afterRequests(count, act);
              }
              const read = async () => {
                const { connection, ...page } = await reader.read({
                  [direction]: size,
                  [side]: item?.cursor,
                });
                return { ...page, total: await connection.totalCount() };
              };
              const result = await read().catch((error: unknown) => ({ error }));
              return {
                result,
                log: upstream.log.map(({ page }) => page),
                facts: reader.currentFacts(),
              };
            }),
          );
          expect(cached).toEqual(plain);
          if (new Set(plain!.log).size < plain!.log.length) moved += 1;
        },
      ),
      { numRuns: NUM_RUNS },
    );
    expect(moved).toBeGreaterThan(NUM_RUNS / 10);
  },
  TIMEOUT_MS,
);
