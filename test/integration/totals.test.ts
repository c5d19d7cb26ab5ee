import { describe, expect, test } from 'vitest';
import { createClock } from '../support/clock.ts';
import {
  createTestGateway,
  KEY_A,
  type TestGateway,
  type TestGatewayOptions,
} from '../support/test-gateway.ts';

/** A gateway, and a campaign with more rows than a page. */
function createScene(options: TestGatewayOptions = {}) {
  const gateway = createTestGateway(options);
  const { rows } = gateway.sandbox.control.data(KEY_A);
  const [id, ofCampaign] = Object.entries(rows).find(([, { length }]) => length > 60)!;
  return { gateway, id, total: ofCampaign.length, path: `GET /campaigns/${id}/rows` };
}

/** Executes a selection on the campaign, and returns its rows and the upstream requests for them. */
async function select({ execute, traffic }: TestGateway, id: string, selection: string) {
  const { data, errors } = await execute(
    `query ($id: ID!) { campaign(id: $id) { ${selection} } }`,
    {
      id,
    },
  );
  expect(errors).toBeUndefined();
  return { campaign: data.campaign, requests: traffic().filter((line) => line.includes('/rows')) };
}

describe('Total of a list', () => {
  test('a total alone needs one row', async () => {
    const { gateway, id, total, path } = createScene();
    expect(await select(gateway, id, 'rows { totalCount }')).toEqual({
      campaign: { rows: { totalCount: total } },
      requests: [`${path}?page=1&page_size=1`],
    });
  });

  test('a total alone needs one row while the number of the first page is unknown', async () => {
    for (const firstPage of [0, 1] as const) {
      const { gateway, id, total, path } = createScene({
        settings: { REVOX_FIRST_PAGE: 'auto' },
        sandbox: { firstPage },
      });
      expect(await select(gateway, id, 'rows { totalCount }')).toEqual({
        campaign: { rows: { totalCount: total } },
        requests: [`${path}?page=1&page_size=1`],
      });
    }
  });

  test.each([
    'rows(first: 5) { totalCount nodes { id } }',
    'rows { totalCount } first: rows(first: 5) { nodes { id } }',
    'first: rows(first: 5) { nodes { id } } rows { totalCount }',
    'rows(first: 50) { totalCount pageInfo { hasNextPage } }',
    'a: rows { totalCount } ... on Campaign { rows(first: 3) { totalCount edges { cursor } } }',
  ])('one page shows both the total and the first rows of `%s`', async (selection) => {
    const { gateway, id, total, path } = createScene();
    const { campaign, requests } = await select(gateway, id, selection);
    expect(campaign.rows.totalCount).toBe(total);
    expect(requests).toEqual([`${path}?page=1&page_size=50`]);
  });

  test('the total of several fields is requested once', async () => {
    const { gateway, id, total, path } = createScene();
    const { campaign, requests } = await select(
      gateway,
      id,
      'a: rows { totalCount } b: rows(statuses: []) { totalCount }',
    );
    expect(campaign).toEqual({ a: { totalCount: total }, b: { totalCount: total } });
    expect(requests).toEqual([`${path}?page=1&page_size=1`]);
  });

  test('a cached first page shows the total of a later operation', async () => {
    const { gateway, id, total } = createScene({ gateway: { now: createClock().now } });
    await select(gateway, id, 'rows(first: 5) { nodes { id } }');
    expect(await select(gateway, id, 'rows { totalCount }')).toEqual({
      campaign: { rows: { totalCount: total } },
      requests: [],
    });
    const other = await select(gateway, id, 'rows(statuses: [COMPLETED]) { totalCount }');
    expect(other.requests).toHaveLength(1);
  });

  test('the first page of one key does not show its total to another key', async () => {
    const { gateway, id } = createScene({ settings: { REVOX_API_KEY: '' } });
    const query = `{ campaign(id: "${id}") { rows(first: 5) { nodes { id } } } }`;
    await gateway.execute(query, {}, { authorization: `Bearer ${KEY_A}` });
    gateway.traffic();
    const { data } = await gateway.execute(
      `{ campaign(id: "${id}") { rows { totalCount } } }`,
      {},
      { authorization: 'Bearer sk_demo_b' },
    );
    expect(data).toEqual({ campaign: null });
    expect(gateway.traffic()).toEqual([`GET /campaigns/${id}`]);
  });

  test('an empty list has the total 0', async () => {
    const { gateway, id } = createScene();
    const selection = 'rows(query: "no such row") { totalCount }';
    const { campaign, requests } = await select(gateway, id, selection);
    expect([campaign.rows.totalCount, requests.length]).toEqual([0, 1]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: the body of a response
type Change = (body: any) => unknown;

/** Totals that are not the length of a list; GraphQL's `Int` ends below 2³¹. */
const NO_COUNTS = [-1, 2.5, 1e21, 2 ** 31, null, '', '2.5', '500 rows', true, {}];

test.each(NO_COUNTS)(
  'the list is read to its end and counted if each page has the total %j',
  async (noCount) => {
    const { gateway, id, total } = createScene();
    gateway.sandbox.control.transform(/rows/, (body) => ({ ...(body as object), total: noCount }));
    const { campaign } = await select(
      gateway,
      id,
      'rows(first: 100) { totalCount nodes { id } pageInfo { hasNextPage } }',
    );
    expect(campaign.rows.totalCount).toBe(total);
    expect(campaign.rows.nodes).toHaveLength(Math.min(100, total));
    expect(campaign.rows.pageInfo.hasNextPage).toBe(total > 100);
  },
);

describe('Page of one row without a usable total', () => {
  const faults: readonly [string, Change][] = [
    ['no total', ({ total: _, ...body }) => body],
    ...NO_COUNTS.map((total): [string, Change] => [
      `the total ${JSON.stringify(total)}`,
      (body) => ({ ...body, total }),
    ]),
    ['a total smaller than its rows', (body) => ({ ...body, total: 0 })],
    ['no rows but a total', (body) => ({ ...body, rows: [] })],
  ];

  test.each(faults)('the list is counted if the page has %s', async (_name, change) => {
    const { gateway, id, total, path } = createScene();
    gateway.sandbox.control.transform(/page_size=1(&|$)/, change);
    const { campaign, requests } = await select(gateway, id, 'rows { totalCount }');
    expect(campaign.rows.totalCount).toBe(total);
    expect(requests).toEqual([`${path}?page=1&page_size=1`, `${path}?page=1&page_size=50`]);
  });

  test.each([400, 422])(
    'the list is counted if the upstream rejects pages of one row with %i, and further totals do not try',
    async (status) => {
      const { gateway, id, total, path } = createScene();
      gateway.sandbox.control.fail(/page_size=1(&|$)/, { status });
      const { campaign, requests } = await select(gateway, id, 'rows { totalCount }');
      expect(campaign.rows.totalCount).toBe(total);
      expect(requests).toEqual([`${path}?page=1&page_size=1`, `${path}?page=1&page_size=50`]);
      const next = await select(gateway, id, 'rows(statuses: [COMPLETED]) { totalCount }');
      expect(next.requests).toEqual([`${path}?page=1&page_size=50&statuses=completed`]);
    },
  );

  test('the list is counted if page 1 does not exist while the number of the first page is unknown', async () => {
    const { gateway, id, total, path } = createScene({
      settings: { REVOX_FIRST_PAGE: 'auto' },
      sandbox: { firstPage: 0 },
    });
    gateway.sandbox.control.fail(/page_size=1(&|$)/, { status: 404 });
    const { campaign, requests } = await select(gateway, id, 'rows { totalCount }');
    expect(campaign.rows.totalCount).toBe(total);
    expect(requests.slice(0, 2)).toEqual([
      `${path}?page=1&page_size=1`,
      `${path}?page=0&page_size=50`,
    ]);
  });

  test('a list of one row that is numbered from 0 is counted', async () => {
    const { gateway, id } = createScene({
      settings: { REVOX_FIRST_PAGE: 'auto' },
      sandbox: { firstPage: 0 },
    });
    const { rows } = gateway.sandbox.control.data(KEY_A);
    rows[id]?.splice(1);
    const { campaign } = await select(gateway, id, 'rows { totalCount }');
    expect(campaign.rows.totalCount).toBe(1);
  });

  test.each([
    [401, 'UPSTREAM_REJECTED'],
    [404, 'UPSTREAM_REJECTED'],
    [409, 'UPSTREAM_REJECTED'],
    [429, 'RATE_LIMITED'],
    [500, 'UPSTREAM_UNAVAILABLE'],
  ])(
    'the failure %i is the error of the total alone, and is not counted in pages',
    async (status, code) => {
      // A 404 is one only where the number of the first page is known.
      for (const firstPage of status === 404 ? ['1'] : ['1', 'auto']) {
        const settings = { REVOX_RETRIES: '0', REVOX_FIRST_PAGE: firstPage };
        const { gateway, id, path } = createScene({ settings });
        gateway.sandbox.control.fail(/page_size=1(&|$)/, { status });
        const { data, errors } = await gateway.execute(
          `{ campaign(id: "${id}") { id rows { totalCount } } }`,
        );
        expect(data).toEqual({ campaign: { id, rows: { totalCount: null } } });
        expect(errors).toMatchObject([{ extensions: { code } }]);
        expect(gateway.traffic()).toEqual([`GET /campaigns/${id}`, `${path}?page=1&page_size=1`]);
      }
    },
  );
});

test('an operation with too many totals gets the values within its budget, and errors that name the setting', async () => {
  const gateway = createTestGateway({ settings: { MAX_UPSTREAM_REQUESTS: '5' } });
  const { data, errors } = await gateway.execute(`{ campaigns(first: 4) { nodes {
    completed: rows(statuses: [COMPLETED]) { totalCount }
    errored: rows(statuses: [ERRORED]) { totalCount } } } }`);
  const totals = data.campaigns.nodes.flatMap((node: object) => Object.values(node));
  const known = totals.filter((rows: { totalCount: number | null }) => rows.totalCount !== null);
  expect([totals.length, known.length, errors?.length]).toEqual([8, 4, 4]);
  for (const { message, extensions } of errors ?? []) {
    expect(extensions.code).toBe('UPSTREAM_BUDGET_EXCEEDED');
    expect(message).toContain('5 upstream requests (MAX_UPSTREAM_REQUESTS)');
  }
  expect(gateway.traffic()).toHaveLength(5);
});

test('the dashboard of the documentation gets 300 totals of a hundred campaigns in two batches, which one operation could not', async () => {
  const gateway = createTestGateway({ gateway: { now: createClock().now } });
  const { campaigns, rows } = gateway.sandbox.control.data(KEY_A);
  const [[, exampleRows]] = Object.entries(rows) as [[string, (typeof rows)[string]]];
  for (let index = campaigns.length; index < 100; index += 1) {
    campaigns.push({ ...campaigns[0]!, id: `campaign-${index}` });
    Object.assign(rows, { [`campaign-${index}`]: exampleRows });
  }
  const dashboard = `query ($first: Int, $after: String) { campaigns(first: $first, after: $after) {
    nodes {
      completed: rows(statuses: [COMPLETED]) { totalCount }
      errored: rows(statuses: [ERRORED]) { totalCount }
      all: rows { totalCount }
    }
    pageInfo { hasNextPage endCursor } } }`;

  const whole = await createTestGateway({ upstream: gateway.sandbox.fetch }).execute(dashboard, {
    first: 100,
  });
  expect(whole.errors?.[0]?.message).toContain('MAX_UPSTREAM_REQUESTS');

  const first = await gateway.execute(dashboard, { first: 50 });
  expect(first.errors).toBeUndefined();
  expect(gateway.traffic()).toHaveLength(151);
  const { endCursor: after } = first.data.campaigns.pageInfo;
  const second = await gateway.execute(dashboard, { first: 50, after });
  expect(second.errors).toBeUndefined();
  const requests = gateway.traffic();
  // The list of campaigns is cached.
  expect([requests.length, requests.every((line) => /page_size=1(&|$)/.test(line))]).toEqual([
    150,
    true,
  ]);
  expect(second.data.campaigns.pageInfo.hasNextPage).toBe(false);
});
