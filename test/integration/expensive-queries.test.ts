import { describe, expect, test } from 'vitest';
import { measureCpu } from '../support/cpu-time.ts';
import { createTestGateway } from '../support/test-gateway.ts';
import { doubling, expectLimitError, ROWS_OF_ROWS, repeat, rows } from './limit-scenarios.ts';

describe('Security audit queries', () => {
  test('an operation with 101 aliases, 500 repeated fields or circular introspection is rejected', async () => {
    const gateway = createTestGateway({ settings: { INTROSPECTION: 'on' } });
    for (const query of [
      `{ ${repeat(101, (n) => `a${n}: __typename`)} }`,
      `{ ${'__typename '.repeat(500)} }`,
    ]) {
      const { data, errors } = await gateway.execute(query);
      expect([data, errors]).toMatchObject([
        undefined,
        [{ extensions: { code: 'OPERATION_TOO_COMPLEX' } }],
      ]);
    }
    const circular = await gateway.execute(
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
    );
    expect(circular.errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each([
    '{ __typename @aa@aa@aa@aa@aa@aa@aa@aa@aa@aa }',
    `{ ${repeat(4_000, (n) => `nothing${n}`)} }`,
  ])('a document with many validation errors reports the first five', async (query) => {
    const gateway = createTestGateway();
    const { errors } = await gateway.execute(query);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(
      Array(6).fill('GRAPHQL_VALIDATION_FAILED'),
    );
    expect(errors?.at(-1)?.message).toMatch(/^Too many validation errors/);
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Exponential operations', () => {
  test.each([
    ['of rows of rows', { query: `{ ${ROWS_OF_ROWS} }` }, 500_000, 5_050_201],
    [
      'of rows of rows, by variables and in fragments',
      {
        query: `query ($n: Int, $ids: [ID!]!) { nodes(ids: $ids) { ...A } }
          fragment A on Campaign { ${rows('$n', '...B')} } fragment B on Campaign { ${rows('$n', 'id')} }`,
        variables: { n: 100, ids: Array(100).fill('x') },
      },
      500_000,
      5_050_101,
    ],
    [
      'of fragments',
      {
        query: `{ callAttempts { ...F0 } } ${doubling(28, 'CallAttemptConnection', 'nodes { id }')}`,
      },
      100_000,
      2 ** 30,
    ],
    [
      'of aliases in fragments',
      { query: `{ ...F0 } ${doubling(28, 'Query', 'a: __typename')}` },
      100,
      2 ** 28,
    ],
    [
      'of directives in fragments',
      { query: `{ ...F0 } ${doubling(28, 'Query', 'assistants @skip(if: false) { totalCount }')}` },
      100,
      2 ** 28,
    ],
  ])('an operation %s is rejected before it is executed', async (_, operation, limit, measured) => {
    await expectLimitError(createTestGateway(), operation, {
      limit,
      measured,
      message: expect.stringContaining(`${measured}`),
    });
  });

  test('a document with circular fragments fails validation', async () => {
    const gateway = createTestGateway();
    const { errors } = await gateway.execute(
      '{ ...A } fragment A on Query { assistants { totalCount } ...B } fragment B on Query { ...A ...B }',
    );
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
      new Set(['GRAPHQL_VALIDATION_FAILED']),
    );
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('CPU time of expensive documents', () => {
  const fragments = (count: number, toText: (n: number) => string) =>
    repeat(count, (n) => `fragment F${n} on Query { ${toText(n)} }`);
  const WORST: [name: string, query: string, variables?: Record<string, unknown>][] = [
    ['one field repeated 4,990 times', `{ ${'__typename '.repeat(4_990)} }`],
    ['one field with fields below it', `{ ${'assistants { __typename } '.repeat(1_240)} }`],
    [
      'one field with arguments',
      `{ ${'callAttempts(first: 1, after: "x") { totalCount } '.repeat(380)} }`,
    ],
    [
      'many fragments of one field',
      `{ ${repeat(500, (n) => `...F${n}`)} } ${fragments(500, () => '__typename')}`,
    ],
    [
      'many fragments of many fields',
      `{ ${repeat(500, (n) => `...F${n}`)} } ${fragments(500, (n) => `nothing${n}`)}`,
    ],
    [
      'fragments within one another',
      `{ ...F0 } ${fragments(500, (n) => `__typename ...F${n + 1}`)}`,
    ],
    [
      'fragments everywhere',
      `{ ...F0 } ${fragments(60, (n) => repeat(30, (m) => `assistants { ...F${n + m} }`))}`,
    ],
    ['fragments that double', `{ ...F0 } ${doubling(400, 'Query', '__typename')}`],
    [
      'the maximum number of expanded selections',
      `{ ...F0 } ${doubling(15, 'Query', '__typename')}`,
    ],
    [
      '300 operations that share fragments',
      `${repeat(300, (n) => `query Q${n} { ...F0 }`)} ${fragments(300, (n) => `__typename ...F${n + 1}`)}`,
    ],
    ['deep nesting', `{ ${'assistants { '.repeat(1_600)} id ${'}'.repeat(1_600)} }`],
    [
      '340,000 items in a variable',
      'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      { ids: Array(340_000).fill([]) },
    ],
    ['340,000 comments', `{ __typename ${'#\n'.repeat(340_000)} }`],
  ];

  test.each(WORST)(
    'a document with %s is handled within about a second',
    async (_, query, variables) => {
      const gateway = createTestGateway();
      await gateway.execute('{ __typename }');
      const plain = await measureCpu(async () => {
        for (let n = 0; n < 100; n += 1) await gateway.execute(`{ a${n}: __typename }`);
      });
      const { cpuMs } = await measureCpu(() => gateway.execute(query, variables));
      // It takes a tenth to a half of that time.
      expect(cpuMs).toBeLessThan(1_000 + 5 * plain.cpuMs);
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );
});
