import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, NO_CACHE, type TestGateway } from '../support/test-gateway.ts';

/** A gateway whose first call has this metadata and this first number; with and without plans. */
function createGatewayPair(change: (call: object) => object) {
  return [true, false].map((plannedExecution) => {
    const gateway = createTestGateway({
      settings: NO_CACHE,
      gateway: { fastPath: true, responseCache: false, plannedExecution },
    });
    gateway.sandbox.control.transform(/^\/call\//, ({ call }) => ({ call: change(call) }));
    return gateway;
  }) as [TestGateway, TestGateway];
}

/** The text of the response on the fast path: the first request makes the operation warm. */
async function respond(gateway: TestGateway, query: string): Promise<string> {
  const id = gateway.sandbox.control.data(KEY_A).calls[0]!.id;
  const send = () =>
    gateway.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query, variables: { id } }),
    });
  await (await send()).text();
  gateway.traffic();
  const response = await send();
  expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
  return response.text();
}

const UNUSUAL = '"\\\u0000\u0001\u001f\u007f\u2028\ud83d\ude00\ud800 \udfff\n0\u00001\u0000';

describe('Serialization of planned operations', () => {
  test.each([
    ['short', UNUSUAL],
    ['of the maximum inline length', UNUSUAL.padEnd(64, 'é')],
    ['longer than the maximum inline length', UNUSUAL.padEnd(65, 'é')],
    ['long', UNUSUAL.repeat(2_000)],
    ['made of digits', '0'],
    ['empty', ''],
  ])('text that is %s has the same JSON as with graphql-js', async (_, text) => {
    const [planned, graphqlJs] = createGatewayPair((call) => ({
      ...call,
      to_phone_number: text,
      metadata: { [text]: [text, 0.1, null, { nested: text }], other: text },
    }));
    const query =
      'query ($id: ID!) { call(id: $id) { a: toPhoneNumber metadata b: metadata toPhoneNumber id } }';
    const expected = await respond(graphqlJs, query);
    expect(await respond(planned, query)).toBe(expected);
    expect(JSON.parse(expected).data.call).toMatchObject({
      a: text.toWellFormed() === text ? text : expect.any(String),
      metadata: { other: text },
    });
    expect([...planned.unexpectedErrors, ...graphqlJs.unexpectedErrors]).toEqual([]);
  });
});
