import { describe, expect, test } from 'vitest';
import { createNodeTypes } from '#cache/node-types.ts';
import { UpstreamNotFoundError } from '#errors/upstream-error.ts';
import { createLoaders } from '#loaders/loaders.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import { createRevoxApiFactory, type RevoxApi } from '#rest/revox-api.ts';
import type { FetchUpstream } from '#rest/upstream-request.ts';
import { createTestGateway, NO_CACHE } from '../support/test-gateway.ts';
import { createUpstreamContext } from '../support/upstream-context.ts';
import {
  assistantIds,
  calls,
  callsOfCampaigns,
  campaignIds,
  campaigns,
  fresh,
  gateway,
  rows,
} from './loader-scene.ts';

/** An upstream that returns the same body for every request. */
const apiReturning =
  (body: unknown): FetchUpstream =>
  async (_context, { parse }) => ({
    value: parse(body),
    status: 200,
    readVersion: { instance: 'test', sequence: 1, isCached: false },
    askedAt: 0,
    upstreamNow: 0,
  });

describe('Embedded objects', () => {
  test('an embedded object resolves the field of its parent without another request', async () => {
    const { execute, traffic } = fresh();
    const [call] = callsOfCampaigns(1);
    const { data, errors } = await execute(
      `query ($id: ID!) { call(id: $id) {
        assistant { id name llmModel { __typename } } campaign { id name } callAttempts { id transcript { content } } lastCallAttempt { id }
      } }`,
      { id: call!.id },
    );
    expect(errors).toBeUndefined();
    expect(data.call.assistant).toMatchObject({
      id: call!.assistant!.id,
      name: call!.assistant!.name,
    });
    expect(data.call.campaign).toEqual(call!.campaign);
    expect(traffic()).toEqual([`GET /call/${call!.id}`]);
  });

  test('an assistant embedded in a campaign is not requested', async () => {
    const { execute, traffic, sandbox } = fresh();
    const [campaign] = campaigns;
    sandbox.control.transform('/campaigns/', (body) => ({
      campaign: {
        ...body.campaign,
        assistant_id: 'of-the-id',
        assistant: { id: 'embedded', name: 'Along' },
      },
    }));
    const { data } = await execute(
      'query ($id: ID!) { campaign(id: $id) { assistantId assistant { id name prompt } } }',
      {
        id: campaign!.id,
      },
    );
    expect(data.campaign).toEqual({
      assistantId: 'of-the-id',
      assistant: { id: 'embedded', name: 'Along', prompt: null },
    });
    expect(traffic()).toEqual([`GET /campaigns/${campaign!.id}`]);
  });

  test.each([[undefined], [null], ['a1'], [{}], [{ id: {} }]])(
    'a campaign whose assistant is %j requests the assistant of its assistant_id',
    async (assistant) => {
      const { execute, traffic, sandbox } = fresh();
      const [campaign] = campaigns;
      sandbox.control.transform('/campaigns/', (body) => ({
        campaign: { ...body.campaign, assistant },
      }));
      const { data, errors } = await execute(
        'query ($id: ID!) { campaign(id: $id) { assistant { id } } }',
        { id: campaign!.id },
      );
      expect(errors).toBeUndefined();
      expect(data.campaign.assistant).toEqual({ id: campaign!.assistant_id });
      expect(traffic()).toEqual([
        `GET /campaigns/${campaign!.id}`,
        `GET /assistants/${campaign!.assistant_id}`,
      ]);
    },
  );

  test('a call embedded in a row is not requested, nor are its assistant and attempts', async () => {
    const { execute, traffic } = fresh();
    const campaign = campaigns.find(({ id }) => rows[id]!.some(({ call }) => call))!;
    const { data, errors } = await execute(
      'query ($id: ID!) { campaign(id: $id) { rows(first: 20) { nodes { call { id assistant { name } callAttempts { id } campaign { id name } } } } } }',
      { id: campaign.id },
    );
    expect(errors).toBeUndefined();
    expect(
      data.campaign.rows.nodes.map((row: { call: { id: string } | null }) => row.call?.id),
    ).toEqual(rows[campaign.id]!.slice(0, 20).map(({ call }) => call?.id));
    expect(traffic()).toEqual([
      `GET /campaigns/${campaign.id}`,
      `GET /campaigns/${campaign.id}/rows?page=1&page_size=50`,
    ]);
  });
});

