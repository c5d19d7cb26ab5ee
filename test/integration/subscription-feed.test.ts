import { describe, expect, test } from 'vitest';
import { createSchema } from '#resolvers/schema.ts';
import { attemptsOf, codes, createFeedGateway, FEED, ids, skips } from '../support/feed-gateway.ts';
import { selectAllFields } from '../support/full-selection.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const PAGE_READ = expect.stringMatching(/^GET \/call\?page=1&page_size=\d+$/);

describe('New call attempts', () => {
  test('each is sent once, oldest first, with one upstream request every 5 s', async () => {
    const gateway = createFeedGateway();
    const stream = await gateway.subscribe(FEED);
    expect([stream.status, stream.events]).toEqual([200, []]);
    expect(gateway.traffic()).toEqual([PAGE_READ]);
    const first = gateway.insert(3);
    await gateway.pass(5 * SECOND);
    expect(ids(stream)).toEqual(first);
    const second = gateway.insert();
    await gateway.pass(30 * SECOND);
    expect(ids(stream)).toEqual([...first, ...second]);
    expect(gateway.traffic()).toEqual(Array.from({ length: 7 }, () => PAGE_READ));
    expect(stream.isEnded()).toBe(false);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('after a minute without a new attempt the list is read every 15 s, and every 5 s after one', async () => {
    const gateway = createFeedGateway();
    const stream = await gateway.subscribe(FEED);
    await gateway.pass(62 * SECOND);
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    expect(gateway.traffic()).toHaveLength(4);
    const added = gateway.insert();
    await gateway.pass(15 * SECOND);
    expect(ids(stream)).toEqual(added);
    gateway.traffic();
    await gateway.pass(30 * SECOND);
    expect(gateway.traffic()).toHaveLength(6);
  });

  test('an attempt that moves up because others were removed is not sent', async () => {
    const gateway = createFeedGateway({ REVOX_PAGE_SIZE: '5' });
    const stream = await gateway.subscribe(FEED);
    const removed = attemptsOf(gateway).slice(1, 4);
    gateway.sandbox.control.removeAttempts(
      KEY_A,
      removed.map(({ id }) => id),
    );
    await gateway.pass(6 * SECOND);
    const added = gateway.insert(2);
    await gateway.pass(6 * SECOND);
    expect(ids(stream)).toEqual(added);
  });

  test('an event with every field of an attempt sends no upstream request besides the poll', async () => {
    const gateway = createFeedGateway();
    const edge = selectAllFields(createSchema(), 'CallAttemptEdge');
    const stream = await gateway.subscribe(`subscription { callAttemptAdded ${edge} }`);
    gateway.traffic();
    const added = gateway.insert(2);
    await gateway.pass(5 * SECOND);
    expect(ids(stream)).toEqual(added);
    expect(gateway.traffic()).toEqual([PAGE_READ]);
  });

  test('with a filter, an attempt is sent when its order gets the status, and once', async () => {
    const gateway = createFeedGateway();
    const other = gateway.insert(1, 'calling');
    const stream = await gateway.subscribe(FEED, { statuses: ['CALLING'] });
    gateway.traffic();
    const setStatus = (attemptId: string, status: 'calling' | 'completed') => {
      const { calls } = gateway.sandbox.control.data(KEY_A);
      const order = calls.find((call) => call.call_attempts.some(({ id }) => id === attemptId))!;
      order.status = status;
    };
    const moved = attemptsOf(gateway)[0]!.id;
    expect(other).toEqual([moved]);
    setStatus(moved, 'completed');
    const [added] = gateway.insert(1, 'calling');
    gateway.insert(1, 'completed');
    await gateway.pass(6 * SECOND);
    expect(ids(stream)).toEqual([added]);
    setStatus(moved, 'calling');
    setStatus(attemptsOf(gateway)[0]!.id, 'calling');
    await gateway.pass(6 * SECOND);
    expect(ids(stream)).toEqual([added, attemptsOf(gateway)[0]!.id]);
    for (const request of gateway.traffic()) expect(request).toContain('&statuses=calling');
  });

  test('more new attempts than a page are read from up to four pages', async () => {
    const gateway = createFeedGateway({ REVOX_PAGE_SIZE: '5' });
    const stream = await gateway.subscribe(FEED);
    gateway.traffic();
    const added = gateway.insert(19);
    await gateway.pass(5 * SECOND);
    expect(ids(stream)).toEqual(added);
    expect(gateway.traffic()).toHaveLength(4);
    expect(skips(stream)).toEqual(added.map(() => undefined));
    await gateway.pass(5 * SECOND);
    expect(gateway.traffic()).toHaveLength(1);
  });

  test('the pages of a feed count for LIVE_RATE', async () => {
    const gateway = createFeedGateway({ REVOX_PAGE_SIZE: '5', LIVE_RATE: '2' });
    await gateway.subscribe(FEED);
    await gateway.pass(SECOND);
    const page = await gateway.page({ first: 60 });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    for (let index = 0; index < 20; index += 1) {
      const stream = await gateway.subscribe(FEED, { after: page.endCursor });
      await gateway.pass(500);
      stream.leave();
    }
    // The tokens of a second, and those of the polls in advance.
    expect(gateway.traffic().length).toBeLessThanOrEqual(2 * 10 + 2 + 3);
  });

  test('beyond four pages the next event says that attempts were skipped', async () => {
    const gateway = createFeedGateway({ REVOX_PAGE_SIZE: '5' });
    const stream = await gateway.subscribe(FEED);
    const added = gateway.insert(30);
    await gateway.pass(5 * SECOND);
    expect(ids(stream)).toEqual(added.slice(10));
    expect(skips(stream)).toEqual([true, ...Array.from({ length: 19 }, () => undefined)]);
    const next = gateway.insert();
    await gateway.pass(5 * SECOND);
    expect(ids(stream).slice(20)).toEqual(next);
    expect(skips(stream).at(-1)).toBeUndefined();
  });
});

describe('Start of a feed', () => {
  test('none between the page of a client and its stream is missed', async () => {
    const gateway = createFeedGateway();
    const page = await gateway.page();
    const between = gateway.insert(3);
    await gateway.pass(2 * SECOND);
    gateway.traffic();
    const stream = await gateway.subscribe(FEED, { after: page.startCursor });
    expect(ids(stream)).toEqual(between);
    expect(gateway.traffic()).toEqual([PAGE_READ]);
    const later = gateway.insert();
    await gateway.pass(5 * SECOND);
    expect(ids(stream)).toEqual([...between, ...later]);
  });

  test('the edges have the cursors of the connection, which are the ids of the events', async () => {
    const gateway = createFeedGateway();
    const { startCursor } = await gateway.page();
    const added = gateway.insert(2);
    await gateway.pass(2 * SECOND);
    const stream = await gateway.subscribe(FEED, { after: startCursor });
    const page = await gateway.page({ first: 2 });
    expect(page.ids).toEqual(added.toReversed());
    const edges = stream.events.map(({ data }) => data.callAttemptAdded);
    expect(edges.map(({ cursor }) => cursor)).toEqual(page.cursors.toReversed());
    expect(stream.events.map(({ id }) => id)).toEqual(page.cursors.toReversed());
    expect(await gateway.page({ first: 1, after: edges[1]?.cursor })).toMatchObject({
      ids: [added[0]],
    });
  });

  test('a cursor further down starts with everything that is newer, up to four pages', async () => {
    const gateway = createFeedGateway({ REVOX_PAGE_SIZE: '5' });
    const all = attemptsOf(gateway).map(({ id }) => id);
    await gateway.subscribe(FEED);
    await gateway.pass(SECOND);
    const { endCursor } = await gateway.page({ first: 12 });
    await gateway.pass(2 * SECOND);
    gateway.traffic();
    const stream = await gateway.subscribe(FEED, { after: endCursor });
    await gateway.pass(500);
    expect(ids(stream)).toEqual(all.slice(0, 11).reverse());
    expect(gateway.traffic()).toHaveLength(3);
    expect(skips(stream)[0]).toBeUndefined();
    const far = await gateway.page({ first: 40 });
    await gateway.pass(2 * SECOND);
    gateway.traffic();
    const other = await gateway.subscribe(FEED, { after: far.endCursor });
    await gateway.pass(500);
    expect(ids(other)).toEqual(all.slice(0, 20).reverse());
    expect(skips(other).slice(0, 2)).toEqual([true, undefined]);
    expect(gateway.traffic()).toHaveLength(4);
  });

  test('a cursor whose attempt was removed starts at its neighbours', async () => {
    const gateway = createFeedGateway();
    const page = await gateway.page();
    gateway.sandbox.control.removeAttempts(KEY_A, page.ids.slice(0, 2));
    const added = gateway.insert(2);
    await gateway.pass(2 * SECOND);
    const stream = await gateway.subscribe(FEED, { after: page.startCursor });
    expect(ids(stream)).toEqual(added);
  });

  test('a stream that opens during a poll begins with the next one, at once', async () => {
    const gateway = createFeedGateway();
    const { startCursor } = await gateway.page();
    await gateway.subscribe(FEED);
    const release = Promise.withResolvers<void>();
    gateway.sandbox.control.delay('/call?', release.promise, 1);
    await gateway.pass(5 * SECOND);
    const added = gateway.insert(2);
    gateway.traffic();
    const stream = await gateway.subscribe(FEED, { after: startCursor });
    release.resolve();
    await gateway.pass(100);
    expect(ids(stream)).toEqual(added);
    expect(gateway.traffic()).toHaveLength(1);
  });

  test('an event stream goes on after its last event, in place of `after`', async () => {
    const gateway = createFeedGateway();
    const { startCursor } = await gateway.page();
    const first = gateway.insert(2);
    await gateway.pass(2 * SECOND);
    const stream = await gateway.subscribe(FEED, { after: startCursor });
    expect(ids(stream)).toEqual(first);
    stream.leave();
    const missed = gateway.insert(2);
    await gateway.pass(2 * SECOND);
    const headers = { 'last-event-id': stream.events.at(-1)!.id! };
    const again = await gateway.subscribe(FEED, { after: startCursor }, headers);
    await gateway.pass(100);
    expect(ids(again)).toEqual(missed);
  });

  test.each([
    ['that is damaged', (cursor: string) => `${cursor.slice(0, -2)}AA`, undefined],
    ['of another filter', (cursor: string) => cursor, ['CALLING']],
    ['that is no cursor', () => 'x', undefined],
    ['that is empty', () => '', undefined],
  ])(
    'a cursor %s is BAD_USER_INPUT, without an upstream request',
    async (_name, change, statuses) => {
      const gateway = createFeedGateway();
      const after = change((await gateway.page()).startCursor);
      gateway.traffic();
      const stream = await gateway.subscribe(FEED, { after, statuses });
      expect([stream.status, codes(stream), stream.isComplete()]).toEqual([
        200,
        ['BAD_USER_INPUT'],
        true,
      ]);
      expect(stream.events[0]?.errors?.[0]?.message).toMatch(/^`after` /);
      expect(gateway.traffic()).toEqual([]);
      expect(await gateway.metric('live_cohorts')).toBe(0);
    },
  );

  test('a status that the schema does not know is BAD_USER_INPUT, without an upstream request', async () => {
    const gateway = createFeedGateway();
    gateway.traffic();
    const stream = await gateway.subscribe(FEED, { statuses: ['UNRECOGNIZED'] });
    expect([codes(stream), stream.isComplete()]).toEqual([['BAD_USER_INPUT'], true]);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a damaged Last-Event-ID is BAD_USER_INPUT, and takes no slot', async () => {
    const gateway = createFeedGateway({ MAX_SUBSCRIPTIONS: '1' });
    gateway.traffic();
    const refused = await gateway.subscribe(FEED, {}, { 'last-event-id': 'ufY8DvyTM8lKyG6V' });
    expect([refused.status, refused.body]).toEqual([
      400,
      expect.stringContaining('`Last-Event-ID`'),
    ]);
    expect(gateway.traffic()).toEqual([]);
    expect((await gateway.subscribe(FEED)).status).toBe(200);
  });
});

describe('Shared feeds', () => {
  test('1, 100 and 1,000 subscribers have the same upstream traffic and executions', async () => {
    const trafficOf = async (count: number) => {
      const gateway = createFeedGateway({ MAX_SUBSCRIPTIONS: '1000' });
      gateway.traffic();
      const streams = await Promise.all(
        Array.from({ length: count }, () => gateway.subscribe(FEED)),
      );
      const added = gateway.insert(2);
      await gateway.pass(20 * SECOND);
      for (const stream of streams) expect(ids(stream)).toEqual(added);
      expect(
        await gateway.metric('live_events_total{field="callAttemptAdded",source="poll"}'),
      ).toBe(2);
      return gateway.traffic();
    };
    const single = await trafficOf(1);
    expect(single).toHaveLength(5);
    expect(await trafficOf(100)).toEqual(single);
    expect(await trafficOf(1_000)).toEqual(single);
  });

  test('subscribers with other starts share the events, and with other fields the polls', async () => {
    const gateway = createFeedGateway();
    const { startCursor, cursors } = await gateway.page();
    const between = gateway.insert(2);
    await gateway.pass(2 * SECOND);
    gateway.traffic();
    const streams = await Promise.all([
      gateway.subscribe(FEED, { after: startCursor }),
      gateway.subscribe(FEED, { after: startCursor }),
      gateway.subscribe(FEED, { after: cursors[1] }),
      gateway.subscribe(FEED),
      gateway.subscribe('subscription { callAttemptAdded { node { id } } }'),
    ]);
    await gateway.pass(SECOND);
    expect(await gateway.metric('live_cohorts')).toBe(2);
    const added = gateway.insert();
    await gateway.pass(5 * SECOND);
    const executions = 'live_events_total{field="callAttemptAdded",source="poll"}';
    expect(await gateway.metric(executions)).toBe(between.length + 1 + 2 * added.length);
    const [one, same, further, now, otherFields] = streams.map(ids);
    expect(one).toEqual([...between, ...added]);
    expect(same).toEqual(one);
    expect(further).toEqual([attemptsOf(gateway)[3]!.id, ...between, ...added]);
    expect([now, otherFields]).toEqual([added, added]);
    expect(gateway.traffic().length).toBeLessThanOrEqual(3);
  });

  test('an attempt that is new for one stream, and that another one catches up with, is executed once', async () => {
    const gateway = createFeedGateway();
    const { startCursor } = await gateway.page();
    const early = await gateway.subscribe(FEED);
    await gateway.pass(2 * SECOND);
    const added = gateway.insert();
    gateway.traffic();
    const late = await gateway.subscribe(FEED, { after: startCursor });
    await gateway.pass(SECOND);
    expect([ids(early), ids(late)]).toEqual([added, added]);
    const executions = 'live_events_total{field="callAttemptAdded",source="poll"}';
    expect(await gateway.metric(executions)).toBe(1);
    expect(gateway.traffic()).toEqual([PAGE_READ]);
  });

  test('another filter is another feed', async () => {
    const gateway = createFeedGateway();
    const all = await gateway.subscribe(FEED, { statuses: [] });
    const some = await gateway.subscribe(FEED, { statuses: ['CALLING', 'COMPLETED'] });
    const same = await gateway.subscribe(FEED, { statuses: ['COMPLETED', 'CALLING', 'CALLING'] });
    await gateway.pass(100);
    gateway.traffic();
    const added = gateway.insert();
    await gateway.pass(5 * SECOND);
    expect([all, some, same].map(ids)).toEqual([added, added, added]);
    expect(gateway.traffic()).toHaveLength(2);
  });

  test('a feed never gets attempts of another credential', async () => {
    const gateway = createFeedGateway({ REVOX_API_KEY: '' });
    const [a, b] = [KEY_A, KEY_B].map((key) => ({ authorization: `Bearer ${key}` }));
    const streamA = await gateway.subscribe(FEED, {}, a);
    const streamB = await gateway.subscribe(FEED, {}, b);
    await gateway.pass(100);
    gateway.traffic();
    const ofA = gateway.insert(2);
    const ofB = gateway.sandbox.control.insertAttempts(KEY_B, { at: 0 }).map(({ id }) => id);
    await gateway.pass(5 * SECOND);
    expect([ids(streamA), ids(streamB)]).toEqual([ofA, ofB]);
    expect(gateway.traffic()).toHaveLength(2);
  });

  test('a poll fills the cache of queries, and uses what a query has just read', async () => {
    const gateway = createFeedGateway();
    const stream = await gateway.subscribe(FEED);
    await gateway.pass(4_900);
    const added = gateway.insert();
    gateway.traffic();
    await gateway.page();
    await gateway.pass(200);
    expect(ids(stream)).toEqual(added);
    expect(gateway.traffic()).toEqual([PAGE_READ]);
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    expect((await gateway.page()).ids[0]).toBe(added[0]);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a poll never takes the page of the poll before from the cache, however long pages are fresh', async () => {
    const gateway = createFeedGateway({ FRESHNESS_PAGE_MS: '600000' });
    const stream = await gateway.subscribe(FEED);
    const added = gateway.insert();
    gateway.traffic();
    await gateway.pass(5 * SECOND);
    expect(ids(stream)).toEqual(added);
    expect(gateway.traffic()).toHaveLength(1);
  });

  test('nothing is polled or timed after the last subscriber has left', async () => {
    const gateway = createFeedGateway();
    const timers = gateway.pendingTimers();
    const streams = await Promise.all([gateway.subscribe(FEED), gateway.subscribe(FEED)]);
    for (const stream of streams) stream.leave();
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    await gateway.pass(MINUTE);
    expect(gateway.traffic()).toEqual([]);
    expect(await gateway.metric('live_cohorts')).toBe(0);
    expect(gateway.pendingTimers()).toBeLessThanOrEqual(timers + 1);
  });
});
