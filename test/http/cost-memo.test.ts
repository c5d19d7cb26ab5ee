import fc from 'fast-check';
import { getOperationAST, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createSubgraphSchema } from '#federation/schema.ts';
import { createCostCheck } from '#http/limits/cost.ts';

const schema = createSubgraphSchema();

const DOCUMENTS = [
  'query ($n: Int) { callAttempts(first: $n) { nodes { id } } }',
  'query ($n: Int = 1) { campaigns(first: $n) { nodes { rows(first: $n) { nodes { id } } } } }',
  'query ($n: Int = 3, $m: Int) { callAttempts(last: $n) { nodes { id } } assistants(first: $m) { nodes { id name } } }',
  'query ($ids: [ID!]!) { calls(ids: $ids) { id status direction metadata createdAt callsCount } }',
  'query ($ids: [ID!] = ["a", "b", "c"]) { nodes(ids: $ids) { id } callAttempts { nodes { id } } }',
  'query ($id: ID! = "a", $n: Int = 4) { calls(ids: [$id, "b"]) { id } campaign(id: $id) { rows(first: $n) { nodes { id } } } }',
  'query ($on: Boolean = true, $off: Boolean!) { callAttempts(first: 9) @include(if: $on) { nodes { id status @skip(if: $off) } } }',
  'query ($s: CallStatus = COMPLETED, $n: Int) { campaigns(first: $n) { nodes { rows(statuses: [$s]) { nodes { id } } } } }',
  'query ($statuses: [CallStatus!], $after: String, $n: Int) { callAttempts(first: $n, after: $after, statuses: $statuses) { nodes { id } } }',
  'query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Call { id status } } }',
  'query ($toString: Int = 7, $length: Int) { callAttempts(first: $toString) { nodes { id } } assistants(first: $length) { nodes { id } } }',
].map((text) => {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  return { text, document, operation: getOperationAST(document)! };
});

/** Values that are invalid for every type, or that look like values of another type. */
const unusualValue = fc.oneof(
  fc.constantFrom(101, 1.5, Number.POSITIVE_INFINITY, '2', '', 'null', 'x', true, {}),
  fc.record({ length: fc.integer({ min: 0, max: 6 }) }),
  fc.array(fc.constantFrom('a', 1, null, {}), { maxLength: 6 }),
);
const orUnusual = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 6, arbitrary: usual },
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: unusualValue },
  );
const size = orUnusual(fc.integer({ min: -1, max: 6 }));
const id = fc.constantFrom('a', 'b');

