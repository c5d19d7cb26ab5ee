import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { OperationTooComplexError } from '#errors/gateway-error.ts';
import { createCostCheck } from '#http/limits/cost.ts';
import { createSchema } from '#resolvers/schema.ts';

const revox = createSchema();

/** A subgraph with entities and connections. */
const subgraph = buildSchema(`
  scalar _Any
  type User { id: ID name: String friend: User }
  type Team { id: ID members(first: Int, last: Int): MemberConnection }
  type MemberConnection { nodes: [User!]! totalCount: Int }
  union _Entity = User | Team
  type Query { _entities(representations: [_Any!]!): [_Entity]! users(ids: [ID!]): [User] }
`);

interface CostCase {
  readonly variables?: Record<string, unknown> | undefined;
  readonly operationName?: string;
  readonly schema?: typeof revox;
}

/** The cost of an operation, taken from the error of a check that allows no cost. */
function costOf(text: string, { variables, operationName, schema = revox }: CostCase = {}): number {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const operation = getOperationAST(document, operationName)!;
  const check = createCostCheck({ cost: -1, ids: 1000, representations: 1000, errors: 100 });
  return excessOf(() => check({ schema, document, operation, variables })).measured!;
}

function excessOf(act: () => void) {
  try {
    act();
  } catch (error) {
    if (error instanceof OperationTooComplexError) return error.details;
    throw error;
  }
  throw new Error('No limit was exceeded.');
}

describe('Lookup limit', () => {
  const limits = { cost: 1_000_000, ids: 100, representations: 1_000, errors: 100 };
  const fields = (count: number, toField: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => toField(n)).join(' ');
  const ENTITIES = (n: number) => `a${n}: _entities(representations: $r) { __typename }`;

  function check(
    text: string,
    variables: Record<string, unknown>,
    more: Partial<typeof limits> = {},
  ): void {
    const document = parse(text);
    expect(validate(subgraph, document)).toEqual([]);
    createCostCheck({ ...limits, ...more })({
      schema: subgraph,
      document,
      operation: getOperationAST(document)!,
      variables,
    });
  }

  test('the lookup limit counts the objects of all lists and allows ten lists of the maximum length', () => {
    const checkCount = (count: number) => () =>
      check(`query ($r: [_Any!]!) { ${fields(count, ENTITIES)} }`, { r: Array(1_000).fill(1) });
    expect(checkCount(10)).not.toThrow();
    expect(checkCount(11)).toThrow(
      'The operation looks up 11000 objects; at most 10000 are allowed (10 × MAX_REPRESENTATIONS).',
    );
    expect(excessOf(checkCount(11))).toEqual({ limit: 10_000, measured: 11_000 });
  });

  test('the lookup limit follows the setting of the longest list', () => {
    const checkCount = (count: number) => () =>
      check(
        `query ($i: [ID!]) { ${fields(count, (n) => `a${n}: users(ids: $i) { id }`)} }`,
        { i: Array(20).fill('x') },
        {
          ids: 20,
          representations: 2,
        },
      );
    expect(checkCount(10)).not.toThrow();
    expect(checkCount(11)).toThrow(
      'The operation looks up 220 objects; at most 200 are allowed (10 × MAX_IDS).',
    );
  });

  test('the lookup limit counts lists in expanded fragments and not in skipped ones', () => {
    const checkDirective = (directive: string) => () =>
      check(
        `query ($r: [_Any!]!) { ${fields(6, ENTITIES)} ...F ${directive} } fragment F on Query { ${fields(6, (n) => ENTITIES(n + 6))} }`,
        { r: Array(1_000).fill(1) },
      );
    expect(checkDirective('')).toThrow('looks up 12000 objects');
    expect(checkDirective('@skip(if: true)')).not.toThrow();
  });
});

describe('Cost of fields', () => {
  test.each([
    ['one field', '{ __typename }', 1],
    [
      'each field and the fields below it',
      '{ call(id: "x") { id assistant { name voice { speed } } } }',
      6,
    ],
    [
      'the fields of an embedded list ten times',
      '{ call(id: "x") { callAttempts { transcript { content } } } }',
      112,
    ],
    [
      'the fields of a fragment once per spread',
      '{ a: call(id: "x") { ...F } b: call(id: "y") { ...F ...F } } fragment F on Call { id status }',
      8,
    ],
    [
      'the fields of the most expensive type of an interface',
      '{ node(id: "x") { id ... on Call { status direction } ... on Assistant { name } } }',
      4,
    ],
    [
      'no skipped field',
      '{ __typename a: __typename @skip(if: true) b: __typename @include(if: false) }',
      1,
    ],
  ])('the cost counts %s', (_, text, cost) => {
    expect(costOf(text)).toBe(cost);
  });

  test('the cost is that of the selected operation', () => {
    const text = 'query A { __typename } query B { call(id: "x") { id } }';
    expect([costOf(text, { operationName: 'A' }), costOf(text, { operationName: 'B' })]).toEqual([
      1, 2,
    ]);
  });
});

