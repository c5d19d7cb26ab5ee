import { describe, expect, test } from 'vitest';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import { createPageScan } from '#pagination/page-scan.ts';
import { createSimulatedList, type PagingBehavior } from '../support/simulated-list.ts';

function createScene(length: number, behavior: PagingBehavior = {}, pageSize = 10) {
  const list = createSimulatedList(length, { hasTotal: true, ...behavior });
  const factsByEndpoint = createEndpointFacts({
    firstPage: 'auto',
    pageSize,
    monotonicNow: () => 0,
  })({ fingerprint: 'f' });
  const scan = async () => {
    const pages = createPageScan(list.readPage, factsByEndpoint('/list'));
    const ids = [];
    let page = await pages.first();
    ids.push(...page.items);
    for (let index = 1; !page.isEnd && index !== page.pageCount; index += 1) {
      page = await pages.page(index);
      ids.push(...page.items);
    }
    return ids.map(({ id }) => id);
  };
  return { list, scan };
}

describe('Page scan', () => {
  test.each<[string, PagingBehavior]>([
    ['numbers from 0', { firstPage: 0 }],
    ['numbers from 1, and rejects 0', { firstPage: 1, below: 422 }],
    ['numbers from 1, and serves no items for 0', { firstPage: 1, below: 'empty' }],
    ['numbers from 1, and clamps 0', { firstPage: 1, below: 'clamped', past: 'clamped' }],
    ['caps its pages at 4', { cap: 4 }],
    ['caps its pages at 4, and counts by the size requested', { cap: 4, offsetBy: 'requested' }],
    ['reports no total', { hasTotal: false }],
    ['reports no total, and rejects a page past the end', { hasTotal: false, past: 404 }],
    ['reports no total, and repeats the last page', { hasTotal: false, past: 'clamped' }],
    ['reports no total, and caps its pages', { hasTotal: false, cap: 4 }],
  ])('reads each item once where the upstream %s', async (_, behavior) => {
    for (const length of [0, 3, 10, 20, 25]) {
      const { list, scan } = createScene(length, behavior);
      expect(await scan(), `${length} items`).toEqual(list.ids);
    }
  });

  test('costs one request for each page once the number of the first page is known', async () => {
    const { list, scan } = createScene(100, { firstPage: 0 });
    await scan();
    list.takeLog();
    await scan();
    expect(list.takeLog()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('determines the number of the first page again after the upstream has changed it', async () => {
    const { list, scan } = createScene(30, { firstPage: 0 });
    await scan();
    Object.assign(list.behavior, { firstPage: 1, below: 'clamped' });
    await scan();
    expect(await scan()).toEqual(list.ids);
  });

  test('fails if a page fails', async () => {
    const { list, scan } = createScene(30);
    list.failNext(new Error('reset'));
    await expect(scan()).rejects.toThrow('reset');
  });
});