describe('Loaders of one operation', () => {
  const call = calls.find((one) => one.assistant && one.campaign)!;

  /**
   * Loaders over an upstream with the given endpoints. `requests` lists the requests and the drift.
   */
  function createLoadersOver(rest: Partial<RevoxApi>) {
    const requests: string[] = [];
    const failOn = (name: string) => async (id: string) => {
      requests.push(`${name} ${id}`);
      throw new UpstreamNotFoundError({ method: 'GET', path: `/${name}/${id}` }, 404);
    };
    const nodeTypes = createNodeTypes(Date.now).of('one credential');
    const loaders = createLoaders({
      rest: {
        getCall: failOn('call'),
        getAssistant: failOn('assistant'),
        getCampaign: failOn('campaign'),
        ...rest,
      } as RevoxApi,
      facts: createEndpointFacts({ firstPage: 1, pageSize: 50, monotonicNow: () => 0 })({
        fingerprint: 'ann',
      }),
      nodeTypes,
      onDrift: (kind, type, field) => requests.push(`${kind} ${type}.${field}`),
    });
    return { loaders, requests, nodeTypes };
  }

  test.each([
    { name: 'a complete call is used for call(id:)', embedded: call, expected: call, requests: [] },
    {
      name: 'a partial call is not used for call(id:)',
      embedded: { id: call.id, status: call.status },
      expected: null,
      requests: [`call ${call.id}`],
    },
    {
      name: 'a call with malformed attempts is not used for call(id:)',
      embedded: { ...call, call_attempts: 'many' },
      expected: null,
      requests: [`call ${call.id}`],
    },
    {
      name: 'a call with a numeric id is not used for call(id:)',
      embedded: { ...call, id: 7 },
      expected: null,
      requests: [`call ${call.id}`],
    },
  ])('$name when a row embeds it', async ({ embedded, expected, requests }) => {
    const items = [{ id: 'r1', call: embedded }, { id: 'r2' }, { id: 'r3', call: null }];
    const { listCampaignRows } = createRevoxApiFactory(apiReturning({ rows: items, total: 3 }), {
      arrayFormat: 'comma',
      monotonicNow: () => 0,
    })(createUpstreamContext());
    const upstream = createLoadersOver({ listCampaignRows });
    await (await upstream.loaders.campaignRows('c', {}).current()).page(0);
    expect(await upstream.loaders.call(call.id)).toEqual(expected);
    expect(upstream.requests).toEqual(requests);
  });

  test('the assistant and the campaign of a call are not used for other lookups because the call may have its own versions', async () => {
    const { loaders, requests, nodeTypes } = createLoadersOver({ getCall: async () => call });
    await loaders.call(call.id);
    expect(
      await Promise.all([
        loaders.assistant(call.assistant!.id),
        loaders.campaign(call.campaign!.id),
      ]),
    ).toEqual([null, null]);
    expect(requests).toEqual([`assistant ${call.assistant!.id}`, `campaign ${call.campaign!.id}`]);
    // The types of their ids are known.
    expect([call.id, call.assistant!.id, call.campaign!.id].map(nodeTypes.get)).toEqual([
      'Call',
      'Assistant',
      'Campaign',
    ]);
  });

  test('a failed lookup is not repeated within an operation', async () => {
    const { loaders, requests } = createLoadersOver({});
    for (let time = 0; time < 2; time += 1)
      await Promise.all([loaders.call('x'), loaders.assistant('x'), loaders.campaign('x')]);
    expect(requests).toEqual(['call x', 'assistant x', 'campaign x']);
  });

  test('lists with the same filter share one list', () => {
    const { loaders } = createLoadersOver({});
    expect(loaders.callAttempts(['completed'])).toBe(loaders.callAttempts(['completed']));
    expect(loaders.callAttempts(['completed'])).not.toBe(loaders.callAttempts([]));
    expect(loaders.campaignRows('c', { query: 'a' })).toBe(
      loaders.campaignRows('c', { query: 'a' }),
    );
    expect(loaders.campaignRows('c', { query: 'a' })).not.toBe(
      loaders.campaignRows('d', { query: 'a' }),
    );
    expect(loaders.campaignRows('c', { query: 'a' })).not.toBe(
      loaders.campaignRows('c', { result: 'all' }),
    );
  });

  test('an item without an id is dropped, an item with a numeric id is kept, and both are reported as drift', async () => {
    const { loaders, requests } = createLoadersOver({
      listAssistants: async () => ({ items: [null, { id: '' }, { id: 5 }] }),
    });
    expect(await (await loaders.assistants().current()).page(0)).toEqual([{ id: '5' }]);
    expect(requests).toEqual([
      'dropped AssistantConnection.nodes',
      'dropped AssistantConnection.nodes',
      'coerced Assistant.id',
    ]);
  });
});

