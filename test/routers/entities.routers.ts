import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { writeDocuments } from '../support/document-files.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { toNotes, toOwner, toPriority, toRating } from './contacts-subgraph.ts';
import { expectRouters, hasRouters } from './installed.ts';
import { ROUTER_SECRET, ROUTERS } from './router-process.ts';
import {
  executeAt,
  type GatewayBehindRouter,
  type Supergraph,
  startSupergraph,
} from './supergraph.ts';

expectRouters();

const FIFTY = '{ contacts(first: 50) { nodes { name calls { id status toPhoneNumber notes } } } }';

const dataOf = ({ sandbox }: GatewayBehindRouter) => sandbox.control.data(KEY_A);

describe.skipIf(!hasRouters).each(ROUTERS)('Entities through $name', (kind) => {
  let supergraph: Supergraph;
  beforeAll(async () => {
    supergraph = await startSupergraph(kind);
  });
  afterAll(() => supergraph?.[Symbol.asyncDispose]());

  /** Creates fifty contacts. Each has one completed call and one of five assistants. */
  function recordContacts(gateway: GatewayBehindRouter) {
    const { calls, assistants } = dataOf(gateway);
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

  /** Creates one contact with these calls. */
  function recordCalls(callIds: readonly string[]) {
    supergraph.contacts.contacts = [{ phoneNumber: '+1', name: 'Ann', callIds }];
  }

  describe('fifty calls of another subgraph', () => {
    test('a router fetches fifty calls in one request, at the upstream cost of one list of ids, and without cost while they are cached', async () => {
      await using gateway = await supergraph.serveGateway();
      const calls = recordContacts(gateway);
      const found = calls.map(({ id, to_phone_number }, index) => ({
        name: `Contact ${index}`,
        calls: [{ id, status: 'COMPLETED', toPhoneNumber: to_phone_number, notes: toNotes(id) }],
      }));
      expect(await supergraph.execute(FIFTY)).toEqual({ data: { contacts: { nodes: found } } });
      const traffic = gateway.traffic();
      expect(traffic.toSorted()).toEqual(calls.map(({ id }) => `GET /call/${id}`).sort());
      const [request, ...others] = supergraph.recorder.requests();
      expect(others).toEqual([]);
      expect(request?.query).toContain('_entities(');
      expect(request?.variables?.representations).toEqual(
        calls.map(({ id }) => ({ __typename: 'Call', id })),
      );

      expect(await supergraph.execute(FIFTY)).toEqual({ data: { contacts: { nodes: found } } });
      expect(supergraph.recorder.requests()).toHaveLength(1);
      expect(gateway.traffic()).toEqual([]);

      await using other = await supergraph.serveGateway();
      await executeAt(
        other.url,
        'query ($ids: [ID!]!) { calls(ids: $ids) { status toPhoneNumber } }',
        { ids: calls.map(({ id }) => id) },
        { 'router-authorization': ROUTER_SECRET },
      );
      expect(other.traffic().sort()).toEqual(traffic.sort());
    });

    test('the five assistants of fifty contacts cost one upstream request', async () => {
      await using gateway = await supergraph.serveGateway();
      recordContacts(gateway);
      const { data, errors } = await supergraph.execute(
        '{ contacts(first: 50) { nodes { assistant { id name owner } } } }',
      );
      expect(errors).toBeUndefined();
      const assistants = dataOf(gateway).assistants.slice(0, 5);
      expect(data.contacts.nodes).toEqual(
        Array.from({ length: 50 }, (_, index) => {
          const { id, name } = assistants[index % 5]!;
          return { assistant: { id, name, owner: toOwner(id) } };
        }),
      );
      expect(supergraph.recorder.requests()).toHaveLength(1);
      expect(gateway.traffic()).toEqual(['GET /assistants']);
    });

    test('calls above the upstream budget are null with UPSTREAM_BUDGET_EXCEEDED', async () => {
      await using gateway = await supergraph.serveGateway({ MAX_UPSTREAM_REQUESTS: '30' });
      recordContacts(gateway);
      const { data, errors } = await supergraph.execute(FIFTY);
      const calls: { status: string | null }[] = data.contacts.nodes.flatMap(
        (node: { calls: unknown[] }) => node.calls,
      );
      expect(calls.filter(({ status }) => status !== null)).toHaveLength(30);
      expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
        new Set(['UPSTREAM_BUDGET_EXCEEDED']),
      );
      expect(gateway.traffic()).toHaveLength(30);
    });
  });

  test('a router request with a thousand representations succeeds, and one with a thousand and one is rejected', async () => {
    await using gateway = await supergraph.serveGateway({ MAX_UPSTREAM_REQUESTS: '1000' });
    const ids = Array.from({ length: 1_001 }, (_, index) => `absent-${index}`);
    const query =
      '{ contacts { nodes { calls { status toPhoneNumber lastCallAttempt { status result rating } } } } }';
    recordCalls(ids.slice(1));
    expect((await supergraph.execute(query)).errors).toBeUndefined();
    expect(supergraph.recorder.requests()[0]?.variables?.representations).toHaveLength(1_000);
    expect(gateway.traffic()).toHaveLength(1_000);

    recordCalls(ids);
    const { errors } = await supergraph.execute(query);
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
      new Set(['OPERATION_TOO_COMPLEX']),
    );
    expect(gateway.traffic()).toEqual([]);
  });

  describe('references from the gateway to another subgraph', () => {
    test('call attempts, which the gateway cannot look up by id, have fields of another subgraph', async () => {
      await using gateway = await supergraph.serveGateway();
      const { data, errors } = await supergraph.execute(
        '{ callAttempts(first: 5) { nodes { id status rating } } }',
      );
      expect(errors).toBeUndefined();
      const attempts = dataOf(gateway).attempts.slice(0, 5);
      expect(data.callAttempts.nodes).toMatchObject(
        attempts.map(({ id }) => ({ id, rating: toRating(id) })),
      );
      expect(supergraph.recorder.requests()).toHaveLength(1);
      expect(gateway.traffic()).toEqual(['GET /call?page=1&page_size=50']);
    });

    test('campaign rows, which the gateway cannot look up by id, have fields of another subgraph', async () => {
      await using gateway = await supergraph.serveGateway();
      const { campaigns, rows } = dataOf(gateway);
      const { id } = campaigns.find((campaign) => rows[campaign.id]!.length > 5)!;
      const { data, errors } = await supergraph.execute(
        'query ($id: ID!) { campaign(id: $id) { rows(first: 5) { nodes { id rowIndex priority } } } }',
        { id },
      );
      expect(errors).toBeUndefined();
      expect(data.campaign.rows.nodes).toEqual(
        rows[id]!.slice(0, 5).map((row) => ({
          id: row.id,
          rowIndex: row.row_index,
          priority: toPriority(row.id),
        })),
      );
      expect(supergraph.recorder.requests()).toHaveLength(1);
      expect(gateway.traffic()).toEqual([
        `GET /campaigns/${id}`,
        `GET /campaigns/${id}/rows?page=1&page_size=50`,
      ]);
    });

    test('a call leads to its contact by phone number, and to its follow-up call', async () => {
      await using gateway = await supergraph.serveGateway();
      const { richCallId: id } = sampleIds(gateway.sandbox);
      const [call, next] = [
        dataOf(gateway).calls.find((one) => one.id === id)!,
        recordContacts(gateway)[0]!,
      ];
      supergraph.contacts.contacts = [
        { phoneNumber: call.to_phone_number, name: 'Ann', callIds: [] },
      ];
      supergraph.contacts.followUps = new Map([[id, next.id]]);
      const { data, errors } = await supergraph.execute(
        'query ($id: ID!) { call(id: $id) { notes contact { name } assistant { name owner } followUp { id status notes } } }',
        { id },
      );
      expect(errors).toBeUndefined();
      expect(data.call).toEqual({
        notes: toNotes(id),
        contact: { name: 'Ann' },
        assistant: { name: call.assistant!.name, owner: toOwner(call.assistant!.id) },
        followUp: { id: next.id, status: 'COMPLETED', notes: toNotes(next.id) },
      });
      // The response of a call embeds its assistant, so the assistant costs no request.
      expect(gateway.traffic()).toEqual([`GET /call/${id}`, `GET /call/${next.id}`]);
    });

    test("pages of campaign rows and pages of another subgraph's list are read in one operation", async () => {
      await using gateway = await supergraph.serveGateway();
      recordContacts(gateway);
      const { largeCampaignId: id } = sampleIds(gateway.sandbox);
      const walk = `query ($id: ID!, $after: String, $contact: String) {
        campaign(id: $id) { name rows(first: 10, after: $after) {
          totalCount pageInfo { hasNextPage endCursor } nodes { rowIndex call { id notes } } } }
        contacts(first: 2, after: $contact) { pageInfo { hasNextPage endCursor } nodes { name } } }`;
      const first = await supergraph.execute(walk, { id });
      const { rows } = first.data.campaign;
      const second = await supergraph.execute(walk, {
        id,
        after: rows.pageInfo.endCursor,
        contact: first.data.contacts.pageInfo.endCursor,
      });
      expect([first.errors, second.errors]).toEqual([undefined, undefined]);
      const walked = [...rows.nodes, ...second.data.campaign.rows.nodes];
      expect(walked).toEqual(
        dataOf(gateway)
          .rows[id]!.slice(0, 20)
          .map(({ row_index, call }) => ({
            rowIndex: row_index,
            call: call ? { id: call.id, notes: toNotes(call.id) } : null,
          })),
      );
      expect(rows).toMatchObject({ totalCount: 500, pageInfo: { hasNextPage: true } });
      expect(second.data.contacts.nodes).toEqual([{ name: 'Contact 2' }, { name: 'Contact 3' }]);
      expect(gateway.traffic()).toEqual([
        `GET /campaigns/${id}`,
        `GET /campaigns/${id}/rows?page=1&page_size=50`,
      ]);
    });
  });

  describe('calls that only another subgraph stores', () => {
    test('a call that does not exist has only the fields of the other subgraph, without an error', async () => {
      await using gateway = await supergraph.serveGateway();
      const [call] = dataOf(gateway).calls;
      recordCalls(['absent', call!.id]);
      const { data, errors } = await supergraph.execute(
        '{ contacts { nodes { calls { id toPhoneNumber notes } } } }',
      );
      expect(errors).toBeUndefined();
      expect(data.contacts.nodes[0].calls).toEqual([
        { id: 'absent', toPhoneNumber: null, notes: toNotes('absent') },
        { id: call!.id, toPhoneNumber: call!.to_phone_number, notes: toNotes(call!.id) },
      ]);
      expect(gateway.traffic().sort()).toEqual(
        ['GET /call/absent', `GET /call/${call!.id}`].sort(),
      );
    });

    test("a call that fails is null with the upstream's error code, and the other calls are complete", async () => {
      await using gateway = await supergraph.serveGateway();
      const [broken, sound] = dataOf(gateway).calls;
      recordCalls([broken!.id, sound!.id]);
      gateway.sandbox.control.fail(({ path }) => path.includes(broken!.id), { status: 500 });
      const { data, errors } = await supergraph.execute(
        '{ contacts { nodes { calls { toPhoneNumber notes } } } }',
      );
      expect(data.contacts.nodes[0].calls).toEqual([
        { toPhoneNumber: null, notes: toNotes(broken!.id) },
        { toPhoneNumber: sound!.to_phone_number, notes: toNotes(sound!.id) },
      ]);
      expect(errors?.map(({ extensions, message }) => [extensions.code, message])).toEqual([
        ['UPSTREAM_UNAVAILABLE', expect.stringContaining('The Revox API cannot be reached')],
      ]);
      expect(new Set(gateway.traffic())).toEqual(
        new Set([`GET /call/${broken!.id}`, `GET /call/${sound!.id}`]),
      );
    });

    test('a call that does not exist is null in a list of nullable items when one of its non-null fields is selected', async () => {
      await using gateway = await supergraph.serveGateway();
      const [call] = dataOf(gateway).calls;
      recordCalls(['absent', call!.id]);
      const { data } = await supergraph.execute(
        '{ contacts { nodes { name calls { id callAttempts { id } } } } }',
      );
      expect(data.contacts.nodes[0]).toEqual({
        name: 'Ann',
        calls: [null, expect.objectContaining({ id: call!.id })],
      });
      expect(gateway.traffic().sort()).toEqual(
        ['GET /call/absent', `GET /call/${call!.id}`].sort(),
      );
    });
  });

  test('a router with a wrong secret receives UNAUTHENTICATED and causes no upstream request', async () => {
    await using gateway = await supergraph.serveGateway({ ROUTER_SECRETS: 'another-secret' });
    recordContacts(gateway);
    const { data, errors } = await supergraph.execute(
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
    expect(gateway.traffic()).toEqual([]);
  });

  test('a gateway that accepts only trusted documents accepts entity operations of a router and no other operation', async () => {
    const documents = writeDocuments({ 'Assistants.graphql': '{ assistants { nodes { id } } }' });
    await using gateway = await supergraph.serveGateway({
      TRUSTED_DOCUMENTS: documents,
      TRUSTED_DOCUMENTS_ONLY: 'on',
    });
    recordContacts(gateway);
    const { data, errors } = await supergraph.execute(
      '{ contacts(first: 2) { nodes { calls { status } } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.contacts.nodes).toEqual(
      Array.from({ length: 2 }, () => ({ calls: [{ status: 'COMPLETED' }] })),
    );
    expect(gateway.traffic()).toHaveLength(2);

    const rejected = await supergraph.execute('{ callAttempts { nodes { id } } }');
    expect(rejected.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    expect(gateway.traffic()).toEqual([]);
  });
});

describe.skipIf(!hasRouters)('Federated traces', () => {
  const apollo = ROUTERS.filter(({ name }) => name === 'Apollo Gateway');

  test.each(apollo)("$name requests and reads the gateway's federated trace", async (kind) => {
    await using supergraph = await startSupergraph(kind);
    await using gateway = await supergraph.serveGateway();
    const [call] = dataOf(gateway).calls.filter(({ status }) => status === 'completed');
    supergraph.contacts.contacts = [{ phoneNumber: '+1', name: 'Ann', callIds: [call!.id] }];
    const query = '{ contacts(first: 1) { nodes { calls { id toPhoneNumber } } } }';
    const { data, errors, extensions } = await supergraph.execute(query, {}, { 'x-trace': '1' });
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
    expect(gateway.traffic()).toEqual([`GET /call/${call!.id}`]);
  });
});

interface FetchTrace {
  readonly serviceName: string;
  readonly traceParsingFailed: boolean;
}

/** The traces of all requests to subgraphs, at any depth of the query plan. */
function tracesOf(plan: unknown): FetchTrace[] {
  if (typeof plan !== 'object' || plan === null) return [];
  const inner = Object.values(plan).flatMap(tracesOf);
  return 'serviceName' in plan ? [plan as FetchTrace, ...inner] : inner;
}
