import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { OperationTooComplexError } from '#errors/gateway-error.ts';
import { createCostCheck } from '#http/limits/cost.ts';
import { createSchema } from '#resolvers/schema.ts';

const revox = createSchema();

/** As a router sees a subgraph. */
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

/** What an operation costs, as it is told where nothing is allowed. */
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
  throw new Error('Nothing was too much.');
}

describe('The objects that an operation looks up', () => {
  const limits = { cost: 1_000_000, ids: 100, representations: 1_000, errors: 100 };
  const fields = (count: number, toField: (n: number) => string) => Array.from({ length: count }, (_, n) => toField(n)).join(' ');
  const ENTITIES = (n: number) => `a${n}: _entities(representations: $r) { __typename }`;

  function check(text: string, variables: Record<string, unknown>, more: Partial<typeof limits> = {}): void {
    const document = parse(text);
    expect(validate(subgraph, document)).toEqual([]);
    createCostCheck({ ...limits, ...more })({ schema: subgraph, document, operation: getOperationAST(document)!, variables });
  }

  test('are counted over all lists, and ten lists of the longest kind are allowed', () => {
    const ask = (count: number) => () =>
      check(`query ($r: [_Any!]!) { ${fields(count, ENTITIES)} }`, { r: Array(1_000).fill(1) });
    expect(ask(10)).not.toThrow();
    expect(ask(11)).toThrow('The operation looks up 11000 objects; at most 10000 are allowed (10 × MAX_REPRESENTATIONS).');
    expect(excessOf(ask(11))).toEqual({ limit: 10_000, measured: 11_000 });
  });

  test('are counted by the setting of the longest list', () => {
    const ask = (count: number) => () =>
      check(
        `query ($i: [ID!]) { ${fields(count, (n) => `a${n}: users(ids: $i) { id }`)} }`,
        { i: Array(20).fill('x') },
        {
          ids: 20,
          representations: 2,
        },
      );
    expect(ask(10)).not.toThrow();
    expect(ask(11)).toThrow('The operation looks up 220 objects; at most 200 are allowed (10 × MAX_IDS).');
  });

  test('are counted with fragments written out, and not where they are skipped', () => {
    const ask = (directive: string) => () =>
      check(
        `query ($r: [_Any!]!) { ${fields(6, ENTITIES)} ...F ${directive} } fragment F on Query { ${fields(6, (n) => ENTITIES(n + 6))} }`,
        { r: Array(1_000).fill(1) },
      );
    expect(ask('')).toThrow('looks up 12000 objects');
    expect(ask('@skip(if: true)')).not.toThrow();
  });
});

describe('An operation costs its fields', () => {
  test.each([
    ['one', '{ __typename }', 1],
    ['each with what is below it', '{ call(id: "x") { id assistant { name voice { speed } } } }', 6],
    ['those of an embedded list of objects ten times', '{ call(id: "x") { callAttempts { transcript { content } } } }', 112],
    [
      'each as often as a fragment brings it',
      '{ a: call(id: "x") { ...F } b: call(id: "y") { ...F ...F } } fragment F on Call { id status }',
      8,
    ],
    [
      'those of the costliest type, where it may be any',
      '{ node(id: "x") { id ... on Call { status direction } ... on Assistant { name } } }',
      4,
    ],
    ['none that is not included', '{ __typename a: __typename @skip(if: true) b: __typename @include(if: false) }', 1],
  ])('%s', (_, text, cost) => {
    expect(costOf(text)).toBe(cost);
  });

  test('of the one that is asked for', () => {
    const text = 'query A { __typename } query B { call(id: "x") { id } }';
    expect([costOf(text, { operationName: 'A' }), costOf(text, { operationName: 'B' })]).toEqual([1, 2]);
  });
});

describe('A connection brings what is below it', () => {
  test.each([
    ['as often as `first` says', '(first: 7)', undefined, 7],
    ['as often as `last` says', '(last: 7)', undefined, 7],
    ['twenty times if nothing is said', '', undefined, 20],
    ['twenty times if null is said', '(first: null, last: null)', undefined, 20],
    ['twenty times if only `before` is', '(before: "x")', undefined, 20],
    ['as often as a variable says', '(first: $n)', { n: 3 }, 3],
    ['twenty times if the variable is absent', '(first: $n)', {}, 20],
    ['twenty times if the variable is null', '(first: $n)', { n: null }, 20],
    ['as a whole page if it is less than none', '(first: -5)', undefined, 100],
    ['as a whole page if it is none', '(first: 0)', undefined, 100],
    ['as a whole page if it is more than one', '(first: 1000000000)', undefined, 100],
    ['as a whole page if a variable is', '(last: $n)', { n: -(2 ** 31) }, 100],
  ])('%s', (_, args, variables, times) => {
    const declared = args.includes('$n') ? 'query ($n: Int) ' : '';
    expect(costOf(`${declared}{ callAttempts${args} { nodes { id } } }`, { variables })).toBe(1 + times * 2);
  });

  test('and those below it as often again', () => {
    const text = '{ campaigns(first: 10) { nodes { rows(first: 5) { nodes { call { id } } } } } }';
    expect(costOf(text)).toBe(1 + 10 * (1 + (1 + 5 * (1 + (1 + 1)))));
  });

  test('up to a number', () => {
    const level = (n: number): string =>
      n === 0 ? 'id' : `id campaign { rows(first: 100) { nodes { call { ${level(n - 1)} } } } }`;
    expect(costOf(`{ call(id: "x") { ${level(200)} } none: calls(ids: []) { ${level(200)} } }`)).toBe(
      Number.MAX_SAFE_INTEGER + 1,
    );
  });
});

