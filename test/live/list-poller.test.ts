import { expect, test } from 'vitest';
import { UpstreamUnavailableError } from '#errors/upstream-error.ts';
import { callKind } from '#live/call-kind.ts';
import { createOpenCallRows } from '#live/call-rows.ts';
import { type ListAccess, type ListPage, ListPoller } from '#live/list-poller.ts';
import { createListState, isListUsed, recordSuccess } from '#live/list-polls.ts';
import { toLateness } from '#live/poll-queue.ts';
import { type ObjectResponse, toReading } from '#live/reading.ts';
import { Watch } from '#live/watch.ts';
import { WatchGroup } from '#live/watch-group.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import type { FetchOptions } from '#rest/upstream-request.ts';

const NOW = 1_000_000;
const CLOCK = { now: () => NOW, monotonicNow: () => NOW };

const toCall = (id: string, properties: object = {}) => ({
  id,
  status: 'calling',
  campaign: { id: 'k' },
  call_attempts: [],
  ...properties,
});

/** Due calls of campaign `k`, whose pages the test answers. @param count of calls */
function createScene(
  page: ListPage = { ids: ['c1', 'c2', 'c3'], isEnd: true, pageCount: 1 },
  { count = 3, maxConcurrentPolls = 5, readPage = async (_index: number) => page } = {},
) {
  const group = new WatchGroup(10, NOW);
  const opened: string[] = [];
  const results: string[] = [];
  const latenesses: number[] = [];
  const poller = new ListPoller({
    ...CLOCK,
    maxConcurrentPolls,
    random: () => 0.5,
    events: {
      onPoll: (reason, result) => results.push(`${reason} ${result}`),
      onUnexpectedError(error) {
        throw error;
      },
    },
    acquire(_group, urgency) {
      latenesses.push(toLateness(urgency, NOW + 1_000));
      return Promise.resolve(() => {});
    },
    schedule() {},
    startTimer: () => () => {},
    onFailure() {},
  });
  const listener = {
    isOnlyEndWatched: false,
    isSettlingWatched: false,
    onReading() {},
    onRejected() {},
  };
  const watch = (id: string, properties?: object) => {
    const target = {
      fingerprint: 'f',
      kind: callKind,
      path: `/call/${id}`,
      id,
      poll: () => Promise.reject(new Error('A single poll was not expected.')),
      openList(key: string, { acquire }: ListAccess) {
        opened.push(key);
        const request = async (read: Promise<ListPage>) => {
          (await acquire())();
          return read;
        };
        return {
          first: () => request(Promise.resolve(page)),
          page: (index: number) => request(readPage(index)),
        };
      },
    };
    const watched = new Watch(target, NOW - 2_000, 2_000);
    const response: ObjectResponse = {
      value: toCall(id, properties),
      readVersion: undefined,
      requestedAt: NOW - 2_000,
    };
    watched.reading = toReading(callKind, response, CLOCK);
    watched.dueAt = NOW;
    watched.listeners.add(listener);
    group.add(watched);
    return watched;
  };
  const watches = Array.from({ length: count }, (_, index) => watch(`c${index + 1}`));
  const start = () => poller.startPolls(group, [...group.watches.values()], NOW);
  const settled = () => new Promise(setImmediate);
  return { group, opened, results, latenesses, watches, watch, start, settled };
}

test('three due calls of a campaign are polled as a list', async () => {
  const scene = createScene();
  expect(scene.start()).toEqual([]);
  expect(scene.opened).toEqual(['k']);
  await scene.settled();
  expect(scene.results).toEqual(['list read']);
  expect(scene.watches.map(({ listPoll }) => listPoll)).toEqual(Array(3).fill(undefined));
});

test('a call without a reading is looked for in the list, until its own poll has failed', () => {
  for (const failures of [0, 1]) {
    const scene = createScene();
    const unread = scene.watch('c4');
    unread.reading = undefined;
    unread.failures = failures;
    expect(scene.start()).toEqual(failures === 0 ? [] : [unread]);
    // The first reading is the latest of all: a subscriber waits for it.
    expect(scene.latenesses).toEqual([failures === 0 ? Number.POSITIVE_INFINITY : 0.5]);
  }
});

test('calls that are over are no reason to read fewer pages for calls without a reading', () => {
  const scene = createScene();
  for (const id of ['d1', 'd2', 'd3']) scene.watch(id, { status: 'completed' }).dueAt = Infinity;
  scene.watch('c4').reading = undefined;
  const list = createListState('k');
  recordSuccess(list, { pages: 4, requests: 4, startedAt: NOW - 10_000 });
  scene.group.lists.set('k', list);
  scene.start();
  expect(scene.opened).toEqual(['k']);
});