describe('Cost of connections', () => {
  test.each([
    ['`first` times', '(first: 7)', undefined, 7],
    ['`last` times', '(last: 7)', undefined, 7],
    ['twenty times without arguments', '', undefined, 20],
    ['twenty times if `first` and `last` are null', '(first: null, last: null)', undefined, 20],
    ['twenty times if only `before` is given', '(before: "x")', undefined, 20],
    ['as often as the variable of `first`', '(first: $n)', { n: 3 }, 3],
    ['twenty times if the variable is absent', '(first: $n)', {}, 20],
    ['twenty times if the variable is null', '(first: $n)', { n: null }, 20],
    ['as a whole page if `first` is negative', '(first: -5)', undefined, 100],
    ['as a whole page if `first` is zero', '(first: 0)', undefined, 100],
    ['as a whole page if `first` is larger than a page', '(first: 1000000000)', undefined, 100],
    ['as a whole page if the variable of `last` is negative', '(last: $n)', { n: -(2 ** 31) }, 100],
  ])('the fields below a connection count %s', (_, args, variables, times) => {
    const declared = args.includes('$n') ? 'query ($n: Int) ' : '';
    expect(costOf(`${declared}{ callAttempts${args} { nodes { id } } }`, { variables })).toBe(
      1 + times * 2,
    );
  });

  test('the costs of nested connections multiply', () => {
    const text = '{ campaigns(first: 10) { nodes { rows(first: 5) { nodes { call { id } } } } } }';
    expect(costOf(text)).toBe(1 + 10 * (1 + (1 + 5 * (1 + (1 + 1)))));
  });

  test('the cost never exceeds the largest safe integer by more than one', () => {
    const level = (n: number): string =>
      n === 0 ? 'id' : `id campaign { rows(first: 100) { nodes { call { ${level(n - 1)} } } } }`;
    expect(
      costOf(`{ call(id: "x") { ${level(200)} } none: calls(ids: []) { ${level(200)} } }`),
    ).toBe(Number.MAX_SAFE_INTEGER + 1);
  });
});

describe('Cost of id lists', () => {
  const ENTITIES = `query ($r: [_Any!]!) { _entities(representations: $r) {
    __typename ... on User { id friend { name } } ... on Team { members(first: 2) { nodes { id } } } } }`;

  test('the fields below a list of ids count once per id', () => {
    expect(costOf('{ calls(ids: ["a", "b", "c"]) { id status } nodes(ids: []) { id } }')).toBe(
      1 + 3 * 2 + 1,
    );
    expect(
      costOf('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
        variables: { ids: Array(50).fill('x') },
      }),
    ).toBe(51);
    expect(
      costOf('query ($id: ID!) { calls(ids: [$id, "b"]) { id } }', { variables: { id: 'a' } }),
    ).toBe(3);
  });

  test('a single id in place of a list counts as one', () => {
    expect(costOf('{ calls(ids: "a") { id status } }')).toBe(3);
    expect(
      costOf('query ($ids: [ID!]!) { calls(ids: $ids) { id } }', { variables: { ids: 'a' } }),
    ).toBe(2);
  });

  test('the fields below _entities count once per representation', () => {
    const variables = { r: Array(10).fill({ __typename: 'User', id: '1' }) };
    expect(costOf(ENTITIES, { schema: subgraph, variables })).toBe(1 + 10 * (1 + 1 + 2 * 2));
  });

  test('a list of ids that is null or absent counts as none', () => {
    const text = 'query ($ids: [ID!]) { users(ids: $ids) { id name } }';
    for (const variables of [{}, { ids: null }, { ids: [] }])
      expect(costOf(text, { schema: subgraph, variables })).toBe(1);
  });

  test.each([
    ['ids', '{ users(ids: ["a", "b", "c", "d"]) { id } }', {}],
    ['ids in a variable', 'query ($ids: [ID!]) { users(ids: $ids) { id } }', { ids: [1, 2, 3, 4] }],
    ['ids in a default', 'query ($ids: [ID!] = [1, 2, 3, 4]) { users(ids: $ids) { id } }', {}],
    [
      'ids in a fragment',
      '{ ...F } fragment F on Query { ... { users(ids: ["a", "b", "c", "d"]) { id } } }',
      {},
    ],
    ['representations', ENTITIES, { r: Array(4).fill({}) }],
  ])('a list over its limit is rejected: %s', (_, text, variables) => {
    const document = parse(text);
    const costed = { schema: subgraph, document, operation: getOperationAST(document)!, variables };
    createCostCheck({ cost: 1000, ids: 4, representations: 4, errors: 100 })(costed);
    const check = createCostCheck({ cost: 1000, ids: 3, representations: 3, errors: 100 });
    expect(excessOf(() => check(costed))).toEqual({ limit: 3, measured: 4 });
    expect(excessOf(() => check(costed))).toEqual({ limit: 3, measured: 4 });
  });
});

describe('Cost of invalid input', () => {
  const HEAVY = 'callAttempts(first: 100) { nodes { id } }';

  test('an invalid argument costs its field and does not hide the cost of other fields', () => {
    const text = `query ($ids: [ID!] = []) { calls(ids: $ids) { id status } ${HEAVY} }`;
    expect(costOf(text, { variables: { ids: null } })).toBe(202);
  });

  test('an invalid argument of a directive is an error of the cost check', () => {
    const text = `query ($v: Boolean = true) { ${HEAVY} call(id: "x") { id @include(if: $v) } }`;
    expect(() => costOf(text, { variables: { v: null } })).toThrow(
      /"if" of non-null type "Boolean!" must not be null/,
    );
  });

  test('invalid variables have no cost because execution reports them', () => {
    expect(
      costOf(`query ($n: Int!) { callAttempts(first: $n) { nodes { id } } }`, {
        variables: { n: 'x' },
      }),
    ).toBe(0);
    expect(costOf(`query ($n: Int!) { callAttempts(first: $n) { nodes { id } } }`)).toBe(0);
  });
});

test('the cost of a document is computed for the variables of each request', () => {
  const document = parse('query ($n: Int) { callAttempts(first: $n) { nodes { id } } }');
  const check = createCostCheck({ cost: 10, ids: 1, representations: 1, errors: 100 });
  const checkCount = (n: number) =>
    check({ schema: revox, document, operation: getOperationAST(document)!, variables: { n } });
  checkCount(4);
  expect(excessOf(() => checkCount(5))).toEqual({ limit: 10, measured: 11 });
  checkCount(4);
});
