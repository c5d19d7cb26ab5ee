import { describe, expect, test } from 'vitest';
import { createSimulatedList, type PagingBehavior } from '../support/simulated-list.ts';
import { createListReader } from './list-reader.ts';

const COUNT_ONLY = { page: false, hasNextPage: false };

/** Galloping up to the last page, halving down to it, and the first page, the proof of the end, the look at the page before. */
const requestBound = (pages: number) => 2 * Math.ceil(Math.log2(Math.max(pages, 1))) + 5;

async function countItems(length: number, pageSize: number, manners: PagingBehavior) {
  const upstream = createSimulatedList(length, manners);
  const reader = createListReader(upstream, { pageSize });
  const { connection, requested } = await reader.read({ first: 1 }, { wanted: COUNT_ONLY });
  expect(requested).toEqual([]);
  const counted = await connection.totalCount();
  return { counted, asked: upstream.takeLog() };
}

describe('the length of a list', () => {
  const past = ['empty', 400, 404, 'clamped'] as const;
  test.each(past)('is exact for every length, in few requests, where the end is %s', async (past) => {
    for (const pageSize of [1, 2, 3, 7, 10, 50]) {
      for (let length = 0; length <= 310; length += 1) {
        const { counted, asked } = await countItems(length, pageSize, { past, firstPage: 1 });
        const pages = Math.ceil(length / pageSize);
        expect(counted, `${length} items in pages of ${pageSize}`).toBe(length);
        expect(asked.length, `${length} items in pages of ${pageSize}: ${asked}`).toBeLessThanOrEqual(requestBound(pages));
      }
    }
  });

  test('is exact for long lists, in about twice the logarithm of their pages', async () => {
    for (const past of ['empty', 'clamped'] as const) {
      for (const length of [49_950, 50_000, 50_001, 51_199, 51_200, 51_201, 99_999]) {
        const { counted, asked } = await countItems(length, 50, { past });
        expect(counted).toBe(length);
        expect(asked.length).toBeLessThanOrEqual(requestBound(length / 50));
      }
    }
  });

  test('is short where a probe meets the last page: one look at the next page proves it', async () => {
    expect(await countItems(645, 10, {})).toEqual({ counted: 645, asked: [0, 1, 2, 4, 8, 16, 32, 64, 65] });
    expect(await countItems(605, 10, {})).toEqual({ counted: 605, asked: [0, 1, 2, 4, 8, 16, 32, 64, 48, 56, 60, 61] });
  });

  test('asks for no page twice, unless two that are the same have to be told from two that moved', async () => {
    const { asked } = await countItems(1234, 10, {});
    expect(new Set(asked).size).toBe(asked.length);
  });

  test('costs one request where the upstream tells it', async () => {
    for (const length of [0, 1, 9, 10, 11, 500]) {
      const { counted, asked } = await countItems(length, 10, { hasTotal: true });
      expect(counted).toBe(length);
      expect(asked).toEqual([0]);
    }
  });

  test('uses the pages that were read for the client page', async () => {
    const upstream = createSimulatedList(25);
    const reader = createListReader(upstream, { pageSize: 10 });
    const { connection, requested } = await reader.read({ first: 20 });
    expect(requested).toEqual([0, 1, 2]);
    expect(await connection.totalCount()).toBe(25);
    // A count is no guess: that the short page is the last one is proven.
    expect(upstream.takeLog()).toEqual([3]);
  });

  test('counts what came, unusable items included', async () => {
    const upstream = createSimulatedList(25);
    const reader = createListReader(
      { ...upstream, readPage: async (asked) => ({ ...(await upstream.readPage(asked)), items: [] }) },
      { pageSize: 10 },
    );
    const { connection } = await reader.read({ first: 1 }, { wanted: COUNT_ONLY });
    expect(await connection.totalCount()).toBe(25);
    expect(upstream.takeLog()).toEqual([0, 1, 2, 3]);
  });

  test('is exact for a capped upstream, by both offsets', async () => {
    for (const offsetBy of ['served', 'requested'] as const) {
      for (const past of ['empty', 'clamped'] as const) {
        for (const length of [11, 12, 13, 40, 41, 100]) {
          const { counted, asked } = await countItems(length, 10, { cap: 4, offsetBy, past });
          expect(counted).toBe(length);
          expect(asked.length).toBeLessThanOrEqual(requestBound(length / 4) + 5);
        }
      }
    }
  });
});
