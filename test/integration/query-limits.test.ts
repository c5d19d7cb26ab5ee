import { describe, expect, test } from 'vitest';
import { createTestGateway, type GraphQLResult } from '../support/test-gateway.ts';
import {
  doubling,
  expectLimitError,
  type LimitExcess,
  type Operation,
  post,
  ROWS_OF_ROWS,
} from './limit-scenarios.ts';

/** Each operation requests a call that does not exist, which costs one upstream request. */
const LIMIT_CASES: readonly (LimitExcess & {
  readonly name: string;
  readonly settings: Record<string, string>;
  readonly fits: Operation;
  readonly isOver: Operation;
})[] = [
  {
    name: 'tokens',
    settings: { MAX_TOKENS: '11' },
    fits: { query: '{ call(id: "absent") { id } }' },
    isOver: { query: '{ call(id: "absent") { id status direction } }' },
    limit: 11,
    // The parser stops at the first token over the limit.
    measured: 12,
    message: 'The document has more than 11 tokens; at most 11 are allowed (MAX_TOKENS).',
  },
  {
    name: 'levels',
    settings: { MAX_DEPTH: '3' },
    fits: {
      query: '{ call(id: "absent") { ... { ...F } } } fragment F on Call { campaign { id } }',
    },
    isOver: {
      query:
        '{ call(id: "absent") { ... { ...F } } } fragment F on Call { campaign { assistant { id } } }',
    },
    limit: 3,
    measured: 4,
    message: 'An operation or fragment is 4 levels deep; at most 3 are allowed (MAX_DEPTH).',
  },
  {
    name: 'aliases',
    settings: { MAX_ALIASES: '4' },
    fits: { query: '{ a: call(id: "absent") { ...F ...F b: id } } fragment F on Call { c: id }' },
    isOver: { query: '{ a: call(id: "absent") { ...F ...F } } fragment F on Call { b: id c: id }' },
    limit: 4,
    measured: 5,
    message:
      'An operation or fragment has 5 aliases and repeated fields; at most 4 are allowed (MAX_ALIASES).',
  },
  {
    name: 'repeated fields',
    settings: { MAX_ALIASES: '4' },
    fits: { query: '{ call(id: "absent") { id id id id id } }' },
    isOver: { query: '{ call(id: "absent") { id id id id id id } }' },
    limit: 4,
    measured: 5,
    message:
      'An operation or fragment has 5 aliases and repeated fields; at most 4 are allowed (MAX_ALIASES).',
  },
  {
    name: 'characters of an alias',
    settings: {},
    fits: { query: `{ ${'a'.repeat(256)}: call(id: "absent") { id } }` },
    isOver: {
      query: `{ call(id: "absent") { ...F } } fragment F on Call { ${'a'.repeat(257)}: id }`,
    },
    limit: 256,
    measured: 257,
    message: 'An operation or fragment has an alias of 257 characters; at most 256 are allowed.',
  },
  {
    name: 'directives',
    settings: { MAX_DIRECTIVES: '4' },
    fits: {
      query:
        '{ call(id: "absent") @skip(if: false) { id @skip(if: false) ...F ...F } } fragment F on Call { id @skip(if: false) }',
    },
    isOver: {
      query:
        '{ call(id: "absent") { ...F ...F ...F ...F ...F } } fragment F on Call { id @skip(if: false) }',
    },
    limit: 4,
    measured: 5,
    message: 'An operation or fragment has 5 directives; at most 4 are allowed (MAX_DIRECTIVES).',
  },
  {
    name: 'selections with expanded fragments',
    settings: { MAX_TOKENS: '128' },
    fits: {
      query: `{ call(id: "absent") { ...F0 } } ${doubling(9, 'Call', 'id status direction')}`,
    },
    isOver: {
      query: `{ call(id: "absent") { id ...F0 } } ${doubling(9, 'Call', 'id status direction')}`,
    },
    limit: 2_560,
    measured: 2_561,
    message:
      'An operation or fragment has 2561 selections with its fragments expanded; at most 2560 are allowed (20 × MAX_TOKENS).',
  },
  {
    name: 'returned fields',
    settings: { MAX_COST: '3' },
    fits: { query: '{ call(id: "absent") { id status } }' },
    isOver: {
      query: 'query ($n: Int) { callAttempts(first: $n) { nodes { id } } }',
      variables: { n: 2 },
    },
    limit: 3,
    measured: 5,
    message: 'The operation can return 5 fields; at most 3 are allowed (MAX_COST).',
  },
  {
    name: 'ids',
    settings: { MAX_IDS: '2' },
    fits: { query: '{ calls(ids: ["absent", "absent"]) { id } }' },
    isOver: { query: '{ calls(ids: ["absent", "absent", "absent"]) { id } }' },
    limit: 2,
    measured: 3,
    message: '`ids` of Query.calls has 3 items; at most 2 are allowed (MAX_IDS).',
  },
  {
    name: 'ids in a variable',
    settings: { MAX_IDS: '2' },
    fits: {
      query: 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }',
      variables: { ids: ['absent', 'absent'] },
    },
    isOver: {
      query:
        '{ assistants { nodes { id } } ...F } fragment F on Query { nodes(ids: ["a", "b", "c"]) { id } }',
    },
    limit: 2,
    measured: 3,
    message: '`ids` of Query.nodes has 3 items; at most 2 are allowed (MAX_IDS).',
  },
  {
    name: 'items of a list in any variable',
    settings: { MAX_IDS: '2', MAX_REPRESENTATIONS: '3' },
    fits: {
      query:
        'query ($s: [CallStatus!]) { call(id: "absent") { campaign { rows(statuses: $s) { totalCount } } } }',
      variables: { s: ['COMPLETED', 'CANCELLED', 'COMPLETED'] },
    },
    isOver: {
      query:
        'query ($s: [CallStatus!]) { call(id: "absent") { campaign { rows(statuses: $s) { totalCount } } } }',
      variables: { s: [1, 2, 3, 4] },
    },
    limit: 3,
    measured: 4,
    message: '`$s` has 4 items; at most 3 are allowed (MAX_REPRESENTATIONS).',
  },
  {
    name: 'comparisons during validation',
    settings: { MAX_ALIASES: '10000' },
    fits: { query: `{ call(id: "absent") { id } ${'__typename '.repeat(707)} }` },
    isOver: { query: `{ call(id: "absent") { id } ${'__typename '.repeat(708)} }` },
    limit: 500_000,
    measured: 500_001,
    message:
      'The fields and fragments of the document take more than 500000 comparisons to validate; at most 500000 are allowed.',
  },
];