describe('Call.campaign', () => {
  test('Call.campaign costs no request for its id and name and one request for other fields', async () => {
    const { execute, traffic } = fresh();
    const [call] = callsOfCampaigns(1);
    const { data } = await execute(
      'query ($id: ID!) { call(id: $id) { campaign { id name status isCancelled createdAt } } }',
      {
        id: call!.id,
      },
    );
    const { status, is_cancelled } = campaigns.find(({ id }) => id === call!.campaign!.id)!;
    expect(data.call.campaign).toMatchObject({
      ...call!.campaign,
      status: status.toUpperCase(),
      isCancelled: is_cancelled,
    });
    expect(traffic()).toEqual([`GET /call/${call!.id}`, `GET /campaigns/${call!.campaign!.id}`]);
  });

  test('Call.campaign costs one request for calls of one campaign and the list request for calls of several campaigns', async () => {
    const { execute, traffic } = fresh();
    const query = 'query ($ids: [ID!]!) { calls(ids: $ids) { campaign { name status } } }';
    const twins = calls
      .filter(({ campaign }) => campaign?.id === callsOfCampaigns(1)[0]!.campaign!.id)
      .slice(0, 2);
    await execute(query, { ids: twins.map(({ id }) => id) });
    expect(traffic()).toEqual([
      ...twins.map(({ id }) => `GET /call/${id}`),
      `GET /campaigns/${twins[0]!.campaign!.id}`,
    ]);

    const others = callsOfCampaigns(6);
    const { data, errors } = await execute(query, { ids: others.map(({ id }) => id) });
    expect(errors).toBeUndefined();
    expect(data.calls.map((call: { campaign: { name: string } }) => call.campaign.name)).toEqual(
      others.map(({ campaign }) => campaign!.name),
    );
    expect(traffic()).toEqual([...others.map(({ id }) => `GET /call/${id}`), 'GET /campaigns']);
  });

  test('Call.campaign of a deleted campaign has its id and name and null for other fields', async () => {
    const { execute, sandbox } = fresh();
    const [call] = callsOfCampaigns(1);
    sandbox.control.fail('/campaigns/', { status: 404 });
    const result = await execute(
      'query ($id: ID!) { call(id: $id) { campaign { id name status assistant { id } } } }',
      {
        id: call!.id,
      },
    );
    expect(result).toEqual({
      data: { call: { campaign: { ...call!.campaign, status: null, assistant: null } } },
    });
  });

  test('Call.campaign of a failed request fails only the fields that the call does not embed', async () => {
    const { execute, traffic, sandbox } = fresh();
    const [call] = callsOfCampaigns(1);
    sandbox.control.fail('/campaigns/', { status: 500, times: 1 });
    const { data, errors } = await execute(
      'query ($id: ID!) { call(id: $id) { toPhoneNumber campaign { id name status isCancelled } } }',
      { id: call!.id },
    );
    expect(data.call).toEqual({
      toPhoneNumber: call!.to_phone_number,
      campaign: { ...call!.campaign, status: null, isCancelled: null },
    });
    expect(errors?.map(({ path, extensions }) => [path?.at(-1), extensions.code])).toEqual([
      ['status', 'UPSTREAM_UNAVAILABLE'],
      ['isCancelled', 'UPSTREAM_UNAVAILABLE'],
    ]);
    // Both fields load the same campaign once, and the next operation loads it again.
    const requests = [`GET /call/${call!.id}`, `GET /campaigns/${call!.campaign!.id}`];
    expect(traffic()).toEqual(requests);
    const again = await execute(
      'query ($id: ID!) { call(id: $id) { campaign { status isCancelled } } }',
      { id: call!.id },
    );
    expect(again).toEqual({
      data: { call: { campaign: { status: expect.any(String), isCancelled: false } } },
    });
    expect(traffic()).toEqual(requests);
  });
});

