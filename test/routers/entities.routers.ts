import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { writeDocuments } from '../support/document-files.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { toNotes, toOwner, toRating } from './contacts-subgraph.ts';
import { expectRouters, hasRouters } from './installed.ts';
import { ROUTER_SECRET, ROUTERS } from './router-process.ts';
import { askAt, type GatewayBehindRouter, type Supergraph, startSupergraph } from './supergraph.ts';

expectRouters();

const FIFTY = '{ contacts(first: 50) { nodes { name calls { id status toPhoneNumber notes } } } }';

const dataOf = ({ sandbox }: GatewayBehindRouter) => sandbox.control.data(KEY_A);

describe.skipIf(!hasRouters).each(ROUTERS)('Through $name', (kind) => {
  let supergraph: Supergraph;
  beforeAll(async () => {
    supergraph = await startSupergraph(kind);
  });
  afterAll(() => supergraph?.[Symbol.asyncDispose]());

  /** Fifty contacts, each with a call of its own, which is over; one of five assistants looks after each. */
  function writeDown(world: GatewayBehindRouter) {
    const { calls, assistants } = dataOf(world);
    const over = calls.filter(({ status }) => status === 'completed').slice(0, 50);
    supergraph.contacts.contacts = over.map((call, index) => ({
      phoneNumber: `+${index}`,
      name: `Contact ${index}`,
      callIds: [call.id],
      assistantId: assistants[index % 5]!.id,
    }));
    expect(supergraph.contacts.contacts).toHaveLength(50);
    return over;
  }

  /** One contact with these calls. */
  function writeDownCalls(callIds: readonly string[]) {
    supergraph.contacts.contacts = [{ phoneNumber: '+1', name: 'Somebody', callIds }];
  }

  describe('fifty calls that another subgraph knows', () => {
    test('come as one request, and cost what a list of their ids costs; nothing while they are remembered', async () => {
      await using world = await supergraph.serveGateway();
      const calls = writeDown(world);
      const found = calls.map(({ id, to_phone_number }, index) => ({
        name: `Contact ${index}`,
        calls: [{ id, status: 'COMPLETED', toPhoneNumber: to_phone_number, notes: toNotes(id) }],
      }));
      expect(await supergraph.ask(FIFTY)).toEqual({ data: { contacts: { nodes: found } } });
      const traffic = world.traffic();
      expect(traffic.toSorted()).toEqual(calls.map(({ id }) => `GET /call/${id}`).sort());
      const [request, ...others] = supergraph.recorder.requests();
      expect(others).toEqual([]);
      expect(request?.query).toContain('_entities(');
      expect(request?.variables?.representations).toEqual(
        calls.map(({ id }) => ({ __typename: 'Call', id })),
      );

      expect(await supergraph.ask(FIFTY)).toEqual({ data: { contacts: { nodes: found } } });
      expect(supergraph.recorder.requests()).toHaveLength(1);
      expect(world.traffic()).toEqual([]);

      await using other = await supergraph.serveGateway();
      await askAt(
        other.url,
        'query ($ids: [ID!]!) { calls(ids: $ids) { status toPhoneNumber } }',
        { ids: calls.map(({ id }) => id) },
        { 'router-authorization': ROUTER_SECRET },
      );
      expect(other.traffic().sort()).toEqual(traffic.sort());
    });

    test('and what they ask of five assistants cost one list', async () => {
      await using world = await supergraph.serveGateway();
      writeDown(world);
      const { data, errors } = await supergraph.ask(
        '{ contacts(first: 50) { nodes { assistant { id name owner } } } }',
      );
      expect(errors).toBeUndefined();
      const assistants = dataOf(world).assistants.slice(0, 5);
      expect(data.contacts.nodes).toEqual(
        Array.from({ length: 50 }, (_, index) => {
          const { id, name } = assistants[index % 5]!;
          return { assistant: { id, name, owner: toOwner(id) } };
        }),
      );
      expect(supergraph.recorder.requests()).toHaveLength(1);
      expect(world.traffic()).toEqual(['GET /assistants']);
    });

    test('and more than one operation may cost: those over it are null, with the code', async () => {
      await using world = await supergraph.serveGateway({ MAX_UPSTREAM_REQUESTS: '30' });
      writeDown(world);
      const { data, errors } = await supergraph.ask(FIFTY);
      const calls: { status: string | null }[] = data.contacts.nodes.flatMap(
        (node: { calls: unknown[] }) => node.calls,
      );
      expect(calls.filter(({ status }) => status !== null)).toHaveLength(30);
      expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
        new Set(['UPSTREAM_BUDGET_EXCEEDED']),
      );
      expect(world.traffic()).toHaveLength(30);
    });
  });

  test('a thousand references pass in one request; of a thousand and one, none does', async () => {
    await using world = await supergraph.serveGateway({ MAX_UPSTREAM_REQUESTS: '1000' });
    const ids = Array.from({ length: 1_001 }, (_, index) => `nobody-${index}`);
    const query =
      '{ contacts { nodes { calls { status toPhoneNumber lastCallAttempt { status result rating } } } } }';
    writeDownCalls(ids.slice(1));
    expect((await supergraph.ask(query)).errors).toBeUndefined();
    expect(supergraph.recorder.requests()[0]?.variables?.representations).toHaveLength(1_000);
    expect(world.traffic()).toHaveLength(1_000);

    writeDownCalls(ids);
    const { errors } = await supergraph.ask(query);
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
      new Set(['OPERATION_TOO_COMPLEX']),
    );
    expect(world.traffic()).toEqual([]);
  });

  describe('what the gateway serves leads on to the other subgraph', () => {
    test('from attempts, which nobody can ask the gateway for', async () => {
      await using world = await supergraph.serveGateway();
      const { data, errors } = await supergraph.ask(
        '{ callAttempts(first: 5) { nodes { id status rating } } }',
      );
      expect(errors).toBeUndefined();
      const attempts = dataOf(world).attempts.slice(0, 5);
      expect(data.callAttempts.nodes).toMatchObject(
        attempts.map(({ id }) => ({ id, rating: toRating(id) })),
      );
      expect(supergraph.recorder.requests()).toHaveLength(1);
      expect(world.traffic()).toEqual(['GET /call?page=1&page_size=50']);
    });

    test('from a call, with its number to the contact, and on to the call after it', async () => {
      await using world = await supergraph.serveGateway();
      const { richCallId: id } = sampleIds(world.sandbox);
      const [call, next] = [
        dataOf(world).calls.find((one) => one.id === id)!,
        writeDown(world)[0]!,
      ];
      supergraph.contacts.contacts = [
        { phoneNumber: call.to_phone_number, name: 'Somebody', callIds: [] },
      ];
      supergraph.contacts.followUps = new Map([[id, next.id]]);
      const { data, errors } = await supergraph.ask(
        'query ($id: ID!) { call(id: $id) { notes contact { name } assistant { name owner } followUp { id status notes } } }',
        { id },
      );
      expect(errors).toBeUndefined();
      expect(data.call).toEqual({
        notes: toNotes(id),
        contact: { name: 'Somebody' },
        assistant: { name: call.assistant!.name, owner: toOwner(call.assistant!.id) },
        followUp: { id: next.id, status: 'COMPLETED', notes: toNotes(next.id) },
      });
      // A call is known to have an assistant of its own making: that one comes with it.
      expect(world.traffic()).toEqual([`GET /call/${id}`, `GET /call/${next.id}`]);
    });

    test('from the rows of a campaign, page by page, beside a list of the other', async () => {
      await using world = await supergraph.serveGateway();
      writeDown(world);
      const { largeCampaignId: id } = sampleIds(world.sandbox);
      const walk = `query ($id: ID!, $after: String, $contact: String) {
        campaign(id: $id) { name rows(first: 10, after: $after) {
          totalCount pageInfo { hasNextPage endCursor } nodes { rowIndex call { id notes } } } }
        contacts(first: 2, after: $contact) { pageInfo { hasNextPage endCursor } nodes { name } } }`;
      const first = await supergraph.ask(walk, { id });
      const { rows } = first.data.campaign;
      const second = await supergraph.ask(walk, {
        id,
        after: rows.pageInfo.endCursor,
        contact: first.data.contacts.pageInfo.endCursor,
      });
      expect([first.errors, second.errors]).toEqual([undefined, undefined]);
      const walked = [...rows.nodes, ...second.data.campaign.rows.nodes];
      expect(walked).toEqual(
        dataOf(world)
          .rows[id]!.slice(0, 20)
          .map(({ row_index, call }) => ({
            rowIndex: row_index,
            call: call ? { id: call.id, notes: toNotes(call.id) } : null,
          })),
      );
      expect(rows).toMatchObject({ totalCount: 500, pageInfo: { hasNextPage: true } });
      expect(second.data.contacts.nodes).toEqual([{ name: 'Contact 2' }, { name: 'Contact 3' }]);
      expect(world.traffic()).toEqual([
        `GET /campaigns/${id}`,
        `GET /campaigns/${id}/rows?page=1&page_size=50`,
      ]);
    });
  });

  describe('of calls that another subgraph has written down', () => {
    test('one that does not exist has nothing but what is said of it there, without an error', async () => {
      await using world = await supergraph.serveGateway();
      const [call] = dataOf(world).calls;
      writeDownCalls(['nobody', call!.id]);
      const { data, errors } = await supergraph.ask(
        '{ contacts { nodes { calls { id toPhoneNumber notes } } } }',
      );
      expect(errors).toBeUndefined();
      expect(data.contacts.nodes[0].calls).toEqual([
        { id: 'nobody', toPhoneNumber: null, notes: toNotes('nobody') },
        { id: call!.id, toPhoneNumber: call!.to_phone_number, notes: toNotes(call!.id) },
      ]);
      expect(world.traffic().sort()).toEqual(['GET /call/nobody', `GET /call/${call!.id}`].sort());
    });

    test('one that fails is null with the code, and all others are there', async () => {
      await using world = await supergraph.serveGateway();
      const [broken, sound] = dataOf(world).calls;
      writeDownCalls([broken!.id, sound!.id]);
      world.sandbox.control.fail(({ path }) => path.includes(broken!.id), { status: 500 });
      const { data, errors } = await supergraph.ask(
        '{ contacts { nodes { calls { toPhoneNumber notes } } } }',
      );
      expect(data.contacts.nodes[0].calls).toEqual([
        { toPhoneNumber: null, notes: toNotes(broken!.id) },
        { toPhoneNumber: sound!.to_phone_number, notes: toNotes(sound!.id) },
      ]);
      expect(errors?.map(({ extensions, message }) => [extensions.code, message])).toEqual([
        ['UPSTREAM_UNAVAILABLE', expect.stringContaining('The Revox API cannot be reached')],
      ]);
      expect(new Set(world.traffic())).toEqual(
        new Set([`GET /call/${broken!.id}`, `GET /call/${sound!.id}`]),
      );
    });

    test('one that does not exist is null where a field of it may not be: the list stays, for its items may be null', async () => {
      await using world = await supergraph.serveGateway();
      const [call] = dataOf(world).calls;
      writeDownCalls(['nobody', call!.id]);
      const { data } = await supergraph.ask(
        '{ contacts { nodes { name calls { id callAttempts { id } } } } }',
      );
      expect(data.contacts.nodes[0]).toEqual({
        name: 'Somebody',
        calls: [null, expect.objectContaining({ id: call!.id })],
      });
      expect(world.traffic().sort()).toEqual(['GET /call/nobody', `GET /call/${call!.id}`].sort());
    });
  });

  test('a router with a wrong secret gets nothing, and the upstream is not asked', async () => {
    await using world = await supergraph.serveGateway({ ROUTER_SECRETS: 'another-secret' });
    writeDown(world);
    const { data, errors } = await supergraph.ask(
      '{ contacts(first: 2) { nodes { name calls { notes status } } } }',
    );
    expect(data.contacts.nodes).toEqual(
      supergraph.contacts.contacts.slice(0, 2).map(({ name, callIds: [id] }) => ({
        name,
        calls: [{ notes: toNotes(id!), status: null }],
      })),
    );
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
      new Set(['UNAUTHENTICATED']),
    );
    expect(supergraph.recorder.requests()).toMatchObject([
      { status: 401, headers: { 'router-authorization': ROUTER_SECRET } },
    ]);
    expect(world.traffic()).toEqual([]);
  });

  test('a gateway that executes only trusted documents trusts a router with entities, and with nothing else', async () => {
    const documents = writeDocuments({ 'Assistants.graphql': '{ assistants { nodes { id } } }' });
    await using world = await supergraph.serveGateway({
      TRUSTED_DOCUMENTS: documents,
      TRUSTED_DOCUMENTS_ONLY: 'on',
    });
    writeDown(world);
    const { data, errors } = await supergraph.ask(
      '{ contacts(first: 2) { nodes { calls { status } } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.contacts.nodes).toEqual(
      Array.from({ length: 2 }, () => ({ calls: [{ status: 'COMPLETED' }] })),
    );
    expect(world.traffic()).toHaveLength(2);

    const refused = await supergraph.ask('{ callAttempts { nodes { id } } }');
    expect(refused.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    expect(world.traffic()).toEqual([]);
  });
});

