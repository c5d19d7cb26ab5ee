import { describe, expect, test } from 'vitest';
import { subgraphSdl } from '#generated/type-definitions.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { taggedIn } from '../support/tagged-elements.ts';
import {
  createTestGateway,
  KEY_A,
  NO_CACHE,
  NO_RETRIES,
  type TestGateway,
} from '../support/test-gateway.ts';

// The operations that a router sends to a subgraph.

const ENTITIES = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
  __typename ... on Call { id status } ... on Assistant { id name } ... on Campaign { id name } ... on CallAttempt { id } } }`;

type Representation = { readonly __typename: string; readonly id: string };

const toRepresentations = (
  __typename: string,
  objects: readonly { readonly id: string }[],
): Representation[] => objects.map(({ id }) => ({ __typename, id }));

async function findEntities(gateway: TestGateway, representations: readonly unknown[]) {
  const result = await gateway.execute(ENTITIES, { representations });
  return { entities: result.data?._entities, errors: result.errors, traffic: gateway.traffic() };
}

function dataOf(gateway: TestGateway) {
  return gateway.sandbox.control.data(KEY_A);
}

describe('Upstream cost of entities', () => {
  test.each(['Call', 'Assistant', 'Campaign'] as const)(
    'fifty representations of %s cost no more upstream requests than a list of ids or one list request',
    async (type) => {
      const gateway = createTestGateway({ settings: NO_CACHE });
      const { calls, assistants, campaigns } = dataOf(gateway);
      const known = { Call: calls, Assistant: assistants, Campaign: campaigns }[type];
      const representations = toRepresentations(type, known).slice(0, 50);

      const { entities, errors, traffic } = await findEntities(gateway, representations);
      expect(errors).toBeUndefined();
      expect(entities).toMatchObject(representations);
      if (type !== 'Call') return expect(traffic).toEqual([`GET /${type.toLowerCase()}s`]);
      expect(representations).toHaveLength(50);
      await gateway.execute('query ($ids: [ID!]!) { calls(ids: $ids) { id status } }', {
        ids: representations.map(({ id }) => id),
      });
      expect(traffic).toEqual(gateway.traffic());
    },
  );

  test('representations of calls that campaign rows have cached cost no upstream request', async () => {
    const gateway = createTestGateway();
    const { largeCampaignId } = sampleIds(gateway.sandbox);
    const { data } = await gateway.execute(
      'query ($id: ID!) { campaign(id: $id) { rows(first: 20) { nodes { call { id } } } } }',
      {
        id: largeCampaignId,
      },
    );
    gateway.traffic();
    const calls = data.campaign.rows.nodes.flatMap(
      (row: { call: { id: string } | null }) => row.call ?? [],
    );
    const ended = calls.filter(
      ({ id }: { id: string }) =>
        dataOf(gateway).calls.find((call) => call.id === id)?.status === 'completed',
    );
    expect(ended.length).toBeGreaterThan(5);
    expect((await findEntities(gateway, toRepresentations('Call', ended))).traffic).toEqual([]);
  });
});

describe('List of representations', () => {
  test('an empty list of representations returns an empty list without upstream requests', async () => {
    const gateway = createTestGateway();
    expect(await findEntities(gateway, [])).toEqual({
      entities: [],
      errors: undefined,
      traffic: [],
    });
  });

  test('representations may mix types and repeat, and each object is requested once', async () => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const { calls, assistants, campaigns } = dataOf(gateway);
    const [call] = toRepresentations('Call', calls);
    const [assistant] = toRepresentations('Assistant', assistants);
    const [campaign] = toRepresentations('Campaign', campaigns);
    const representations = [call, assistant, call, campaign, assistant, call];
    const { entities, errors, traffic } = await findEntities(gateway, representations);
    expect(errors).toBeUndefined();
    expect(entities).toMatchObject(representations);
    expect(traffic.sort()).toEqual(
      [
        `GET /call/${call!.id}`,
        `GET /assistants/${assistant!.id}`,
        `GET /campaigns/${campaign!.id}`,
      ].sort(),
    );
  });

  test('a representation of an object that does not exist is null without an error', async () => {
    const gateway = createTestGateway();
    const [call] = toRepresentations('Call', dataOf(gateway).calls);
    const unknownCall = { __typename: 'Call', id: 'absent', status: 'COMPLETED' };
    // The id of a call is not the id of a campaign.
    const { entities, errors, traffic } = await findEntities(gateway, [
      unknownCall,
      call,
      { __typename: 'Campaign', id: call!.id },
    ]);
    expect(errors).toBeUndefined();
    expect(entities).toEqual([null, expect.objectContaining(call!), null]);
    expect(traffic.sort()).toEqual(
      [`GET /call/${call!.id}`, 'GET /call/absent', `GET /campaigns/${call!.id}`].sort(),
    );
  });

  test('a failed entity has an error at its own path, and the other entities are returned', async () => {
    const gateway = createTestGateway({ settings: NO_RETRIES });
    const [broken, sound] = toRepresentations('Call', dataOf(gateway).calls);
    gateway.sandbox.control.fail(({ path }) => path.includes(broken!.id), { status: 500 });
    const { entities, errors, traffic } = await findEntities(gateway, [broken, sound]);
    expect(entities).toEqual([null, expect.objectContaining(sound!)]);
    expect(errors).toEqual([
      expect.objectContaining({
        path: ['_entities', 0],
        extensions: expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE' }),
      }),
    ]);
    expect(traffic).toHaveLength(2);
  });
});

describe('Invalid representation', () => {
  test.each<[string, unknown, RegExp]>([
    [
      'of a call attempt, which has no endpoint',
      { __typename: 'CallAttempt', id: 'a' },
      /no endpoint/,
    ],
    [
      'of a campaign row, which has no endpoint',
      { __typename: 'CampaignRow', id: 'a' },
      /A CampaignRow cannot be loaded by its id: .* no endpoint/,
    ],
    [
      'of a type that is not an entity',
      { __typename: 'Voice', id: 'a' },
      /one of Assistant, Call, Campaign/,
    ],
    [
      'of a type named like a property of Object.prototype',
      { __typename: 'constructor', id: 'a' },
      /one of Assistant, Call, Campaign/,
    ],
    ['without a type', { id: 'a' }, /one of Assistant, Call, Campaign/],
    ['without an id', { __typename: 'Call' }, /`id` of a representation of Call/],
    [
      'with an id that is null',
      { __typename: 'Call', id: null },
      /`id` of a representation of Call/,
    ],
    [
      'with an object for an id',
      { __typename: 'Assistant', id: { id: 'a' } },
      /`id` of a representation of Assistant/,
    ],
    ['with an empty id', { __typename: 'Call', id: '' }, /cannot be an id/],
    [
      'with an id that a URL parser would resolve away',
      { __typename: 'Campaign', id: '..' },
      /cannot be an id/,
    ],
    ['that is a string', 'Call:a', /must be an object/],
    ['that is a list', [{ __typename: 'Call', id: 'a' }], /must be an object/],
    ['that is a number', 5, /must be an object/],
  ])(
    'a representation %s is null with an error at its path',
    async (_, representation, message) => {
      const gateway = createTestGateway();
      const [call] = toRepresentations('Call', dataOf(gateway).calls);
      const { entities, errors, traffic } = await findEntities(gateway, [representation, call]);
      expect(entities).toEqual([null, expect.objectContaining(call!)]);
      expect(errors).toEqual([
        expect.objectContaining({
          message: expect.stringMatching(message),
          path: ['_entities', 0],
          extensions: { code: 'BAD_USER_INPUT' },
        }),
      ]);
      expect(traffic).toEqual([`GET /call/${call!.id}`]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('an integer is a valid id of a representation', async () => {
    const gateway = createTestGateway();
    expect(await findEntities(gateway, [{ __typename: 'Call', id: 17 }])).toEqual({
      entities: [null],
      errors: undefined,
      traffic: ['GET /call/17'],
    });
  });
});

describe('Subgraph SDL', () => {
  test('_service returns the SDL of the subgraph without an upstream request', async () => {
    const gateway = createTestGateway();
    const { data } = await gateway.execute('{ _service { sdl } }');
    expect(data._service.sdl).toBe(subgraphSdl);
    expect(gateway.traffic()).toEqual([]);
  });

  test('the SDL tags exactly the fields and arguments with personal data as pii', () => {
    expect(taggedIn(subgraphSdl, 'pii')).toEqual([
      'Call.fromPhoneNumber',
      'Call.metadata',
      'Call.toPhoneNumber',
      'CallAttempt.phoneNumber',
      'CallAttempt.recordingUrl',
      'CallAttempt.structuredOutput',
      'CallAttempt.transcript',
      'Campaign.rows(query)',
      'CampaignRow.inputData',
      'CampaignRow.phoneNumber',
      'TranscriptMessage.content',
      'TranscriptMessage.toolArguments',
    ]);
  });

  test('the SDL tags exactly the settings of an assistant that are for the organization as internal', () => {
    expect(taggedIn(subgraphSdl, 'internal')).toEqual([
      'Assistant.calendly',
      'Assistant.faqItems',
      'Assistant.prompt',
      'Assistant.transferPhoneNumber',
      'Assistant.webhookUrl',
    ]);
  });

  test('the SDL has a key on exactly the types of _Entity, resolvable where the upstream has an endpoint', async () => {
    const keys = Array.from(
      subgraphSdl.matchAll(/^type (\w+) @key\(fields: "id"(, resolvable: false)?\)/gm),
      ([, name, isUnresolvable]) => `${name}${isUnresolvable ? ' unresolvable' : ''}`,
    ).sort();
    expect(keys).toEqual([
      'Assistant',
      'Call',
      'CallAttempt unresolvable',
      'Campaign',
      'CampaignRow unresolvable',
    ]);
    const gateway = createTestGateway();
    const { data } = await gateway.execute(
      '{ __type(name: "_Entity") { possibleTypes { name } } }',
    );
    expect(data.__type.possibleTypes.map(({ name }: { name: string }) => name).sort()).toEqual(
      keys.map((key) => key.split(' ')[0]),
    );
    expect(gateway.traffic()).toEqual([]);
  });

  test('the SDL does not contain Node, and the served schema does', async () => {
    expect(subgraphSdl).not.toMatch(/\bNode\b[^`]*\{|\bnodes?\(/);
    const gateway = createTestGateway();
    const { data } = await gateway.execute('{ __type(name: "Node") { possibleTypes { name } } }');
    expect(data.__type.possibleTypes.map(({ name }: { name: string }) => name).sort()).toEqual([
      'Assistant',
      'Call',
      'Campaign',
    ]);
    expect(gateway.traffic()).toEqual([]);
  });
});