describe.each(LIMIT_CASES)('Limit of $name', ({ name, settings, fits, isOver, ...excess }) => {
  test(`an operation at the limit of ${name} is executed, and so is its repetition`, async () => {
    const gateway = createTestGateway({ settings: { FRESHNESS_NOT_FOUND_MS: '0', ...settings } });
    for (let round = 0; round < 2; round += 1) {
      expect(await gateway.execute(fits.query, fits.variables)).not.toHaveProperty('errors');
      expect(gateway.traffic()).toEqual(['GET /call/absent']);
    }
  });

  test(`an operation over the limit of ${name} is rejected with the limit and the measured value, and so is its repetition`, async () => {
    const gateway = createTestGateway({ settings });
    await expectLimitError(gateway, isOver, excess);
  });
});

describe('Invalid input and the cost limit', () => {
  test.each(['first: -5', 'first: 0', 'first: 1000000000', 'first: 1, last: 1'])(
    'an invalid argument of a connection (%s) is an error of its field',
    async (args) => {
      const gateway = createTestGateway();
      const { data, errors } = await gateway.execute(
        `{ __typename callAttempts(${args}) { nodes { id } } }`,
      );
      expect(data).toEqual({ __typename: 'Query', callAttempts: null });
      expect(errors).toMatchObject([
        { path: ['callAttempts'], extensions: { code: 'BAD_USER_INPUT' } },
      ]);
      expect(gateway.traffic()).toEqual([]);
    },
  );

  test('an invalid argument of one field does not hide the cost of other fields', async () => {
    const gateway = createTestGateway();
    const query = `query ($ids: [ID!] = []) { calls(ids: $ids) { id } ${ROWS_OF_ROWS} }`;
    await expectLimitError(
      gateway,
      { query, variables: { ids: null } },
      { limit: 500_000, measured: 5_050_202, message: expect.any(String) },
    );
    const alone = await gateway.execute('query ($ids: [ID!] = []) { calls(ids: $ids) { id } }', {
      ids: null,
    });
    expect(alone.errors).toMatchObject([
      {
        path: ['calls'],
        extensions: { code: 'BAD_USER_INPUT' },
        message: expect.stringContaining('"ids"'),
      },
    ]);
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('an invalid argument of a directive is reported before anything is executed', async () => {
    const gateway = createTestGateway();
    const query = `query ($v: Boolean = true) { assistants { nodes { id @include(if: $v) } } ${ROWS_OF_ROWS} }`;
    const result = await gateway.execute(query, { v: null });
    expect(result).toMatchObject({
      errors: [
        { extensions: { code: 'BAD_USER_INPUT' }, message: expect.stringContaining('"if"') },
      ],
    });
    expect(result).not.toHaveProperty('data');
    expect(gateway.traffic()).toEqual([]);
  });

  test('a validation error is reported before the cost of the document', async () => {
    const gateway = createTestGateway();
    const { errors } = await gateway.execute(`{ nothing ${ROWS_OF_ROWS} }`);
    expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
    expect(gateway.traffic()).toEqual([]);
  });

  test('an invalid variable is reported by its name before the cost of the document', async () => {
    const gateway = createTestGateway();
    const { errors } = await gateway.execute(
      `query ($n: Int!) { a: campaigns(first: $n) { totalCount } ${ROWS_OF_ROWS} }`,
      {
        n: 'x',
      },
    );
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' }, message: expect.stringContaining('"$n"') },
    ]);
    expect(gateway.traffic()).toEqual([]);
  });
});

