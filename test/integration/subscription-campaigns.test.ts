import { describe, expect, test } from 'vitest';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway, type LiveGateway } from '../support/live-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

const PROGRESS = `subscription Progress($id: ID!) {
  campaignUpdated(id: $id) { status rows(first: 1, statuses: [COMPLETED]) { totalCount } }
}`;
const STATUS = 'subscription ($id: ID!) { campaignUpdated(id: $id) { status } }';
const SECOND = 1_000;

interface CampaignGateway extends LiveGateway {
  readonly id: string;
  /** Changes the campaign. */
  put(state: { status?: 'running' | 'paused' | 'completed'; is_cancelled?: boolean }): void;
  /** Lets a person of the campaign have been called. */
  complete(): void;
}

function createGateway(settings: Record<string, string> = {}): CampaignGateway {
  const gateway = createLiveGateway({
    settings: { REVOX_RETRIES: '0', REVOX_FIRST_PAGE: '1', ...settings },
  });
  const { control } = gateway.sandbox;
  const { campaigns, rows, calls } = control.data(KEY_A);
  const campaign = campaigns[0]!;
  rows[campaign.id]?.splice(0);
  Object.assign(campaign, { status: 'running', is_cancelled: false });
  const call = calls.find(({ status }) => status === 'completed')!;
  return {
    ...gateway,
    id: campaign.id,
    put: (state) => Object.assign(campaign, state),
    complete: () => control.insertRows(KEY_A, campaign.id, { at: 0, items: [{ call }] }),
  };
}

/** The events of a stream, as `STATUS completed`. */
const sent = ({ events }: EventStream) =>
  events.map(({ data }) => {
    const { campaignUpdated: campaign } = data;
    return campaign && `${campaign.status} ${campaign.rows.totalCount}`;
  });

const toTraffic = (id: string) => [
  `GET /campaigns/${id}`,
  `GET /campaigns/${id}/rows?page=1&page_size=1&statuses=completed`,
];

