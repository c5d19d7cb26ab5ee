import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { PIPELINES, type Pipeline } from '../support/pipelines.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { NO_CACHE } from '../support/test-gateway.ts';

const NAMES = Object.keys(PIPELINES) as Pipeline[];
const gateways = {} as Record<Pipeline, ServedGateway>;
beforeAll(async () => {
  for (const pipeline of NAMES) {
    gateways[pipeline] = await serveTestGateway({
      settings: NO_CACHE,
      gateway: PIPELINES[pipeline],
    });
  }
});
afterAll(() => Promise.all(Object.values(gateways).map((gateway) => gateway.close())));

const CARD = 'query Card($id: ID!) { call(id: $id) { id } }';

/** Properties that clients send beside `query`. */
const PROPERTIES: readonly { readonly client: string; readonly properties: object }[] = [
  { client: 'react-relay-network-modern', properties: { id: 'Card' } },
  { client: 'Relay’s compiler', properties: { id: '9a0364b9e99bb480dd25e1f0284c8555' } },
  { client: 'Relay’s guide', properties: { doc_id: '9a0364b9e99bb480dd25e1f0284c8555' } },
  { client: 'a client with an id of its own', properties: { id: 17 } },
  { client: 'a client with an empty id', properties: { id: '', documentId: '' } },
  { client: 'a client with two ids', properties: { documentId: 'one', doc_id: 'two' } },
  { client: 'a client with an id that is an object', properties: { documentId: { id: 'x' } } },
  { client: 'a client that names itself', properties: { clientName: 'web', clientVersion: '1' } },
  { client: 'a client of the next GraphQL', properties: { onError: 'NULL' } },
  { client: 'a client with a list', properties: { tags: ['a', { b: null }] } },
  { client: 'a client with names of Object', properties: { toString: 1, constructor: 'x' } },
  { client: 'a client with an empty operation name', properties: { operationName: '' } },
];

async function post(gateway: ServedGateway, params: object): Promise<unknown> {
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(params),
  });
  return { status: response.status, result: await response.json() };
}

describe('Properties beside a query', () => {
  describe.each(NAMES)('%s', (pipeline) => {
    test.each(PROPERTIES)('the query of $client is executed', async ({ properties }) => {
      const gateway = gateways[pipeline];
      const { richCallId: id } = sampleIds(gateway.sandbox);
      const params = { ...properties, query: CARD, variables: { id } };
      // The second document is warm.
      for (let time = 1; time <= 2; time += 1) {
        expect(await post(gateway, params)).toEqual({
          status: 200,
          result: { data: { call: { id } } },
        });
        expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
      }
      expect(gateway.unexpectedErrors).toEqual([]);
    });

    test.each([
      '&id=9a0364b9e99bb480dd25e1f0284c8555',
      '&id=1&id=2',
      '&doc_id=one&documentId=two',
      '&documentId=',
      '&clientName=web&onError=NULL',
    ])('the query of a URL with %s is executed', async (search) => {
      const gateway = gateways[pipeline];
      const { richCallId: id } = sampleIds(gateway.sandbox);
      const variables = JSON.stringify({ id });
      const params = new URLSearchParams({ query: CARD, variables });
      const response = await fetch(`${gateway.url}?${params}${search}`);
      expect([response.status, await response.json()]).toEqual([200, { data: { call: { id } } }]);
      expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    });

    test('a request without a query is rejected, whatever other properties it has', async () => {
      for (const properties of [{ clientName: 'web' }, { text: CARD }]) {
        expect(await post(gateways[pipeline], properties)).toMatchObject({
          status: 400,
          result: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] },
        });
      }
      expect(gateways[pipeline].traffic()).toEqual([]);
    });
  });

  test('a warm operation with other properties is executed on the fast path', async () => {
    const gateway = gateways.fast;
    const query = 'query Fast { assistants(first: 1) { nodes { id } } }';
    const countFast = async () => {
      const text = await (await fetch(new URL('/metrics', gateway.url))).text();
      return sumSamples(parseMetrics(text), 'operations_total', { pipeline: 'fast' });
    };
    await post(gateway, { query });
    const before = await countFast();
    for (const { properties } of PROPERTIES) await post(gateway, { ...properties, query });
    expect((await countFast()) - before).toBe(PROPERTIES.length);
    expect(gateway.traffic()).toHaveLength(PROPERTIES.length + 1);
  });
});
