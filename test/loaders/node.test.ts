import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, KEY_B, NO_CACHE } from '../support/test-gateway.ts';
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

describe('node', () => {
  const QUERY = 'query ($id: ID!) { node(id: $id) { __typename id } }';
  const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }';
  const KINDS = [
    { type: 'Call', path: 'call', id: calls[7]!.id, unseen: 1 },
    { type: 'Assistant', path: 'assistants', id: assistantIds[7]!, unseen: 2 },
    { type: 'Campaign', path: 'campaigns', id: campaignIds[7]!, unseen: 3 },
  ];

  test.each(KINDS)(
    'node finds an unknown $type in $unseen requests, and in one request from then on',
    async ({ type, path, id, unseen }) => {
      const { execute, traffic } = createTestGateway({ settings: NO_CACHE });
      const paths = ['call', 'assistants', 'campaigns'].map((name) => `GET /${name}/${id}`);

      expect(await execute(QUERY, { id })).toEqual({ data: { node: { __typename: type, id } } });
      expect(traffic()).toEqual(paths.slice(0, unseen));

      expect(await execute(QUERY, { id })).toEqual({ data: { node: { __typename: type, id } } });
      expect(traffic()).toEqual([`GET /${path}/${id}`]);
    },
  );

  test('node knows the types of all objects in previous responses, including embedded ones', async () => {
    const { execute, traffic } = createTestGateway({ settings: NO_CACHE });
    const [call] = callsOfCampaigns(1);
    await execute('query ($id: ID!) { call(id: $id) { id } }', { id: call!.id });
    await execute('{ assistants { totalCount } campaigns { totalCount } }');
    const campaign = campaigns.find(({ id }) => rows[id]!.some((row) => row.call))!;
    await execute('query ($id: ID!) { campaign(id: $id) { rows(first: 50) { nodes { id } } } }', {
      id: campaign.id,
    });
    traffic();

    const inRow = rows[campaign.id]!.find((row) => row.call)!.call!;
    for (const id of [
      call!.id,
      call!.assistant!.id,
      call!.campaign!.id,
      assistantIds[9],
      campaignIds[6],
      inRow.id,
    ]) {
      expect((await execute(QUERY, { id })).data.node.id).toBe(id);
      expect(traffic()).toHaveLength(1);
    }
  });

  test('node is null for an unknown id after three requests', async () => {
    const { execute, traffic } = fresh();
    expect(await execute(QUERY, { id: 'absent' })).toEqual({ data: { node: null } });
    expect(traffic()).toEqual([
      'GET /call/absent',
      'GET /assistants/absent',
      'GET /campaigns/absent',
    ]);
  });

  test.each(KINDS)(
    'node is an error and not just null when the lookup in $path fails',
    async ({ path }) => {
      const { execute, sandbox } = fresh();
      sandbox.control.fail(`/${path}/`, { status: 500 });
      const { data, errors } = await execute(QUERY, { id: 'absent-yet' });
      expect(data).toEqual({ node: null });
      expect(errors).toMatchObject([
        { path: ['node'], extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
      ]);
    },
  );

  test('nodes keeps the order of its ids and costs one list request per known type', async () => {
    const { execute, traffic } = createTestGateway({ settings: NO_CACHE });
    await execute('{ assistants { totalCount } campaigns { totalCount } }');
    traffic();
    const ids = [campaignIds[2], assistantIds[1], campaignIds[0], assistantIds[3], campaignIds[2]];
    const { data, errors } = await execute(NODES, { ids });
    expect(errors).toBeUndefined();
    expect(
      data.nodes.map(({ __typename, id }: { __typename: string; id: string }) => [__typename, id]),
    ).toEqual([
      ['Campaign', ids[0]],
      ['Assistant', ids[1]],
      ['Campaign', ids[2]],
      ['Assistant', ids[3]],
      ['Campaign', ids[4]],
    ]);
    expect(traffic().sort()).toEqual(['GET /assistants', 'GET /campaigns']);
  });

  test('nodes is null with an error for an object that fails', async () => {
    const { execute, sandbox } = fresh();
    sandbox.control.fail('/call/broken', { status: 500 });
    const { data, errors } = await execute(NODES, { ids: ['broken', calls[1]!.id] });
    expect(data.nodes).toEqual([null, { __typename: 'Call', id: calls[1]!.id }]);
    expect(errors).toMatchObject([
      { path: ['nodes', 0], extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
    ]);
  });

  test('node does not use the types that another credential has seen', async () => {
    const { execute, traffic, sandbox } = createTestGateway({
      settings: { ...NO_CACHE, REVOX_API_KEY: '' },
    });
    const asA = { authorization: `Bearer ${KEY_A}` };
    const asB = { authorization: `Bearer ${KEY_B}` };
    const ofA = campaignIds[1]!;
    const ofB = sandbox.control.data(KEY_B).campaigns[0]!.id;
    const everywhere = (id: string) =>
      ['call', 'assistants', 'campaigns'].map((path) => `GET /${path}/${id}`);

    await execute('{ campaigns { totalCount } }', {}, asA);
    traffic();

    expect((await execute(QUERY, { id: ofA }, asB)).data).toEqual({ node: null });
    expect(traffic()).toEqual(everywhere(ofA));
    expect((await execute(QUERY, { id: ofB }, asB)).data).toEqual({
      node: { __typename: 'Campaign', id: ofB },
    });
    expect(traffic()).toEqual(everywhere(ofB));
    // The lookups of B do not affect what A knows.
    expect((await execute(QUERY, { id: ofA }, asA)).data).toEqual({
      node: { __typename: 'Campaign', id: ofA },
    });
    expect(traffic()).toEqual([`GET /campaigns/${ofA}`]);
  });
});

test('the tests of node cause no unexpected error', () => {
  expect(gateway.unexpectedErrors).toEqual([]);
});
