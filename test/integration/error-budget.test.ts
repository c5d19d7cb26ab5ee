import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, NO_RETRIES } from '../support/test-gateway.ts';
import { RESPONSE_TYPE, repeat } from './limit-scenarios.ts';

const ENTITIES = 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }';
const numbers = (count: number) => ({ r: Array.from({ length: count }, (_, n) => n) });

const tooManyErrors = (
  limit: number,
  first: { readonly code: string; readonly message: string },
) => ({
  errors: [
    {
      message:
        `The operation was aborted after ${limit + 1} errors; at most ${limit} are allowed (MAX_ERRORS). ` +
        `The first is ${first.code}: ${first.message}`,
      extensions: {
        code: first === UNAVAILABLE ? first.code : 'OPERATION_TOO_COMPLEX',
        limit,
        measured: limit + 1,
        first,
      },
    },
  ],
});

const NOT_AN_OBJECT = {
  code: 'BAD_USER_INPUT',
  message: 'A representation must be an object: { "__typename": "Call", "id": "…" } for instance.',
};
const UNAVAILABLE = {
  code: 'UPSTREAM_UNAVAILABLE',
  message: 'The Revox API cannot be reached or failed. Try again later.',
};

describe('Error budget', () => {
  test('an operation with 100 errors returns each of them with its path', async () => {
    const gateway = createTestGateway();
    const { data, errors } = await gateway.execute(ENTITIES, numbers(100));
    expect(data).toEqual({ _entities: Array(100).fill(null) });
    expect(errors?.map(({ path }) => path)).toEqual(
      Array.from({ length: 100 }, (_, n) => ['_entities', n]),
    );
    expect(gateway.traffic()).toEqual([]);
  });

  test('an operation with 101 errors returns one error that names the limit, the setting and the first error', async () => {
    const gateway = createTestGateway();
    expect(await gateway.execute(ENTITIES, numbers(101))).toEqual(
      tooManyErrors(100, NOT_AN_OBJECT),
    );
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('the error budget counts the errors of all fields together', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    const query = `query ($r: [_Any!]!) { ${repeat(3, (n) => `a${n}: _entities(representations: $r) { __typename }`)} }`;
    expect((await gateway.execute(query, numbers(1))).errors).toHaveLength(3);
    expect(await gateway.execute(query, numbers(2))).toEqual(tooManyErrors(5, NOT_AN_OBJECT));
    expect(gateway.traffic()).toEqual([]);
  });

  test('an exceeded error budget is HTTP 400 with no-store for a client that accepts GraphQL responses', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    const response = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: RESPONSE_TYPE },
      body: JSON.stringify({ query: ENTITIES, variables: numbers(6) }),
    });
    expect([response.status, response.headers.get('cache-control')]).toEqual([400, 'no-store']);
    expect(await response.json()).toEqual(tooManyErrors(5, NOT_AN_OBJECT));
    expect(gateway.traffic()).toEqual([]);
  });

  test('each failed item of a list of ids counts towards the error budget, and the error has the code of the upstream failure', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5', ...NO_RETRIES } });
    gateway.sandbox.control.fail(() => true, { status: 503 });
    const execute = (count: number) =>
      gateway.execute('query ($ids: [ID!]!) { calls(ids: $ids) { id } }', {
        ids: Array.from({ length: count }, (_, n) => `c${n}`),
      });
    const { data, errors } = await execute(5);
    expect(data).toEqual({ calls: Array(5).fill(null) });
    expect(errors).toHaveLength(5);
    expect(gateway.traffic()).toHaveLength(5);
    expect(await execute(6)).toEqual(tooManyErrors(5, UNAVAILABLE));
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('each failed field below a list counts towards the error budget', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    const query = '{ campaigns(first: 100) { nodes { rows(first: 0) { totalCount } } } }';
    const first = { code: 'BAD_USER_INPUT', message: '`first` is 0: it must be 1 to 100.' };
    expect(await gateway.execute(query)).toEqual(tooManyErrors(5, first));
    expect(gateway.traffic()).toEqual(['GET /campaigns']);
  });

  test('an exceeded error budget aborts the in-flight upstream requests, and the response does not wait for them', async () => {
    const aborted: string[] = [];
    const gateway = createTestGateway({
      settings: { MAX_ERRORS: '5', ...NO_RETRIES },
      upstream: (request) => {
        const { pathname } = new URL(request.url);
        if (!pathname.endsWith('/slow')) return Promise.resolve(Response.json({}, { status: 503 }));
        // This request settles only when it is aborted.
        return new Promise((_, reject) => {
          request.signal.addEventListener('abort', () => {
            aborted.push(pathname);
            reject(request.signal.reason as Error);
          });
        });
      },
    });
    const result = await gateway.execute(
      `{ slow: call(id: "slow") { id } ${repeat(6, (n) => `a${n}: assistant(id: "a${n}") { id }`)} }`,
    );
    expect(result).toEqual(tooManyErrors(5, UNAVAILABLE));
    expect(aborted).toEqual(['/api/call/slow']);
    expect(gateway.traffic()).toEqual(['GET /call/slow', 'GET /assistants']);
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

describe('Error budget of a null variable with a default', () => {
  const query = `query ($s: CallStatus = COMPLETED, $n: Int) {
    campaigns(first: $n) { nodes { rows(statuses: [$s]) { totalCount } } } }`;

  test('an invalid argument is an error of each field when the fields are within the error budget', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    const { data, errors } = await gateway.execute(query, { s: null, n: 3 });
    expect(data).toEqual({ campaigns: { nodes: Array(3).fill({ rows: null }) } });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual(
      [0, 1, 2].map((n) => [['campaigns', 'nodes', n, 'rows'], 'BAD_USER_INPUT']),
    );
    expect(gateway.traffic()).toEqual(['GET /campaigns']);
  });

  test('an invalid argument rejects the operation before any upstream request when more fields can fail than the budget allows', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    for (let round = 0; round < 2; round += 1) {
      // The memoized cost of valid variables must not hide that other variables fail.
      expect((await gateway.execute(query, { n: 6 })).errors).toBeUndefined();
      gateway.traffic();
      const result = await gateway.execute(query, { s: null, n: 6 });
      expect(result).toEqual({
        errors: [
          {
            message: 'Argument "statuses" has invalid value [$s].',
            locations: expect.any(Array),
            extensions: { code: 'BAD_USER_INPUT' },
          },
        ],
      });
      expect(gateway.traffic()).toEqual([]);
    }
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

test('an unknown API key that exceeds the error budget causes no unexpected error', async () => {
  const gateway = createTestGateway({ settings: { REVOX_API_KEY: '', MAX_ERRORS: '3' } });
  const r = Array.from({ length: 10 }, (_, n) => ({ __typename: 'Call', id: `c${n}` }));
  const { data, errors } = await gateway.execute(
    ENTITIES,
    { r },
    { authorization: 'Bearer absent' },
  );
  expect(data ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  expect(gateway.unexpectedErrors).toEqual([]);
  expect(await gateway.execute(ENTITIES, { r: [] }, { authorization: `Bearer ${KEY_A}` })).toEqual({
    data: { _entities: [] },
  });
});
