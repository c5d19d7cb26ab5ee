import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, NO_RETRIES } from '../support/test-gateway.ts';
import { RESPONSE_TYPE, repeat } from './limit-scenarios.ts';

const ENTITIES = 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }';
const numbers = (count: number) => ({ r: Array.from({ length: count }, (_, n) => n) });

const tooManyErrors = (limit: number, first: { readonly code: string; readonly message: string }) => ({
  errors: [
    {
      message:
        `The operation is given up after ${limit + 1} errors; at most ${limit} are allowed (MAX_ERRORS). ` +
        `The first is ${first.code}: ${first.message}`,
      extensions: { code: first === UNAVAILABLE ? first.code : 'OPERATION_TOO_COMPLEX', limit, measured: limit + 1, first },
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

describe('The error budget of an operation', () => {
  test('lets 100 errors pass, each with its path', async () => {
    const gateway = createTestGateway();
    const { data, errors } = await gateway.execute(ENTITIES, numbers(100));
    expect(data).toEqual({ _entities: Array(100).fill(null) });
    expect(errors?.map(({ path }) => path)).toEqual(Array.from({ length: 100 }, (_, n) => ['_entities', n]));
    expect(gateway.traffic()).toEqual([]);
  });

  test('turns 101 errors into one that names the limit, the setting and the first error', async () => {
    const gateway = createTestGateway();
    expect(await gateway.execute(ENTITIES, numbers(101))).toEqual(tooManyErrors(100, NOT_AN_OBJECT));
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('counts the errors of all fields together', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    const query = `query ($r: [_Any!]!) { ${repeat(3, (n) => `a${n}: _entities(representations: $r) { __typename }`)} }`;
    expect((await gateway.execute(query, numbers(1))).errors).toHaveLength(3);
    expect(await gateway.execute(query, numbers(2))).toEqual(tooManyErrors(5, NOT_AN_OBJECT));
    expect(gateway.traffic()).toEqual([]);
  });

  test('answers with HTTP 400 where the client takes that, and nothing of the answer may be kept', async () => {
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

  test('shows the code of an upstream that is down, and is spent by each item of a list of ids', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5', ...NO_RETRIES } });
    gateway.sandbox.control.fail(() => true, { status: 503 });
    const ask = (count: number) =>
      gateway.execute('query ($ids: [ID!]!) { calls(ids: $ids) { id } }', {
        ids: Array.from({ length: count }, (_, n) => `c${n}`),
      });
    const { data, errors } = await ask(5);
    expect(data).toEqual({ calls: Array(5).fill(null) });
    expect(errors).toHaveLength(5);
    expect(gateway.traffic()).toHaveLength(5);
    expect(await ask(6)).toEqual(tooManyErrors(5, UNAVAILABLE));
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('is spent by fields that fail below a list', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    const query = '{ campaigns(first: 100) { nodes { rows(first: 0) { totalCount } } } }';
    const first = { code: 'BAD_USER_INPUT', message: '`first` is 0: it has to be 1 to 100.' };
    expect(await gateway.execute(query)).toEqual(tooManyErrors(5, first));
    expect(gateway.traffic()).toEqual(['GET /campaigns']);
  });

  test('ends the operation when it is spent: what is under way upstream is aborted, and the answer does not wait for it', async () => {
    const aborted: string[] = [];
    const gateway = createTestGateway({
      settings: { MAX_ERRORS: '5', ...NO_RETRIES },
      upstream: (request) => {
        const { pathname } = new URL(request.url);
        if (!pathname.endsWith('/slow')) return Promise.resolve(Response.json({}, { status: 503 }));
        // It answers only when it is aborted.
        return new Promise((_, reject) => {
          request.signal.addEventListener('abort', () => {
            aborted.push(pathname);
            reject(request.signal.reason as Error);
          });
        });
      },
    });
    const answer = await gateway.execute(
      `{ slow: call(id: "slow") { id } ${repeat(6, (n) => `a${n}: assistant(id: "a${n}") { id }`)} }`,
    );
    expect(answer).toEqual(tooManyErrors(5, UNAVAILABLE));
    expect(aborted).toEqual(['/api/call/slow']);
    expect(gateway.traffic()).toEqual(['GET /call/slow', 'GET /assistants']);
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

describe('An argument that does not fit, because a variable is null in place of its default', () => {
  const query = `query ($s: CallStatus = COMPLETED, $n: Int) {
    campaigns(first: $n) { nodes { rows(statuses: [$s]) { totalCount } } } }`;

  test('is an error of each field as long as the fields are within the error budget', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    const { data, errors } = await gateway.execute(query, { s: null, n: 3 });
    expect(data).toEqual({ campaigns: { nodes: Array(3).fill({ rows: null }) } });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual(
      [0, 1, 2].map((n) => [['campaigns', 'nodes', n, 'rows'], 'BAD_USER_INPUT']),
    );
    expect(gateway.traffic()).toEqual(['GET /campaigns']);
  });

  test('refuses the operation as a whole where more fields can fail, before any upstream request', async () => {
    const gateway = createTestGateway({ settings: { MAX_ERRORS: '5' } });
    for (let round = 0; round < 2; round += 1) {
      // The cost of good variables is remembered: it must not hide that others fail.
      expect((await gateway.execute(query, { n: 6 })).errors).toBeUndefined();
      gateway.traffic();
      const answer = await gateway.execute(query, { s: null, n: 6 });
      expect(answer).toEqual({
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

test('A key that the upstream does not know spends the error budget without a bug', async () => {
  const gateway = createTestGateway({ settings: { REVOX_API_KEY: '', MAX_ERRORS: '3' } });
  const r = Array.from({ length: 10 }, (_, n) => ({ __typename: 'Call', id: `c${n}` }));
  const { data, errors } = await gateway.execute(ENTITIES, { r }, { authorization: 'Bearer nobody' });
  expect(data ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  expect(gateway.unexpectedErrors).toEqual([]);
  expect(await gateway.execute(ENTITIES, { r: [] }, { authorization: `Bearer ${KEY_A}` })).toEqual({ data: { _entities: [] } });
});