describe.each([
  { field: 'assistant', list: 'assistants', ids: assistantIds },
  { field: 'campaign', list: 'campaigns', ids: campaignIds },
])('Loader of $field', ({ field, list, ids }) => {
  const byAlias = (wanted: readonly string[]) =>
    `{ ${wanted.map((id, index) => `_${index}: ${field}(id: "${id}") { id name }`).join(' ')} }`;
  const idsIn = (data: Record<string, { id: string } | null>) =>
    Object.values(data).map((object) => object?.id ?? null);

  test(`one ${field} is requested individually`, async () => {
    const { execute, traffic } = fresh();
    const { data } = await execute(byAlias([ids[3]!]));
    expect(idsIn(data)).toEqual([ids[3]]);
    expect(traffic()).toEqual([`GET /${list}/${ids[3]}`]);
  });

  test(`the same ${field} selected twice costs one request`, async () => {
    const { execute, traffic } = fresh();
    const { data } = await execute(byAlias([ids[3]!, ids[3]!]));
    expect(idsIn(data)).toEqual([ids[3], ids[3]]);
    expect(traffic()).toEqual([`GET /${list}/${ids[3]}`]);
  });

  test(`several objects of ${field} cost one list request`, async () => {
    const { execute, traffic } = fresh();
    const { data } = await execute(byAlias([ids[4]!, ids[0]!, ids[2]!, ids[4]!]));
    expect(idsIn(data)).toEqual([ids[4], ids[0], ids[2], ids[4]]);
    expect(traffic()).toEqual([`GET /${list}`]);
  });

  test(`one ${field} costs no additional request when the operation selects the list`, async () => {
    const { execute, traffic } = fresh();
    const { data } = await execute(
      `{ ${list}(first: 1) { totalCount nodes { id } } ${field}(id: "${ids[5]}") { id } }`,
    );
    expect(data).toEqual({
      [list]: { totalCount: ids.length, nodes: [{ id: ids[0] }] },
      [field]: { id: ids[5] },
    });
    expect(traffic()).toEqual([`GET /${list}`]);
  });

  test(`one ${field} that is missing in the list is requested individually before it is null`, async () => {
    const { execute, traffic, sandbox } = fresh();
    sandbox.control.transform(new RegExp(`^/${list}$`), (body) => ({
      [list]: body[list].slice(1),
    }));
    const { data, errors } = await execute(byAlias([ids[0]!, ids[1]!, 'absent']));
    expect(errors).toBeUndefined();
    expect(idsIn(data)).toEqual([ids[0], ids[1], null]);
    expect(traffic()).toEqual([`GET /${list}`, `GET /${list}/${ids[0]}`, `GET /${list}/absent`]);
  });

  test(`a failed list of ${field} fails only the fields that need it`, async () => {
    const { execute, traffic, sandbox } = fresh();
    sandbox.control.fail(new RegExp(`^/${list}$`), { status: 503 });
    const { id } = calls[0]!;
    const { data, errors } = await execute(
      `{ call(id: "${id}") { id } ${byAlias([ids[0]!, ids[1]!]).slice(1)}`,
    );
    expect(data).toEqual({ call: { id }, _0: null, _1: null });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['_0'], 'UPSTREAM_UNAVAILABLE'],
      [['_1'], 'UPSTREAM_UNAVAILABLE'],
    ]);
    expect(traffic().sort()).toEqual([`GET /${list}`, `GET /call/${id}`].sort());
  });

  test(`one ${field} that fails individually does not affect those of the list`, async () => {
    const { execute, sandbox } = fresh();
    sandbox.control.fail(`/${list}/broken`, { status: 500 });
    const { data, errors } = await execute(byAlias([ids[0]!, 'broken', ids[1]!]));
    expect(idsIn(data)).toEqual([ids[0], null, ids[1]]);
    expect(errors).toMatchObject([{ path: ['_1'], extensions: { code: 'UPSTREAM_UNAVAILABLE' } }]);
  });
});