test('only the selected operation of a document counts towards the cost limit', async () => {
  const gateway = createTestGateway();
  const query = `query Small { call(id: "absent") { id } } query Large { ${ROWS_OF_ROWS} }`;
  const execute = async (operationName: string) =>
    (await (await post(gateway, JSON.stringify({ query, operationName }))).json()) as GraphQLResult;
  expect(await execute('Small')).toEqual({ data: { call: null } });
  expect(gateway.traffic()).toEqual(['GET /call/absent']);
  expect((await execute('Large')).errors).toMatchObject([
    { extensions: { limit: 500_000, measured: 5_050_201 } },
  ]);
  expect(gateway.traffic()).toEqual([]);
});

test('an operation never returns more fields than its computed cost, whatever its previous variables were', async () => {
  const query =
    'query ($n: Int = 1) { campaigns(first: $n) { nodes { rows(first: $n) { nodes { id } } } } }';
  const seen: number[] = [];
  const gateway = createTestGateway({ settings: { MAX_COST: '2000' } });
  for (const variables of [{}, { n: null }, { n: 3 }, {}, { n: 20 }, { n: 100 }]) {
    const { data, errors } = await gateway.execute(query, variables);
    if (errors) {
      expect(errors).toMatchObject([
        { extensions: { code: 'OPERATION_TOO_COMPLEX', limit: 2_000 } },
      ]);
      seen.push(0);
      continue;
    }
    const free = createTestGateway({ settings: { MAX_COST: '1' } });
    const [error] = (await free.execute(query, variables)).errors ?? [];
    const cost = Number(/can return (\d+) fields/.exec(error?.message ?? '')?.[1]);
    const fields = countFields(data);
    expect(fields).toBeLessThanOrEqual(cost);
    seen.push(fields);
  }
  expect(seen.map((fields) => fields > 0)).toEqual([true, true, true, true, true, false]);
  expect(gateway.traffic()).not.toEqual([]);
});

function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce<number>((sum, one) => sum + countFields(one), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
}

test('the cost of an operation is computed again for other variables', async () => {
  const gateway = createTestGateway({ settings: { MAX_COST: '10' } });
  const execute = (n: number | null) =>
    gateway.execute('query ($n: Int) { assistants(first: $n) { nodes { id } } }', { n });
  expect((await execute(4)).errors).toBeUndefined();
  expect((await execute(5)).errors).toMatchObject([{ extensions: { limit: 10, measured: 11 } }]);
  expect((await execute(null)).errors).toMatchObject([{ extensions: { limit: 10, measured: 41 } }]);
  expect((await execute(4)).errors).toBeUndefined();
  expect(gateway.traffic()).toEqual(['GET /assistants']);
});
