import { describe, expect, test } from 'vitest';
import { CALLS_ENDED, createCampaignGateway, RINGING } from '../support/live-campaign.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';

const CALL_UPDATED = 'subscription ($id: ID!) { callUpdated(id: $id) { status } }';
const SECOND = 1_000;
/** Until the first readings, and the first pages, have arrived. */
const WARM_UP_MS = 10 * SECOND;

type Gateway = ReturnType<typeof createCampaignGateway>;

function toPages(campaignId: string, pages: readonly number[], pageSize = 50): string[] {
  const query = `page_size=${pageSize}&statuses=queued_for_calling,calling`;
  return pages.map((page) => `GET /campaigns/${campaignId}/rows?page=${page}&${query}`);
}

function range(start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => start + index);
}

/** The requests of one interval, after the gateway has got to know the list. */
async function trafficOfInterval(gateway: Gateway): Promise<string[]> {
  await gateway.pass(WARM_UP_MS);
  gateway.traffic();
  await gateway.pass(2 * SECOND);
  return gateway.traffic().sort();
}

describe('Many calls of one campaign', () => {
  test('two calls are polled singly', async () => {
    const gateway = createCampaignGateway();
    const campaign = gateway.createCampaign({ calls: 2 });
    await campaign.subscribeAll();
    expect(await trafficOfInterval(gateway)).toEqual(['GET /call/live-0-0', 'GET /call/live-0-1']);
  });

  test.each([
    [3, 1],
    [50, 1],
    [120, 3],
    [1_000, 20],
  ])('%i calls cost %i pages in each interval', async (calls, pages) => {
    const gateway = createCampaignGateway();
    const campaign = gateway.createCampaign({ calls });
    await campaign.subscribeAll();
    const expected = toPages(campaign.id, range(1, pages));
    expect(await trafficOfInterval(gateway)).toEqual(expected.sort());
    expect(await gateway.metric('live_stretch')).toBe(pages / 20);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test.each([0, 1] as const)(
    'pages are read where the first one has the number %i',
    async (firstPage) => {
      const gateway = createCampaignGateway({
        settings: { REVOX_FIRST_PAGE: 'auto' },
        sandbox: { firstPage },
      });
      const campaign = gateway.createCampaign({ calls: 120 });
      await campaign.subscribeAll();
      await gateway.pass(WARM_UP_MS + SECOND);
      gateway.traffic();
      await gateway.pass(20 * SECOND);
      const traffic = gateway.traffic();
      for (const page of toPages(campaign.id, range(firstPage, 3)))
        expect(traffic.filter((path) => path === page).length).toBeGreaterThanOrEqual(10);
      // The number is verified from time to time.
      expect(traffic.length).toBeLessThanOrEqual(3 * 10 + 3);
    },
  );

  test('an upstream that caps its pages at 20 costs more pages', async () => {
    const gateway = createCampaignGateway({ sandbox: { maxPageSize: 20 } });
    const campaign = gateway.createCampaign({ calls: 50 });
    await campaign.subscribeAll();
    const expected = [...toPages(campaign.id, [1], 50), ...toPages(campaign.id, [2, 3], 20)];
    expect(await trafficOfInterval(gateway)).toEqual(expected.sort());
  });

  test('new subscribers of many calls get their first readings from the pages', async () => {
    const gateway = createCampaignGateway();
    const campaign = gateway.createCampaign({ calls: 300 });
    gateway.traffic();
    await campaign.subscribeAll();
    await gateway.pass(2 * SECOND);
    expect(await gateway.metric('live_watched{state="new"}')).toBe(0);
    // Five single polls are in flight when the campaign is unknown, and one page counts the others.
    expect(gateway.traffic().length).toBeLessThanOrEqual(5 + 6);
  });

  test('two campaigns are two lists', async () => {
    const gateway = createCampaignGateway();
    const one = gateway.createCampaign({ calls: 40 });
    const two = gateway.createCampaign({ calls: 60, index: 1 });
    await one.subscribeAll();
    await two.subscribeAll();
    const expected = [...toPages(one.id, [1]), ...toPages(two.id, [1, 2])];
    expect(await trafficOfInterval(gateway)).toEqual(expected.sort());
  });

  test('the rows of a campaign with many other live calls are read once, and its calls singly', async () => {
    const gateway = createCampaignGateway();
    const campaign = gateway.createCampaign({ calls: 500 });
    await gateway.subscribe(CALLS_ENDED, { ids: campaign.callIds.slice(400, 404) });
    await gateway.pass(2 * SECOND + 100);
    expect(gateway.traffic().filter((path) => path.includes('/rows'))).toHaveLength(1);
    await gateway.pass(8 * SECOND);
    const singly = range(400, 4).map((number) => `GET /call/live-0-${number}`);
    gateway.traffic();
    await gateway.pass(2 * SECOND);
    expect(gateway.traffic().sort()).toEqual(singly);
  });

  test('two credentials never share a list poll', async () => {
    const gateway = createCampaignGateway({ settings: { REVOX_API_KEY: '' } });
    const one = gateway.createCampaign({ calls: 5, apiKey: KEY_A });
    const two = gateway.createCampaign({ calls: 5, apiKey: KEY_B, index: 1 });
    const authorizationOf = (key: string) => ({ authorization: `Bearer ${key}` });
    await one.subscribeAll(authorizationOf(KEY_A));
    await two.subscribeAll(authorizationOf(KEY_B));
    const keys = new Map<string, string | null>();
    gateway.sandbox.control.transform(
      ({ path, request }) => {
        if (path.includes('/rows'))
          keys.set(path.split('/')[2] ?? '', request.headers.get('authorization'));
        return false;
      },
      (json) => json,
    );
    const expected = [...toPages(one.id, [1]), ...toPages(two.id, [1])];
    expect(await trafficOfInterval(gateway)).toEqual(expected.sort());
    expect(keys).toEqual(
      new Map([
        [one.id, `Bearer ${KEY_A}`],
        [two.id, `Bearer ${KEY_B}`],
      ]),
    );
  });
});

describe('A call that leaves its list', () => {
  async function createScene() {
    const gateway = createCampaignGateway();
    const campaign = gateway.createCampaign({ calls: 5 });
    await campaign.subscribeAll();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'live-0-2' });
    await gateway.pass(WARM_UP_MS);
    return { gateway, campaign, stream };
  }

  test.each(['completed', 'cancelled', 'errored'] as const)(
    'is polled singly when it is %s: its last state is sent before complete',
    async (status) => {
      const { gateway, campaign, stream } = await createScene();
      campaign.put({ id: 'live-0-2', status });
      gateway.traffic();
      await gateway.pass(2_100);
      expect(gateway.traffic()).toEqual([...toPages(campaign.id, [1]), 'GET /call/live-0-2']);
      expect(stream.events.map(({ data }) => data.callUpdated.status)).toEqual([
        'CALLING',
        status.toUpperCase(),
      ]);
      expect(stream.isComplete()).toBe(true);
      gateway.traffic();
      await gateway.pass(2 * SECOND);
      expect(gateway.traffic()).toEqual(toPages(campaign.id, [1]));
    },
  );

  test('is null, and the stream completes, when it was deleted', async () => {
    const { gateway, campaign, stream } = await createScene();
    gateway.sandbox.control.removeCall(KEY_A, 'live-0-2');
    gateway.traffic();
    await gateway.pass(2_100);
    expect(gateway.traffic()).toEqual([...toPages(campaign.id, [1]), 'GET /call/live-0-2']);
    expect(stream.events.at(-1)?.data).toEqual({ callUpdated: null });
    expect(stream.isComplete()).toBe(true);
  });

  test('is polled singly from then on if it is still calling', async () => {
    const { gateway, campaign } = await createScene();
    const { rows } = gateway.sandbox.control.data(KEY_A);
    const row = rows[campaign.id]?.find(({ call }) => call?.id === 'live-0-2');
    gateway.sandbox.control.removeRows(KEY_A, campaign.id, [row?.id ?? '']);
    expect(await trafficOfInterval(gateway)).toEqual([
      'GET /call/live-0-2',
      ...toPages(campaign.id, [1]),
    ]);
  });

  test('shows its next state where only the pages have read it', async () => {
    const { gateway, campaign, stream } = await createScene();
    campaign.put({ id: 'live-0-2', status: 'queued_for_calling' });
    gateway.traffic();
    await gateway.pass(2_100);
    expect(gateway.traffic()).toEqual(toPages(campaign.id, [1]));
    expect(stream.events.at(-1)?.data).toEqual({ callUpdated: { status: 'QUEUED_FOR_CALLING' } });
    expect(await gateway.metric('live_events_total{field="callUpdated",source="poll"}')).toBe(1);
  });
});

