import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createTestGateway, KEY_A, NO_CACHE } from '../support/test-gateway.ts';

// Regression tests for attacks that once succeeded.

describe('Deeply nested document', () => {
  test.each([
    ['fields', '{a'.repeat(20_000), 20_000],
    ['lists', `{ calls(ids: ${'['.repeat(20_000)}`, 20_002],
    ['inline fragments', `${'{ ... '.repeat(1_600)}{ __typename ${'}'.repeat(1_601)}`, 1_601],
    [
      'values',
      `{ _entities(representations: [${'['.repeat(2_400)}${']'.repeat(2_400)}]) { __typename } }`,
      2_403,
    ],
  ])(
    'a document of %s nested deeper than the call stack is OPERATION_TOO_COMPLEX without an unexpected error',
    async (_, query, measured) => {
      const gateway = createTestGateway({ settings: { MAX_TOKENS: '1000000' } });
      const { errors } = await gateway.execute(query);
      const message = `The document is nested ${measured} brackets deep; at most 200 are allowed (10 × MAX_DEPTH).`;
      expect(errors).toEqual([
        { message, extensions: { code: 'OPERATION_TOO_COMPLEX', limit: 200, measured } },
      ]);
      expect(gateway.unexpectedErrors).toEqual([]);
      expect(gateway.traffic()).toEqual([]);
    },
  );
});

test.each([
  [
    'an Int',
    'query ($n: Int) { callAttempts(first: $n) { nodes { id } } }',
    { n: '2' },
    /Variable "\$n" got invalid value "2"/,
  ],
  [
    'an enum',
    'query ($s: [CallStatus!]) { callAttempts(statuses: $s) { nodes { id } } }',
    { s: ['x'] },
    /Variable "\$s"/,
  ],
  ['an id', 'query ($id: ID!) { call(id: $id) { id } }', { id: {} }, /Variable "\$id"/],
])(
  'the error for a variable that is not %s names the variable',
  async (_, query, variables, message) => {
    const gateway = createTestGateway();
    const { errors } = await gateway.execute(query, variables);
    expect(errors).toMatchObject([
      { message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(gateway.traffic()).toEqual([]);
  },
);

test.each([
  [
    'a field',
    'query ($id: ID = "x") { call(id: $id) { id } }',
    { id: null },
    ['call'],
    /"id" of non-null type/,
  ],
  [
    'a directive',
    'query ($on: Boolean = true) { call(id: "x") @include(if: $on) { id } }',
    { on: null },
    undefined,
    /"if" of non-null/,
  ],
])(
  'a null variable for a non-null argument of %s is BAD_USER_INPUT without an unexpected error',
  async (_, query, variables, path, message) => {
    const gateway = createTestGateway();
    const { errors } = await gateway.execute(query, variables);
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(message),
        extensions: { code: 'BAD_USER_INPUT' },
      }),
    ]);
    expect(errors?.[0]?.path).toEqual(path);
    expect(gateway.unexpectedErrors).toEqual([]);
    expect(gateway.traffic()).toEqual([]);
  },
);

describe('Node lookup by id', () => {
  const QUERY = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }';
  const unknown = Array.from({ length: 100 }, (_, n) => `absent-${n}`);

  test('a hundred unknown ids are null and cost one request each and the two list requests', async () => {
    const gateway = createTestGateway();
    const { data, errors } = await gateway.execute(QUERY, { ids: unknown });
    expect(errors).toBeUndefined();
    expect(data.nodes).toEqual(unknown.map(() => null));
    expect(gateway.traffic()).toHaveLength(102);
  });

  test('ids of every node type are found in one lookup', async () => {
    const gateway = createTestGateway();
    const { calls, assistants, campaigns } = gateway.sandbox.control.data(KEY_A);
    const ids = [calls[0]!.id, assistants[0]!.id, campaigns[0]!.id, 'absent', campaigns[1]!.id];
    const { data } = await gateway.execute(QUERY, { ids });
    expect(data.nodes.map((node: { __typename: string } | null) => node?.__typename)).toEqual([
      'Call',
      'Assistant',
      'Campaign',
      undefined,
      'Campaign',
    ]);
    expect(gateway.traffic()).toHaveLength(7);
  });
});