const variables = fc.record(
  {
    n: size,
    m: size,
    toString: size,
    length: size,
    id: orUnusual(id),
    ids: orUnusual(fc.oneof(id, fc.array(id, { maxLength: 6 }))),
    on: orUnusual(fc.boolean()),
    off: orUnusual(fc.boolean()),
    s: orUnusual(fc.constant('COMPLETED')),
    statuses: orUnusual(fc.array(fc.constantFrom('COMPLETED', 'QUEUED'), { maxLength: 3 })),
    after: orUnusual(fc.string({ maxLength: 3 })),
    r: orUnusual(
      fc.oneof(fc.constant({}), fc.array(fc.constantFrom(1, {}, 'x'), { maxLength: 6 })),
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const LIMITS = { cost: 20, ids: 4, representations: 4, errors: 2 };

function outcomeOf(act: () => void): string {
  try {
    act();
    return 'fits';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('Cost memo', () => {
  test('the memoized cost equals the computed cost after any sequence of other variables', () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...DOCUMENTS), variables), {
          minLength: 2,
          maxLength: 60,
        }),
        (operations) => {
          const memoized = createCostCheck(LIMITS);
          for (const [{ text, document, operation }, given] of operations) {
            const costed = { schema, document, operation, variables: given };
            const outcome = outcomeOf(() => memoized(costed));
            expect(outcome, `${text} with ${JSON.stringify(given)}`).toBe(
              outcomeOf(() => createCostCheck(LIMITS)(costed)),
            );
            outcomes.add(outcome.replace(/\d+/g, ''));
          }
        },
      ),
      { numRuns: 500 },
    );
    // The outcomes include: within limits, each limit exceeded, an invalid argument, an invalid
    // directive.
    expect(outcomes.size).toBeGreaterThanOrEqual(6);
  });

  const [, defaulted] = DOCUMENTS;
  const checkWith = (check: ReturnType<typeof createCostCheck>, given: Record<string, unknown>) =>
    outcomeOf(() =>
      check({
        schema,
        document: defaulted!.document,
        operation: defaulted!.operation,
        variables: given,
      }),
    );
  const TOO_EXPENSIVE = 'The operation can return 841 fields; at most 20 are allowed (MAX_COST).';

  test.each([
    ['an absent variable first', [{}, { n: null }]],
    ['null first', [{ n: null }, {}]],
  ])('the memo distinguishes null from an absent variable with a default: %s', (_, operations) => {
    const check = createCostCheck(LIMITS);
    for (const given of [...operations, ...operations])
      expect(checkWith(check, given)).toBe('n' in given ? TOO_EXPENSIVE : 'fits');
  });

  const cheap = [{ __typename: 'Call', id: 'a' }];
  test.each<[name: string, document: string, few: unknown, many: unknown]>([
    ['first', 'query ($v: Int) { callAttempts(first: $v) { nodes { id } } }', 1, 90],
    ['last', 'query ($v: Int) { callAttempts(last: $v) { nodes { id } } }', 1, 90],
    ['ids', 'query ($v: [ID!]!) { calls(ids: $v) { id } }', ['a'], Array(90).fill('a')],
    ['ids', 'query ($v: [ID!]!) { nodes(ids: $v) { id } }', 'a', Array(90).fill('a')],
    [
      'representations',
      'query ($v: [_Any!]!) { _entities(representations: $v) { __typename } }',
      cheap,
      Array(90).fill(cheap[0]),
    ],
    [
      '@include',
      'query ($v: Boolean!) { callAttempts(first: 90) @include(if: $v) { nodes { id } } }',
      false,
      true,
    ],
    [
      '@skip',
      'query ($v: Boolean!) { callAttempts(first: 90) @skip(if: $v) { nodes { id } } }',
      true,
      false,
    ],
  ])('the memo distinguishes values of %s: %s', (_, text, few, many) => {
    const check = createCostCheck({ ...LIMITS, ids: 100, representations: 100 });
    const document = parse(text);
    expect(validate(schema, document)).toEqual([]);
    const operation = getOperationAST(document)!;
    const outcomes = [few, few, many, many, few].map((v) =>
      outcomeOf(() => check({ schema, document, operation, variables: { v } })),
    );
    const tooExpensive = expect.stringMatching(/^The operation can return \d+ fields; at most 20 /);
    expect(outcomes).toEqual(['fits', 'fits', tooExpensive, tooExpensive, 'fits']);
  });

  test('the memo keeps the cost of recently used variables regardless of how many others follow', () => {
    let computed = 0;
    const counting = createSubgraphSchema();
    const { getType } = counting;
    const { document, operation } = DOCUMENTS[0]!;
    // Each computation looks up the types of the variables.
    counting.getType = (name) => {
      if (name === 'Int') computed += 1;
      return getType.call(counting, name);
    };
    const check = createCostCheck({ ...LIMITS, cost: 500 });
    const costOf = (n: number) =>
      check({ schema: counting, document, operation, variables: { n } });
    costOf(1);
    const once = computed;
    expect(once).toBeGreaterThan(0);
    for (let n = 2; n <= 100; n += 1) {
      costOf(n);
      computed = 0;
      costOf(1);
      expect(computed, `1 after ${n}`).toBe(0);
    }
    costOf(2);
    expect(computed).toBe(once);
  });
});