test('a failed list does not affect later requests of the same operation', async () => {
  const { execute, traffic, sandbox } = fresh();
  const [call] = callsOfCampaigns(1);
  // The response for the call is delayed until the list has failed.
  const held = Promise.withResolvers<void>();
  const onList = ({ path }: { readonly path: string }) => {
    if (path === '/campaigns') setImmediate(held.resolve);
    return false;
  };
  sandbox.control.delay(onList, held.promise);
  sandbox.control.fail(/^\/campaigns$/, { status: 503, times: 1 });
  sandbox.control.delay('/call/', held.promise);

  const { data, errors } = await execute(
    'query ($id: ID!) { campaigns { nodes { id } } call(id: $id) { campaign { status } } }',
    {
      id: call!.id,
    },
  );

  expect(data).toEqual({ campaigns: null, call: { campaign: { status: expect.any(String) } } });
  expect(errors).toMatchObject([
    { path: ['campaigns'], extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
  ]);
  expect(traffic()).toContain(`GET /campaigns/${call!.campaign!.id}`);
});

describe('calls(ids:)', () => {
  const QUERY = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';

  test('calls(ids:) keeps the order and duplicates of its ids and is null for unknown ids', async () => {
    const { execute, traffic } = fresh();
    const [a, b] = calls.map(({ id }) => id);
    const result = await execute(QUERY, { ids: [b, 'absent', a, b] });
    expect(result).toEqual({ data: { calls: [{ id: b }, null, { id: a }, { id: b }] } });
    expect(traffic()).toEqual([`GET /call/${b}`, 'GET /call/absent', `GET /call/${a}`]);
  });

  test('calls(ids:) accepts no ids and a hundred ids', async () => {
    const { execute, traffic } = fresh();
    expect(await execute(QUERY, { ids: [] })).toEqual({ data: { calls: [] } });
    expect(traffic()).toEqual([]);
    const ids = calls.slice(0, 100).map(({ id }) => id);
    expect((await execute(QUERY, { ids })).data.calls).toEqual(ids.map((id) => ({ id })));
    expect(traffic()).toHaveLength(100);
  });

  test.each(['calls', 'nodes'])(
    'a list of a hundred and one ids is rejected before any request (%s)',
    async (field) => {
      const { execute, traffic } = fresh();
      const { errors } = await execute(
        `query ($ids: [ID!]!) { ${field}(ids: $ids) { __typename } }`,
        {
          ids: Array(101).fill('x'),
        },
      );
      expect(errors).toMatchObject([
        {
          extensions: { code: 'OPERATION_TOO_COMPLEX', limit: 100, measured: 101 },
          message: expect.stringContaining('at most 100'),
        },
      ]);
      expect(traffic()).toEqual([]);
    },
  );

  test('calls(ids:) is null with an error for a call that fails', async () => {
    const { execute, sandbox } = fresh();
    const ids = calls.slice(0, 3).map(({ id }) => id);
    sandbox.control.fail(`/call/${ids[1]}`, { status: 500 });
    const { data, errors } = await execute(QUERY, { ids });
    expect(data.calls).toEqual([{ id: ids[0] }, null, { id: ids[2] }]);
    expect(errors).toMatchObject([
      { path: ['calls', 1], extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
    ]);
  });

  test('calls(ids:) uses REVOX_MAX_CONCURRENCY concurrent requests and never more', async () => {
    const { sandbox, execute } = createTestGateway({
      settings: { ...NO_CACHE, REVOX_MAX_CONCURRENCY: '7' },
    });
    const ids = calls.slice(0, 50).map(({ id }) => id);
    const full = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    let arrived = 0;
    sandbox.control.delay(() => {
      arrived += 1;
      if (arrived === 7) full.resolve();
      return true;
    }, held.promise);

    const pending = execute(QUERY, { ids });
    await full.promise;
    await new Promise(setImmediate);
    expect(sandbox.control.inFlight()).toBe(7);
    held.resolve();

    expect((await pending).data.calls).toEqual(ids.map((id) => ({ id })));
    expect(sandbox.control.maxInFlight()).toBe(7);
    expect(arrived).toBe(50);
  });
});

test('the loader tests cause no unexpected error', () => {
  expect(gateway.unexpectedErrors).toEqual([]);
});
