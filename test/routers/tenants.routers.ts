import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  findLeaks,
  type IsolationRun,
  KEYS,
  type Key,
  operationsAbout,
  PASS_THROUGH,
  SCENARIOS,
} from '../integration/isolation-scenarios.ts';
import { expectRouters, hasRouters } from './installed.ts';
import { ROUTERS } from './router-process.ts';
import { type GatewayBehindRouter, type Supergraph, startSupergraph } from './supergraph.ts';

expectRouters();

/** Selects no ids, because the other subgraph returns the ids of both tenants anyway. */
const CONTACTS = {
  query: `{ contacts(first: 100) { nodes { assistant { name prompt } calls {
    status toPhoneNumber callAttempts { phoneNumber transcript { content } } assistant { name } campaign { name status } } } } }`,
};

// Pass-through mode: the router forwards its client's credential, and each tenant has its own
// credential.
describe.skipIf(!hasRouters).each(ROUTERS)('Two tenants of $name', (kind) => {
  let supergraph: Supergraph;
  beforeAll(async () => {
    supergraph = await startSupergraph(kind);
  });
  afterAll(() => supergraph?.[Symbol.asyncDispose]());

  const executeAs = (key: Key, { query, variables }: IsolationRun['operations'][number]) =>
    supergraph.execute(query, variables, { authorization: `Bearer ${key}` });

  /**
   * Creates contacts with the data of both tenants: 25 calls and three assistants of each. The
   * other subgraph returns all of them to each tenant.
   */
  function recordContacts({ sandbox }: GatewayBehindRouter) {
    const owned = KEYS.map((key) => {
      const { calls, assistants } = sandbox.control.data(key);
      return {
        calls: calls.filter(({ status }) => status === 'completed').slice(0, 25),
        assistants: assistants.slice(0, 3),
      };
    });
    supergraph.contacts.contacts = owned.flatMap(({ calls, assistants }, owner) =>
      calls.map(({ id }, index) => ({
        phoneNumber: `+${owner}${index}`,
        name: `Contact ${index} of ${owner}`,
        callIds: [id],
        assistantId: assistants[index % 3]!.id,
      })),
    );
    expect(supergraph.contacts.contacts).toHaveLength(50);
    return owned;
  }

  test.each(Object.keys(SCENARIOS))(
    "no tenant receives a byte of the other tenant's data: %s",
    async (scene) => {
      await using gateway = await supergraph.serveGateway(PASS_THROUGH);
      recordContacts(gateway);
      // The supergraph has no `nodes` field.
      const operations = [
        ...operationsAbout(gateway).filter(({ query }) => !query.includes('nodes(ids:')),
        CONTACTS,
      ];
      expect(await findLeaks(scene, { gateway, operations, executeAs })).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test("the gateway sends each tenant's own key upstream and serves each tenant only from its own cache entries", async () => {
    await using gateway = await supergraph.serveGateway(PASS_THROUGH);
    const owned = recordContacts(gateway);
    const operation = {
      query: '{ contacts(first: 100) { nodes { calls { toPhoneNumber } assistant { name } } } }',
    };
    const expected = KEYS.map((_, tenant) => ({
      nodes: owned.flatMap(({ calls, assistants }, owner) =>
        calls.map((call, index) => ({
          calls: [{ toPhoneNumber: tenant === owner ? call.to_phone_number : null }],
          assistant: { name: tenant === owner ? assistants[index % 3]!.name : null },
        })),
      ),
    }));
    const executeBoth = async () =>
      (await Promise.all(KEYS.map((key) => executeAs(key, operation)))).map(
        ({ data }) => data.contacts,
      );

    // The gateway caches a 404 only for a key that the upstream has accepted.
    for (const key of KEYS)
      await executeAs(key, { query: '{ assistants(first: 1) { nodes { id } } }' });
    gateway.sandbox.control.clearLog();
    expect(await executeBoth()).toEqual(expected);
    const ids = owned.flatMap(({ calls }) => calls.map(({ id }) => id));
    const others = (tenant: number) => owned[1 - tenant]!.assistants.map(({ id }) => id);
    KEYS.forEach((_, tenant) => {
      const { id } = gateway.sandbox.organizations[tenant]!;
      const sent = gateway.sandbox.log
        .filter(({ organizationId }) => organizationId === id)
        .map(({ path }) => path);
      const needed = [
        ...ids.map((id) => `/call/${id}`),
        ...others(tenant).map((id) => `/assistants/${id}`),
      ];
      expect(sent.sort()).toEqual(needed.sort());
    });
    // No request was sent with any other key.
    expect(gateway.sandbox.log).toHaveLength(2 * (50 + 3));

    for (const [tenant, key] of [...KEYS, ...KEYS].entries()) {
      expect((await executeAs(key, operation)).data.contacts).toEqual(expected[tenant % 2]);
    }
    expect(await executeBoth()).toEqual(expected);
    expect(gateway.sandbox.log).toHaveLength(2 * (50 + 3));
  });

  test('a client without a key or with an unknown key receives no cached data', async () => {
    await using gateway = await supergraph.serveGateway(PASS_THROUGH);
    recordContacts(gateway);
    const operation = { query: '{ contacts(first: 100) { nodes { calls { toPhoneNumber } } } }' };
    for (const key of KEYS) await executeAs(key, operation);
    for (const headers of [{}, { authorization: 'Bearer sk_unknown' }]) {
      supergraph.recorder.requests();
      gateway.sandbox.control.clearLog();
      const { data, errors } = await supergraph.execute(operation.query, {}, headers);
      expect(JSON.stringify(data)).not.toMatch(/"toPhoneNumber":"/);
      expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
        new Set(['UNAUTHENTICATED']),
      );
      expect(supergraph.recorder.requests()).toHaveLength(1);
      const sent = new Set(
        gateway.sandbox.log.map(({ organizationId, status }) => `${organizationId} ${status}`),
      );
      expect([...sent]).toEqual('authorization' in headers ? ['null 401'] : []);
    }
  });
});