test('a list of many pages is used where the first one has all calls', async () => {
  const scene = createScene({ ids: ['c1', 'c2', 'c3'], isEnd: false, pageCount: 100 });
  scene.start();
  await scene.settled();
  expect(scene.results).toEqual(['list read']);
  const list = scene.group.lists.get('k');
  expect(list && isListUsed(list)).toBe(true);
});

test('no further page is read after one that fails', async () => {
  const indexes: number[] = [];
  const scene = createScene(
    { ids: [], isEnd: false, pageCount: 9 },
    {
      count: 9,
      maxConcurrentPolls: 2,
      async readPage(index) {
        indexes.push(index);
        if (index === 1) throw new UpstreamUnavailableError({ method: 'GET', path: '/' });
        await new Promise(setImmediate);
        return { ids: [], isEnd: false, pageCount: 9 };
      },
    },
  );
  scene.start();
  for (let turns = 0; turns < 20; turns += 1) await scene.settled();
  expect(indexes).toEqual([1, 2]);
  expect(scene.results).toEqual(['list read', 'list read', 'list failed']);
});

test('a call that the page leaves out is polled at once, unless it was read meanwhile', async () => {
  const scene = createScene({ ids: ['c1'], isEnd: true, pageCount: 1 });
  const [, left, read] = scene.watches;
  scene.start();
  for (const watch of [left, read]) if (watch) watch.dueAt = NOW + 2_000;
  if (read?.reading) read.reading = { ...read.reading, readAt: NOW };
  await scene.settled();
  expect([left?.dueAt, read?.dueAt]).toEqual([NOW, NOW + 2_000]);
});

test('a call that the upstream itself must read is polled singly beside its list', () => {
  const scene = createScene();
  const forced = scene.watch('c4');
  forced.isForced = true;
  expect(scene.start()).toEqual([forced]);
  expect([scene.opened, forced.listPoll]).toEqual([['k'], undefined]);
});

test('a call that is being polled is not a member: two others are polled singly', () => {
  const scene = createScene();
  const [polled, ...others] = scene.watches;
  if (polled) polled.isPolling = true;
  const due = scene.start();
  expect(due).toEqual([polled, ...others]);
  expect(scene.opened).toEqual([]);
});

test('a call that its list has left out twice is polled singly', () => {
  const scene = createScene();
  const left = scene.watch('c4');
  left.listMisses = 2;
  expect(scene.start()).toEqual([left]);
});

test('the state of a list is dropped with its last member, but not during its poll', async () => {
  const scene = createScene();
  scene.start();
  for (const watch of scene.watches) scene.group.remove(watch);
  const other = scene.watch('d1', { campaign: { id: 'other' } });
  expect(scene.start()).toEqual([other]);
  expect([...scene.group.lists.keys()].sort()).toEqual(['k', 'other']);
  await scene.settled();
  scene.start();
  expect([...scene.group.lists.keys()]).toEqual(['other']);
});

test('a call that the page embeds in part is read by the upstream itself next', () => {
  const { watches } = createScene();
  const [watch] = watches;
  expect(watch?.recordEmbedded(toCall('c1', { metadata: null }))).toBe(true);
  expect([watch?.isForced, watch?.listMisses]).toEqual([false, 0]);
  const { campaign: _, ...part } = toCall('c1');
  expect(watch?.recordEmbedded(part)).toBe(false);
  expect([watch?.isForced, watch?.listMisses]).toEqual([true, 1]);
});

test('the number of the first page is verified by pages that are newer than the first ones', async () => {
  let sequence = 0;
  const requests: [page: number, newerThan: number | undefined][] = [];
  const facts = createEndpointFacts({ firstPage: 'auto', pageSize: 50, monotonicNow: () => NOW });
  const open = createOpenCallRows(
    (read, { isForced }) => {
      expect(isForced).toBe(false);
      const rest = {
        async listCampaignRows(
          _: string,
          { page }: { page: number },
          __: object,
          { newerThan }: FetchOptions,
        ) {
          requests.push([page, newerThan?.sequence]);
          sequence += 1;
          const items = page === 0 ? [] : [{ id: 'r1', call: toCall('c1') }];
          return {
            items,
            calls: items.map(({ call }) => call),
            total: 1,
            readVersion: { instance: 'i', sequence, isCached: false },
          };
        },
      };
      return read(rest as never, { freshOnly: true });
    },
    facts({ fingerprint: 'f' }),
  );
  const page = await open('k', { acquire: () => Promise.resolve(() => {}) }).first();
  expect(page).toEqual({ ids: ['c1'], isEnd: false, pageCount: 1 });
  expect(requests).toEqual([
    [0, undefined],
    [1, 1],
    [0, 2],
  ]);
});