describe('campaignUpdated', () => {
  test('the rows are read again with each poll, once every 15 s, and what is the same is not sent', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(PROGRESS, { id: gateway.id });
    expect(sent(stream)).toEqual(['RUNNING 0']);
    expect(gateway.traffic()).toEqual(toTraffic(gateway.id));
    // The campaign itself does not change.
    for (const completed of [1, 2, 2]) {
      if (completed === sent(stream).length) gateway.complete();
      await gateway.pass(15 * SECOND);
      expect(sent(stream).at(-1)).toBe(`RUNNING ${completed}`);
      expect(gateway.traffic()).toEqual(toTraffic(gateway.id));
    }
    expect(sent(stream)).toHaveLength(3);
  });

  test.each([
    ['completed', { status: 'completed' }, 'COMPLETED 1'],
    ['cancelled', { is_cancelled: true }, 'RUNNING 1'],
  ] as const)(
    'completes with the rows of the end when the campaign is %s',
    async (_, end, last) => {
      const gateway = createGateway();
      const stream = await gateway.subscribe(PROGRESS, { id: gateway.id });
      gateway.complete();
      gateway.put(end);
      await gateway.pass(15 * SECOND);
      expect([sent(stream), stream.isComplete()]).toEqual([['RUNNING 0', last], true]);
      gateway.traffic();
      await gateway.pass(60 * SECOND);
      expect(gateway.traffic()).toEqual([]);
    },
  );

  test('a selection of the campaign alone costs one request a poll', async () => {
    const gateway = createGateway();
    await gateway.subscribe(STATUS, { id: gateway.id });
    await gateway.pass(45 * SECOND);
    expect(gateway.traffic()).toEqual(Array(4).fill(`GET /campaigns/${gateway.id}`));
  });

  test('a paused campaign is polled once a minute, and every 15 s when it runs again', async () => {
    const gateway = createGateway();
    gateway.put({ status: 'paused' });
    const stream = await gateway.subscribe(PROGRESS, { id: gateway.id });
    gateway.traffic();
    await gateway.pass(59 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    gateway.put({ status: 'running' });
    await gateway.pass(2 * SECOND);
    expect(gateway.traffic()).toEqual(toTraffic(gateway.id));
    await gateway.pass(15 * SECOND);
    expect(gateway.traffic()).toEqual(toTraffic(gateway.id));
    expect(sent(stream)).toEqual(['PAUSED 0', 'RUNNING 0']);
  });

  test('an interval below the freshness of the campaign and its rows is kept', async () => {
    const gateway = createGateway({ LIVE_CAMPAIGN_MS: '3000', FRESHNESS_PAGE_MS: '60000' });
    const stream = await gateway.subscribe(PROGRESS, { id: gateway.id });
    gateway.traffic();
    for (const completed of [1, 2, 3]) {
      gateway.complete();
      await gateway.pass(3 * SECOND);
      expect(sent(stream).at(-1)).toBe(`RUNNING ${completed}`);
      expect(gateway.traffic()).toEqual(toTraffic(gateway.id));
    }
  });

  test('the last event shows the rows of the end, although older ones are fresh in the cache', async () => {
    const gateway = createGateway({ FRESHNESS_PAGE_MS: '60000' });
    const stream = await gateway.subscribe(PROGRESS, { id: gateway.id });
    gateway.complete();
    gateway.put({ status: 'completed' });
    await gateway.pass(15 * SECOND);
    expect([sent(stream), stream.isComplete()]).toEqual([['RUNNING 0', 'COMPLETED 1'], true]);
    expect(gateway.traffic()).toEqual([...toTraffic(gateway.id), ...toTraffic(gateway.id)]);
  });

  test('1 and 100 subscribers cost the same, and a query that follows nothing', async () => {
    const gateway = createGateway();
    const streams = [];
    for (let count = 0; count < 100; count += 1)
      streams.push(await gateway.subscribe(PROGRESS, { id: gateway.id }));
    gateway.complete();
    await gateway.pass(15 * SECOND);
    expect(new Set(streams.map((stream) => sent(stream).join()))).toEqual(
      new Set(['RUNNING 0,RUNNING 1']),
    );
    await gateway.execute('query ($id: ID!) { campaign(id: $id) { status } }', { id: gateway.id });
    expect(gateway.traffic()).toEqual([...toTraffic(gateway.id), ...toTraffic(gateway.id)]);
  });

  test('rows that fail are an error in the event, and the next poll reads them again (G7)', async () => {
    const gateway = createGateway();
    gateway.sandbox.control.fail(`/campaigns/${gateway.id}/rows`, { status: 400 });
    const stream = await gateway.subscribe(PROGRESS, { id: gateway.id });
    expect(stream.events).toMatchObject([
      {
        data: { campaignUpdated: { status: 'RUNNING', rows: { totalCount: null } } },
        errors: [
          {
            path: ['campaignUpdated', 'rows', 'totalCount'],
            extensions: { code: 'UPSTREAM_REJECTED' },
          },
        ],
      },
    ]);
    gateway.sandbox.control.heal();
    await gateway.pass(15 * SECOND);
    expect([sent(stream), stream.isEnded()]).toEqual([['RUNNING null', 'RUNNING 0'], false]);
  });

  test('rows that fail later are the last ones while the campaign runs, and an error at its end', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(PROGRESS, { id: gateway.id });
    gateway.sandbox.control.fail(`/campaigns/${gateway.id}/rows`, { status: 503 });
    gateway.complete();
    await gateway.pass(16 * SECOND);
    expect(sent(stream)).toEqual(['RUNNING 0']);
    gateway.put({ status: 'completed' });
    await gateway.pass(15 * SECOND);
    expect(sent(stream)).toEqual(['RUNNING 0', 'COMPLETED null']);
    expect(stream.events[1]?.errors?.[0]?.extensions.code).toBe('UPSTREAM_UNAVAILABLE');
    expect(stream.isComplete()).toBe(true);
    const [poll, rows] = toTraffic(gateway.id);
    expect(gateway.traffic()).toEqual([poll, rows, poll, rows, poll, rows]);
  });

  test('an event may need ten upstream requests besides its poll (G11), which count for LIVE_RATE', async () => {
    const gateway = createGateway({ LIVE_CAMPAIGN_MS: '1000', LIVE_RATE: '1' });
    const rows = (count: number) =>
      Array.from(
        { length: count },
        (_, index) => `r${index}: rows(query: "${index}") { totalCount }`,
      );
    const query = (count: number) =>
      `subscription ($id: ID!) { campaignUpdated(id: $id) { ${rows(count).join(' ')} } }`;
    const over = await gateway.subscribe(query(11), { id: gateway.id });
    expect(over.events[0]?.errors?.map(({ extensions }) => extensions.code)).toEqual([
      'UPSTREAM_BUDGET_EXCEEDED',
    ]);
    expect(gateway.traffic()).toHaveLength(11);
    over.leave();
    await gateway.pass(60 * SECOND);
    const stream = await gateway.subscribe(query(4), { id: gateway.id });
    expect(stream.events[0]?.errors).toBeUndefined();
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    expect(gateway.traffic().length).toBeLessThanOrEqual(65);
    expect(await gateway.metric('live_stretch')).toBe(5);
  });

  test('an impossible id is rejected in one event, before any poll', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(STATUS, { id: '..' });
    expect(stream.events).toMatchObject([{ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }]);
    expect([stream.isComplete(), gateway.traffic()]).toEqual([true, []]);
  });
});
