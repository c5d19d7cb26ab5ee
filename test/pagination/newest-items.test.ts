import { describe, expect, test } from 'vitest';
import { readConnection } from '#pagination/connection.ts';
import { type Cursor, decodeCursor } from '#pagination/cursor.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import type { Identified } from '#pagination/list.ts';
import { createNewestItemsState, readNewestItems } from '#pagination/newest-items.ts';
import { toPageRequest } from '#pagination/page-request.ts';
import { createPagedList } from '#pagination/paged-list.ts';
import { createSimulatedList, type SimulatedList } from '../support/simulated-list.ts';
import { type CachedUpstream, createCachedUpstream, FRESH_MS } from './cached-upstream.ts';
import { ALL_PARTS, SCOPE } from './list-reader.ts';

const PAGE_SIZE = 5;

/** The items are numbered in the order in which they came into being. */
const timeOf = ({ id }: Identified) => Number(id.slice(1));

/** @param upstream the numbers of its items rise: the oldest are first */
function createScene(upstream: SimulatedList | CachedUpstream) {
  const factsOf = createEndpointFacts({ firstPage: 0, pageSize: PAGE_SIZE, monotonicNow: () => 0 });
  const openList = () =>
    createPagedList(upstream.readPage, factsOf({ fingerprint: 'ann' })('/list'));
  const state = createNewestItemsState();
  return {
    state,
    async cursorOf(first: number): Promise<Cursor> {
      const request = toPageRequest({ first });
      const { pageInfo } = await readConnection(openList(), request, SCOPE, ALL_PARTS);
      return decodeCursor(pageInfo.endCursor!, SCOPE, 'after');
    },
    async read(
      cursors: readonly Cursor[] = [],
      isEnough = (_items: readonly Identified[]) => true,
    ) {
      upstream.takeLog();
      const request = { scope: SCOPE, isEnough, cursors, timeOf };
      const newest = await readNewestItems(openList(), request, state);
      return {
        newest,
        ids: newest.items.map(({ id }) => id),
        newer: cursors.map((cursor) => newest.countNewerThan(cursor)),
        requested: upstream.takeLog(),
      };
    },
  };
}

/** A list with the newest items first. */
function createNewestFirst(length: number) {
  const upstream = createSimulatedList(length);
  upstream.ids.reverse();
  return upstream;
}

describe('Newest items of a list', () => {
  test('one page is read, once the order is known', async () => {
    const upstream = createNewestFirst(40);
    const { read } = createScene(upstream);
    await read();
    const { newest, ids, requested } = await read();
    expect(ids).toEqual(upstream.ids.slice(0, PAGE_SIZE));
    expect([newest.order, newest.isWhole, requested]).toEqual(['newestFirst', false, [0]]);
  });

  test('pages are read until they are enough, and at most four', async () => {
    const { read } = createScene(createNewestFirst(40));
    const until = (count: number) => read([], (items) => items.length >= count);
    expect((await until(11)).requested).toEqual([0, 1, 2]);
    expect((await until(100)).requested).toEqual([0, 1, 2, 3]);
  });

  test('a list shorter than a page is read with one request, once its end was seen', async () => {
    const upstream = createNewestFirst(3);
    const { read } = createScene(upstream);
    expect(await read()).toMatchObject({ newest: { isWhole: true }, requested: [0, 1] });
    expect(await read()).toMatchObject({ newest: { isWhole: true }, requested: [0] });
    upstream.insert(0, 1);
    expect(await read()).toMatchObject({ newest: { isWhole: true }, requested: [0, 1] });
    upstream.insert(0, 20);
    expect(await read()).toMatchObject({ newest: { isWhole: false } });
  });

  test('the items above a cursor are counted, wherever it has moved', async () => {
    const upstream = createNewestFirst(40);
    const { read, cursorOf } = createScene(upstream);
    const cursor = await cursorOf(2);
    expect((await read([cursor])).newer).toEqual([1]);
    upstream.insert(0, 7);
    expect((await read([cursor])).newer).toEqual([8]);
    upstream.remove(8);
    expect((await read([cursor])).newer).toEqual([8]);
    upstream.insert(0, 20);
    expect((await read([cursor])).newer).toEqual([undefined]);
  });

  test('cached pages that are older than a cursor are read again', async () => {
    const list = createNewestFirst(40);
    const upstream = createCachedUpstream(list);
    const scene = createScene(upstream);
    await scene.read([], () => false);
    upstream.insert(0, 6);
    const cursor = await createScene(list).cursorOf(1);
    upstream.insert(0, 2);
    upstream.clock.pass(FRESH_MS / 2);
    expect((await scene.read([cursor])).newer).toEqual([2]);
  });

  test('of a list with the oldest items first, the end is read', async () => {
    const upstream = createSimulatedList(38);
    const { read, state, cursorOf } = createScene(upstream);
    const newestFirst = () => upstream.ids.toReversed();
    expect((await read()).newest.order).toBe('oldestFirst');
    upstream.insert(38, 1);
    const { ids, requested } = await read();
    expect(ids).toEqual(newestFirst().slice(0, 4));
    expect(requested).toEqual([7, 8]);
    expect(state.lastPage).toBe(7);
    upstream.insert(39, 9);
    const more = await read([], (items) => items.length >= 10);
    expect(more.ids).toEqual(newestFirst().slice(0, more.ids.length));
    expect(more.ids.length).toBeGreaterThanOrEqual(10);
    const cursor = await cursorOf(45);
    expect((await read([cursor])).newer).toEqual([3]);
    upstream.remove(10, 30);
    expect((await read([cursor])).newer).toEqual([3]);
    upstream.insert(upstream.ids.length, 60);
    expect((await read([], () => false)).ids).toEqual(newestFirst().slice(0, 18));
  });
});
