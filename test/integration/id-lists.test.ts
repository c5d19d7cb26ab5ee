import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { serveTestGateway } from '../support/served-gateway.ts';
import { type GraphQLResult, KEY_A, NO_CACHE } from '../support/test-gateway.ts';

// A list of ids is what a client has stored: one bad entry must not cost the others.

const CALLS = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';
const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';

async function execute(url: string, query: string, ids: readonly unknown[]) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query, variables: { ids } }),
  });
  return (await response.json()) as GraphQLResult;
}

describe.each([
  ['calls', CALLS],
  ['nodes', NODES],
])('%s(ids:)', (field, query) => {
  test.each([
    ['an empty id', '', /^"" cannot be an id/],
    ['a dot', '.', /^"\." cannot be an id/],
    ['two dots', '..', /^"\.\." cannot be an id/],
    ['an unpaired surrogate', 'x\ud800', /^This value cannot be an id: .* unpaired surrogate/],
  ])(
    `${field}(ids:) is null at %s, with code and path, and loads the other ids`,
    async (_, bad, message) => {
      await using gateway = await serveTestGateway({ settings: NO_CACHE });
      const [one, other] = gateway.sandbox.control.data(KEY_A).calls.map(({ id }) => id);
      const { data, errors } = await execute(gateway.url, query, [bad, one, other, bad]);
      expect(data[field]).toEqual([null, { id: one }, { id: other }, null]);
      expect(errors).toEqual(
        [0, 3].map((index) =>
          expect.objectContaining({
            path: [field, index],
            message: expect.stringMatching(message),
            extensions: { code: 'BAD_USER_INPUT' },
          }),
        ),
      );
      expect(gateway.traffic().sort()).toEqual([`GET /call/${one}`, `GET /call/${other}`].sort());
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test(`${field}(ids:) with bad ids only costs no upstream request`, async () => {
    await using gateway = await serveTestGateway();
    const { data, errors } = await execute(gateway.url, query, ['', '.']);
    expect(data[field]).toEqual([null, null]);
    expect(errors?.map(({ path }) => path)).toEqual([
      [field, 0],
      [field, 1],
    ]);
    expect(gateway.traffic()).toEqual([]);
  });

  test(`a bad id in one ${field}(ids:) does not affect another field of the operation`, async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { richCallId } = sampleIds(gateway.sandbox);
    const twice = `query ($ids: [ID!]!) { ${field}(ids: $ids) { id } call(id: "${richCallId}") { id } }`;
    const { data, errors } = await execute(gateway.url, twice, ['..']);
    expect(data).toEqual({ [field]: [null], call: { id: richCallId } });
    expect(errors).toMatchObject([{ path: [field, 0], extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(gateway.traffic()).toEqual([`GET /call/${richCallId}`]);
  });
});

test('a hundred bad ids are a hundred errors at their items, within MAX_ERRORS', async () => {
  await using gateway = await serveTestGateway();
  const { data, errors } = await execute(gateway.url, CALLS, Array(100).fill('.'));
  expect(data.calls).toEqual(Array(100).fill(null));
  expect(errors).toHaveLength(100);
  expect(gateway.traffic()).toEqual([]);
});