test('no further page is read when the subscribers of the missing calls have left', async () => {
  const gateway = createCampaignGateway({ settings: { REVOX_MAX_CONCURRENCY: '4' } });
  const campaign = gateway.createCampaign({ calls: 300 });
  const streams = [];
  for (let start = 0; start < 300; start += 100)
    streams.push(
      await gateway.subscribe(CALLS_ENDED, { ids: campaign.callIds.slice(start, start + 100) }),
    );
  await gateway.pass(WARM_UP_MS);
  gateway.traffic();
  const { promise, resolve } = Promise.withResolvers<void>();
  gateway.sandbox.control.delay(/\/rows\?page=2&/, promise, 1);
  await gateway.pass(2 * SECOND);
  expect(gateway.traffic()).toEqual(toPages(campaign.id, [1, 2]));
  for (const stream of streams) stream.leave();
  resolve();
  await gateway.pass(5 * SECOND);
  expect(gateway.traffic()).toEqual([]);
});

describe('Pages that cannot be used', () => {
  async function createScene(fault: (control: Gateway['sandbox']['control']) => void) {
    const gateway = createCampaignGateway({ settings: { REVOX_RETRIES: '0' } });
    const campaign = gateway.createCampaign({ calls: 5 });
    await campaign.subscribeAll();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'live-0-2' });
    fault(gateway.sandbox.control);
    return { gateway, campaign, stream };
  }
  const PAGE = /\/rows\?/;

  test.each<[string, (control: Gateway['sandbox']['control']) => void]>([
    ['500', (control) => control.fail(PAGE, { status: 500 })],
    ['403', (control) => control.fail(PAGE, { status: 403 })],
    ['404', (control) => control.fail(PAGE, { status: 404 })],
    [
      'a web page',
      (control) => control.corrupt(PAGE, '<html></html>', { contentType: 'text/html' }),
    ],
    ['no list', (control) => control.corrupt(PAGE, '{"page":1}')],
    ['a connection that breaks', (control) => control.reset(PAGE)],
  ])('%s: the calls are polled singly, within the rate', async (_, fault) => {
    const { gateway, campaign, stream } = await createScene(fault);
    await gateway.pass(WARM_UP_MS);
    gateway.traffic();
    campaign.put({ id: 'live-0-2', status: 'completed' });
    await gateway.pass(60 * SECOND);
    expect(stream.events.map(({ data }) => data.callUpdated.status)).toEqual([
      'CALLING',
      'COMPLETED',
    ]);
    const traffic = gateway.traffic();
    const pages = traffic.filter((path) => path.includes('/rows')).length;
    expect(pages).toBeLessThanOrEqual(6);
    // Four calls every two seconds, and the last poll of the fifth.
    expect(traffic.length - pages).toBeGreaterThanOrEqual(4 * 29);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('429: all polls of the credential pause, and go on afterwards', async () => {
    const { gateway, campaign } = await createScene((control) =>
      control.fail(PAGE, { status: 429, headers: { 'retry-after': '20' }, times: 1 }),
    );
    await gateway.pass(3 * SECOND);
    expect(gateway.traffic().filter((path) => path.includes('/rows'))).toHaveLength(1);
    await gateway.pass(15 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    // The single polls wait, too: none of them fails at the rate-limit cooldown.
    expect(await gateway.metric('live_polls_total{reason="timer",result="failed"}')).toBe(0);
    await gateway.pass(15 * SECOND);
    gateway.traffic();
    await gateway.pass(2 * SECOND);
    expect(gateway.traffic()).toEqual(toPages(campaign.id, [1]));
  });

  test('pages that work again replace the single polls again', async () => {
    const { gateway, campaign } = await createScene((control) =>
      control.fail(PAGE, { status: 500, times: 2 }),
    );
    await gateway.pass(20 * SECOND);
    expect(await trafficOfInterval(gateway)).toEqual(toPages(campaign.id, [1]));
  });

  test.each<[string, (call: Record<string, unknown>) => unknown]>([
    [
      'less than the call',
      ({ metadata: _, ...call }) => ({ ...call, status: 'queued_for_calling' }),
    ],
    ['no attempts', ({ call_attempts: _, ...call }) => ({ ...call, status: 'queued_for_calling' })],
    [
      'less than its attempts',
      (call) => ({ ...call, status: 'queued_for_calling', call_attempts: [{ id: 'a1' }] }),
    ],
    ['only its id', ({ id }) => ({ id })],
  ])('rows that embed %s are no readings: the calls are polled singly', async (_, change) => {
    const { gateway, stream } = await createScene((control) =>
      control.transform(PAGE, ({ rows, ...page }) => ({
        ...page,
        rows: rows.map(({ call, ...row }: { call: Record<string, unknown> }) => ({
          ...row,
          call: change(call),
        })),
      })),
    );
    const singly = range(0, 5).map((number) => `GET /call/live-0-${number}`);
    expect(await trafficOfInterval(gateway)).toEqual(singly);
    expect(stream.events.map(({ data }) => data.callUpdated.status)).toEqual(['CALLING']);
  });

  test('a page that arrives after a later poll does not make a reading older (G4)', async () => {
    const gateway = createCampaignGateway();
    const campaign = gateway.createCampaign({ calls: 5 });
    await campaign.subscribeAll();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'live-0-2' });
    await gateway.pass(WARM_UP_MS);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // The page shows the state of the moment at which the upstream received the request.
    gateway.sandbox.control.transform(PAGE, async (json) => {
      await held;
      return json;
    });
    await gateway.pass(2 * SECOND);
    campaign.put({ id: 'live-0-2', status: 'queued_for_calling', call_attempts: [RINGING] });
    await gateway.execute('{ call(id: "live-0-2") { status } }');
    await gateway.pass(SECOND);
    expect(stream.events.at(-1)?.data).toEqual({ callUpdated: { status: 'QUEUED_FOR_CALLING' } });
    release();
    await gateway.pass(300);
    expect(stream.events.map(({ data }) => data.callUpdated.status)).toEqual([
      'CALLING',
      'QUEUED_FOR_CALLING',
    ]);
  });
});