describe('Wrong upstream total', () => {
  const QUERY =
    'query ($id: ID!, $query: String) { campaign(id: $id) { rows(last: 3, query: $query) { nodes { id } } } }';

  test.each([
    ['larger than the list', 5000],
    ['smaller than what is served', 12],
    ['of zero', 0],
  ])('an upstream total %s does not change the last rows of a list', async (_, total) => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const { largeCampaignId } = sampleIds(gateway.sandbox);
    const rows = gateway.sandbox.control.data(KEY_A).rows[largeCampaignId]!;
    gateway.sandbox.control.transform(/\/rows/, (body) => ({ ...body, total }));
    const { data } = await gateway.execute(QUERY, { id: largeCampaignId });
    expect(data.campaign.rows.nodes).toEqual(rows.slice(-3).map(({ id }) => ({ id })));
    expect(gateway.traffic().length).toBeLessThanOrEqual(12);
  });

  test('a wrong total of a filtered list does not affect the unfiltered list', async () => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const { largeCampaignId } = sampleIds(gateway.sandbox);
    const { id, phone_number } = gateway.sandbox.control.data(KEY_A).rows[largeCampaignId]![7]!;
    gateway.sandbox.control.transform(/\/rows/, (body) => ({ ...body, total: 500 }));
    const { data } = await gateway.execute(QUERY, { id: largeCampaignId, query: phone_number });
    expect(data.campaign.rows.nodes).toContainEqual({ id });
    gateway.traffic();
    const all = await gateway.execute(
      'query ($id: ID!) { campaign(id: $id) { rows(first: 100) { nodes { id } } } }',
      {
        id: largeCampaignId,
      },
    );
    expect(all.data.campaign.rows.nodes).toHaveLength(100);
    expect(gateway.traffic()).toHaveLength(3);
  });
});

test('a list without ids fails with one upstream request and leaves the other fields intact', async () => {
  const gateway = createTestGateway({ settings: NO_CACHE });
  gateway.sandbox.control.transform('/call', (body) => ({
    calls: body.calls.map(({ id, ...rest }: { id: string }) => ({ key: id, ...rest })),
  }));
  const { data, errors } = await gateway.execute(
    '{ __typename callAttempts(first: 5) { nodes { id } } }',
  );
  expect(data).toEqual({ __typename: 'Query', callAttempts: null });
  expect(errors).toMatchObject([
    { path: ['callAttempts'], extensions: { code: 'UPSTREAM_INVALID_RESPONSE' } },
  ]);
  expect(gateway.traffic()).toHaveLength(1);
});

test('a total that is known from a page of rows is not requested again', async () => {
  const gateway = createTestGateway({ settings: NO_CACHE });
  const { largeCampaignId } = sampleIds(gateway.sandbox);
  const query = `query ($id: ID!, $after: String) { campaign(id: $id) {
    rows(first: 40, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } } }`;
  const first = await gateway.execute(query, { id: largeCampaignId });
  const second = await gateway.execute(query, {
    id: largeCampaignId,
    after: first.data.campaign.rows.pageInfo.endCursor,
  });
  gateway.traffic();
  const third = await gateway.execute(query, {
    id: largeCampaignId,
    after: second.data.campaign.rows.pageInfo.endCursor,
  });
  expect(third.data.campaign.rows).toMatchObject({
    totalCount: 500,
    pageInfo: { hasNextPage: true },
  });
  expect(gateway.traffic()).toEqual([
    `GET /campaigns/${largeCampaignId}`,
    `GET /campaigns/${largeCampaignId}/rows?page=2&page_size=50`,
    `GET /campaigns/${largeCampaignId}/rows?page=3&page_size=50`,
  ]);
});

test('`node` requests an object that another response has embedded once, with its known type', async () => {
  const gateway = createTestGateway();
  const campaign = gateway.sandbox.control.data(KEY_A).campaigns[0]!;
  await gateway.execute('query ($id: ID!) { campaign(id: $id) { assistant { id } } }', {
    id: campaign.id,
  });
  gateway.traffic();
  const { data } = await gateway.execute('query ($id: ID!) { node(id: $id) { __typename } }', {
    id: campaign.assistant_id,
  });
  expect(data.node).toEqual({ __typename: 'Assistant' });
  expect(gateway.traffic()).toEqual([`GET /assistants/${campaign.assistant_id}`]);
});
