import { describe, expect, test } from 'vitest';
import { createSimulatedList, type PagingBehavior } from '../support/simulated-list.ts';
import { createListReader } from './list-reader.ts';

const COUNT_ONLY = { page: false, hasNextPage: false };

/**
 * The galloping search up to the last page, the binary search down to it, the first page, the proof
 * of the end, and the second read of the page before it.
 */
const requestBound = (pages: number) => 2 * Math.ceil(Math.log2(Math.max(pages, 1))) + 5;

async function countItems(length: number, pageSize: number, behavior: PagingBehavior) {
  const upstream = createSimulatedList(length, behavior);
  const reader = createListReader(upstream, { pageSize });
  const { connection, requested } = await reader.read({ first: 1 }, { wanted: COUNT_ONLY });
  expect(requested).toEqual([]);
  const counted = await connection.totalCount();
  return { counted, requestedPages: upstream.takeLog() };
}

describe('Total count of a list', () => {
  const past = ['empty', 400, 404, 'clamped'] as const;
  test.each(past)(
    'the total count is exact for every length in few requests when the end is %s',
    async (past) => {
      for (const pageSize of [1, 2, 3, 7, 10, 50]) {
        for (let length = 0; length <= 310; length += 1) {
          const { counted, requestedPages } = await countItems(length, pageSize, {
            past,
            firstPage: 1,
          });
          const pages = Math.ceil(length / pageSize);
          expect(counted, `${length} items in pages of ${pageSize}`).toBe(length);
          expect(
            requestedPages.length,
            `${length} items in pages of ${pageSize}: ${requestedPages}`,
          ).toBeLessThanOrEqual(requestBound(pages));
        }
      }
    },
  );

  test('the total count of a long list is exact in about twice the logarithm of its pages', async () => {
    for (const past of ['empty', 'clamped'] as const) {
      for (const length of [49_950, 50_000, 50_001, 51_199, 51_200, 51_201, 99_999]) {
        const { counted, requestedPages } = await countItems(length, 50, { past });
        expect(counted).toBe(length);
        expect(requestedPages.length).toBeLessThanOrEqual(requestBound(length / 50));
      }
    }
  });

  test('the count needs one more request when a probe hits the last page, because the next page proves it', async () => {
    expect(await countItems(645, 10, {})).toEqual({
      counted: 645,
      requestedPages: [0, 1, 2, 4, 8, 16, 32, 64, 65],
    });
    expect(await countItems(605, 10, {})).toEqual({
      counted: 605,
      requestedPages: [0, 1, 2, 4, 8, 16, 32, 64, 48, 56, 60, 61],
    });
  });

  test('the count requests no page twice, unless identical pages may mean that the list has moved', async () => {
    const { requestedPages } = await countItems(1234, 10, {});
    expect(new Set(requestedPages).size).toBe(requestedPages.length);
  });

  test('the count costs one request when the upstream returns a total', async () => {
    for (const length of [0, 1, 9, 10, 11, 500]) {
      const { counted, requestedPages } = await countItems(length, 10, { hasTotal: true });
      expect(counted).toBe(length);
      expect(requestedPages).toEqual([0]);
    }
  });

  test('the count reuses the pages of the client page', async () => {
    const upstream = createSimulatedList(25);
    const reader = createListReader(upstream, { pageSize: 10 });
    const { connection, requested } = await reader.read({ first: 20 });
    expect(requested).toEqual([0, 1, 2]);
    expect(await connection.totalCount()).toBe(25);
    // A count is never a guess: one request proves that the short page is the last one.
    expect(upstream.takeLog()).toEqual([3]);
  });

  test('the count includes unusable items', async () => {
    const upstream = createSimulatedList(25);
    const reader = createListReader(
      {
        ...upstream,
        readPage: async (pageFetch) => ({ ...(await upstream.readPage(pageFetch)), items: [] }),
      },
      { pageSize: 10 },
    );
    const { connection } = await reader.read({ first: 1 }, { wanted: COUNT_ONLY });
    expect(await connection.totalCount()).toBe(25);
    expect(upstream.takeLog()).toEqual([0, 1, 2, 3]);
  });

  test('the total count is exact for a capped upstream with either kind of offset', async () => {
    for (const offsetBy of ['served', 'requested'] as const) {
      for (const past of ['empty', 'clamped'] as const) {
        for (const length of [11, 12, 13, 40, 41, 100]) {
          const { counted, requestedPages } = await countItems(length, 10, {
            cap: 4,
            offsetBy,
            past,
          });
          expect(counted).toBe(length);
          expect(requestedPages.length).toBeLessThanOrEqual(requestBound(length / 4) + 5);
        }
      }
    }
  });
});