describe.skipIf(!hasRouters)('A router that asks for federated traces', () => {
  const apollo = ROUTERS.filter(({ name }) => name === 'Apollo Gateway');

  test.each(apollo)('is given them, and $name reads them', async (kind) => {
    await using supergraph = await startSupergraph(kind);
    await using world = await supergraph.serveGateway();
    const [call] = dataOf(world).calls.filter(({ status }) => status === 'completed');
    supergraph.contacts.contacts = [{ phoneNumber: '+1', name: 'Somebody', callIds: [call!.id] }];
    const query = '{ contacts(first: 1) { nodes { calls { id toPhoneNumber } } } }';
    const { data, errors, extensions } = await supergraph.ask(query, {}, { 'x-trace': '1' });
    expect(errors).toBeUndefined();
    expect(data.contacts.nodes[0].calls[0]).toEqual({
      id: call!.id,
      toPhoneNumber: call!.to_phone_number,
    });
    const [ours] = tracesOf(extensions.queryPlanTrace).filter(
      ({ serviceName }) => serviceName === 'revox',
    );
    expect(ours).toMatchObject({ traceParsingFailed: false, serviceName: 'revox' });
    expect(JSON.stringify(ours)).toContain('"responseName":"toPhoneNumber"');
    expect(JSON.stringify(ours)).not.toContain(call!.to_phone_number);
    expect(supergraph.recorder.requests()[0]?.headers['apollo-federation-include-trace']).toBe(
      'ftv1',
    );
    expect(world.traffic()).toEqual([`GET /call/${call!.id}`]);
  });
});

interface FetchTrace {
  readonly serviceName: string;
  readonly traceParsingFailed: boolean;
}

/** Of every subgraph that was asked, wherever it stands in the plan. */
function tracesOf(plan: unknown): FetchTrace[] {
  if (typeof plan !== 'object' || plan === null) return [];
  const inner = Object.values(plan).flatMap(tracesOf);
  return 'serviceName' in plan ? [plan as FetchTrace, ...inner] : inner;
}
