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

/** Without the ids: what the other subgraph knows anyway tells nothing. */
const CONTACTS = {
  query: `{ contacts(first: 100) { nodes { assistant { name prompt } calls {
    status toPhoneNumber callAttempts { phoneNumber transcript { content } } assistant { name } campaign { name status } } } } }`,
};

// Pass-through mode: the router hands on the credential of its client, and each tenant has its own.
describe.skipIf(!hasRouters).each(ROUTERS)('Two tenants of $name', (kind) => {
  let supergraph: Supergraph;
  beforeAll(async () => {
    supergraph = await startSupergraph(kind);
  });
  afterAll(() => supergraph?.[Symbol.asyncDispose]());

  const executeAs = (key: Key, { query, variables }: IsolationRun['operations'][number]) =>
    supergraph.ask(query, variables, { authorization: `Bearer ${key}` });

  /** The other subgraph tells tenants not apart: it hands each the ids of both, 25 calls and three assistants of either. */
  function writeDown({ sandbox }: GatewayBehindRouter) {
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

  test.each(Object.keys(SCENARIOS))('are told not one byte of each other, %s', async (scene) => {
    await using gateway = await supergraph.serveGateway(PASS_THROUGH);
    writeDown(gateway);
    // A supergraph has no nodes.
    const operations = [
      ...operationsAbout(gateway).filter(({ query }) => !query.includes('nodes(ids:')),
      CONTACTS,
    ];
    expect(await findLeaks(scene, { gateway, operations, executeAs })).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('are served with their own keys, and by what was remembered of them', async () => {
    await using world = await supergraph.serveGateway(PASS_THROUGH);
    const owned = writeDown(world);
    const question = {
      query: '{ contacts(first: 100) { nodes { calls { toPhoneNumber } assistant { name } } } }',
    };
    const expected = KEYS.map((_, asker) => ({
      nodes: owned.flatMap(({ calls, assistants }, owner) =>
        calls.map((call, index) => ({
          calls: [{ toPhoneNumber: asker === owner ? call.to_phone_number : null }],
          assistant: { name: asker === owner ? assistants[index % 3]!.name : null },
        })),
      ),
    }));
    const askBoth = async () =>
      (await Promise.all(KEYS.map((key) => executeAs(key, question)))).map(
        ({ data }) => data.contacts,
      );

    // That there is no such object is remembered only for a key which is known to be one.
    for (const key of KEYS)
      await executeAs(key, { query: '{ assistants(first: 1) { nodes { id } } }' });
    world.sandbox.control.clearLog();
    expect(await askBoth()).toEqual(expected);
    const ids = owned.flatMap(({ calls }) => calls.map(({ id }) => id));
    const others = (asker: number) => owned[1 - asker]!.assistants.map(({ id }) => id);
    KEYS.forEach((_, asker) => {
      const { id } = world.sandbox.organizations[asker]!;
      const sent = world.sandbox.log
        .filter(({ organizationId }) => organizationId === id)
        .map(({ path }) => path);
      const needed = [
        ...ids.map((id) => `/call/${id}`),
        ...others(asker).map((id) => `/assistants/${id}`),
      ];
      expect(sent.sort()).toEqual(needed.sort());
    });
    // And nothing with a key of nobody.
    expect(world.sandbox.log).toHaveLength(2 * (50 + 3));

    for (const [asker, key] of [...KEYS, ...KEYS].entries()) {
      expect((await executeAs(key, question)).data.contacts).toEqual(expected[asker % 2]);
    }
    expect(await askBoth()).toEqual(expected);
    expect(world.sandbox.log).toHaveLength(2 * (50 + 3));
  });

  test('and one who brings no key, or one that nobody knows, is told nothing, whatever is remembered', async () => {
    await using world = await supergraph.serveGateway(PASS_THROUGH);
    writeDown(world);
    const question = { query: '{ contacts(first: 100) { nodes { calls { toPhoneNumber } } } }' };
    for (const key of KEYS) await executeAs(key, question);
    for (const headers of [{}, { authorization: 'Bearer sk_of_nobody' }]) {
      supergraph.recorder.requests();
      world.sandbox.control.clearLog();
      const { data, errors } = await supergraph.ask(question.query, {}, headers);
      expect(JSON.stringify(data)).not.toMatch(/"toPhoneNumber":"/);
      expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
        new Set(['UNAUTHENTICATED']),
      );
      expect(supergraph.recorder.requests()).toHaveLength(1);
      const sent = new Set(
        world.sandbox.log.map(({ organizationId, status }) => `${organizationId} ${status}`),
      );
      expect([...sent]).toEqual('authorization' in headers ? ['null 401'] : []);
    }
  });
});