describe('A call that a query has read in the rows of its campaign', () => {
  const METADATA = 'subscription ($id: ID!) { callUpdated(id: $id) { status metadata } }';

  async function createScene(change: (call: Record<string, unknown>) => unknown) {
    const gateway = createCampaignGateway();
    const campaign = gateway.createCampaign({ calls: 5 });
    for (const id of campaign.callIds)
      campaign.put({ id, status: 'completed', call_attempts: [], metadata: { order: '7' } });
    gateway.sandbox.control.transform(/\/rows\?/, ({ rows, ...page }) => ({
      ...page,
      rows: rows.map(({ call, ...row }: { call: Record<string, unknown> }) => ({
        ...row,
        call: change(call),
      })),
    }));
    await gateway.execute(
      'query ($id: ID!) { campaign(id: $id) { rows(first: 5) { nodes { call { id } } } } }',
      { id: campaign.id },
    );
    gateway.traffic();
    return gateway;
  }
  const EXPECTED = [{ callUpdated: { status: 'COMPLETED', metadata: { order: '7' } } }];

  test('is read whole for its first event where the row embeds less', async () => {
    const gateway = await createScene(({ metadata: _, ...call }) => call);
    const stream = await gateway.subscribe(METADATA, { id: 'live-0-2' });
    await gateway.pass(SECOND);
    expect(stream.events.map(({ data }) => data)).toEqual(EXPECTED);
    expect(stream.isComplete()).toBe(true);
    expect(gateway.traffic()).toEqual(['GET /call/live-0-2']);
  });

  test('costs no request where the row embeds as much as another watched call has', async () => {
    const gateway = await createScene((call) => call);
    gateway.putCall({ id: 'whole', status: 'scheduled', scheduled_at: null });
    await gateway.subscribe(METADATA, { id: 'whole' });
    await gateway.pass(SECOND);
    gateway.traffic();
    const stream = await gateway.subscribe(METADATA, { id: 'live-0-2' });
    await gateway.pass(SECOND);
    expect(stream.events.map(({ data }) => data)).toEqual(EXPECTED);
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Versions of the API', () => {
  test.each([
    ['later', 3],
    // Without a total, the pages are counted until all calls were found.
    ['0.5.0', 3],
  ] as const)('%s: 120 calls cost %i pages in each interval', async (version, pages) => {
    const gateway = createCampaignGateway();
    gateway.sandbox.control.respondAs(version);
    const campaign = gateway.createCampaign({ calls: 120 });
    await campaign.subscribeAll();
    const expected = toPages(campaign.id, range(1, pages));
    expect(await trafficOfInterval(gateway)).toEqual(expected.sort());
  });

  test.each(['oldest', '0.0.2'] as const)(
    '%s: calls do not name their campaign, and are polled singly',
    async (version) => {
      const gateway = createCampaignGateway();
      gateway.sandbox.control.respondAs(version);
      const campaign = gateway.createCampaign({ calls: 5 });
      await campaign.subscribeAll();
      const singly = range(0, 5).map((number) => `GET /call/live-0-${number}`);
      expect(await trafficOfInterval(gateway)).toEqual(singly);
    },
  );
});