describe('A list of what to bring', () => {
  const ENTITIES = `query ($r: [_Any!]!) { _entities(representations: $r) {
    __typename ... on User { id friend { name } } ... on Team { members(first: 2) { nodes { id } } } } }`;

  test('of ids brings so many', () => {
    expect(costOf('{ calls(ids: ["a", "b", "c"]) { id status } nodes(ids: []) { id } }')).toBe(1 + 3 * 2 + 1);
    expect(costOf('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { variables: { ids: Array(50).fill('x') } })).toBe(51);
    expect(costOf('query ($id: ID!) { calls(ids: [$id, "b"]) { id } }', { variables: { id: 'a' } })).toBe(3);
  });

  test('that is no list is one', () => {
    expect(costOf('{ calls(ids: "a") { id status } }')).toBe(3);
    expect(costOf('query ($ids: [ID!]!) { calls(ids: $ids) { id } }', { variables: { ids: 'a' } })).toBe(2);
  });

  test('of representations brings so many', () => {
    const variables = { r: Array(10).fill({ __typename: 'User', id: '1' }) };
    expect(costOf(ENTITIES, { schema: subgraph, variables })).toBe(1 + 10 * (1 + 1 + 2 * 2));
  });

  test('that is null or absent brings nothing', () => {
    const text = 'query ($ids: [ID!]) { users(ids: $ids) { id name } }';
    for (const variables of [{}, { ids: null }, { ids: [] }]) expect(costOf(text, { schema: subgraph, variables })).toBe(1);
  });

  test.each([
    ['ids', '{ users(ids: ["a", "b", "c", "d"]) { id } }', {}],
    ['ids in a variable', 'query ($ids: [ID!]) { users(ids: $ids) { id } }', { ids: [1, 2, 3, 4] }],
    ['ids in a default', 'query ($ids: [ID!] = [1, 2, 3, 4]) { users(ids: $ids) { id } }', {}],
    ['ids in a fragment', '{ ...F } fragment F on Query { ... { users(ids: ["a", "b", "c", "d"]) { id } } }', {}],
    ['representations', ENTITIES, { r: Array(4).fill({}) }],
  ])('has a limit: of %s', (_, text, variables) => {
    const document = parse(text);
    const costed = { schema: subgraph, document, operation: getOperationAST(document)!, variables };
    createCostCheck({ cost: 1000, ids: 4, representations: 4, errors: 100 })(costed);
    const check = createCostCheck({ cost: 1000, ids: 3, representations: 3, errors: 100 });
    expect(excessOf(() => check(costed))).toEqual({ limit: 3, measured: 4 });
    expect(excessOf(() => check(costed))).toEqual({ limit: 3, measured: 4 });
  });
});

describe('What does not fit', () => {
  const HEAVY = 'callAttempts(first: 100) { nodes { id } }';

  test('in one field costs that field, and hides no other', () => {
    const text = `query ($ids: [ID!] = []) { calls(ids: $ids) { id status } ${HEAVY} }`;
    expect(costOf(text, { variables: { ids: null } })).toBe(202);
  });

  test('in a directive is told before anything is executed', () => {
    const text = `query ($v: Boolean = true) { ${HEAVY} call(id: "x") { id @include(if: $v) } }`;
    expect(() => costOf(text, { variables: { v: null } })).toThrow(/"if" of non-null type "Boolean!" must not be null/);
  });

  test('in the variables is left to be told by the execution', () => {
    expect(costOf(`query ($n: Int!) { callAttempts(first: $n) { nodes { id } } }`, { variables: { n: 'x' } })).toBe(0);
    expect(costOf(`query ($n: Int!) { callAttempts(first: $n) { nodes { id } } }`)).toBe(0);
  });
});

test('The same document costs by its variables, each time', () => {
  const document = parse('query ($n: Int) { callAttempts(first: $n) { nodes { id } } }');
  const check = createCostCheck({ cost: 10, ids: 1, representations: 1, errors: 100 });
  const ask = (n: number) => check({ schema: revox, document, operation: getOperationAST(document)!, variables: { n } });
  ask(4);
  expect(excessOf(() => ask(5))).toEqual({ limit: 10, measured: 11 });
  ask(4);
});
