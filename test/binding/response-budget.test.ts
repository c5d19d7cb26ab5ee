import { makeExecutableSchema } from '@graphql-tools/schema';
import fc from 'fast-check';
import { execute, type GraphQLSchema, isObjectType, parse } from 'graphql';
import { expect, test } from 'vitest';
import { withResponseBudget } from '#binding/response-budget.ts';
import { createResponseBudget } from '#context/response-budget.ts';

/** A schema with every kind of value, resolved by the default resolver of GraphQL and counted. */
const schema = withBudgets(
  makeExecutableSchema({
    typeDefs: `
      scalar JSON
      enum Color { DARK_RED_WITH_A_LONG_NAME_AS_ENUMS_HAVE_SOMETIMES BLUE }
      type Query { thing: Thing things: [Thing] error: [Thing] }
      type Thing { text: String id: ID int: Int float: Float flag: Boolean json: JSON color: Color texts: [String] thing: Thing things: [Thing!] }
    `,
  }),
);

function withBudgets(made: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(made.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()))
      field.resolve = withResponseBudget(field.type, field.resolve) as never;
  }
  return made;
}

/** What a field or a list item counts for, in addition to its name and its value. */
const FIELD = 128;

/** Texts that JSON serializes in more bytes than they have characters, and others. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ maxLength: 300 }),
  fc
    .tuple(
      fc.constantFrom(
        '\u0000',
        '\u001f',
        '"',
        '\\',
        '\n',
        'ä',
        '世',
        '🙂',
        '\ud800',
        '\udfff',
        '\u2028',
        'a',
      ),
      fc.nat(400),
    )
    .map(([unit, count]) => unit.repeat(count)),
);

const arbitraryThing = fc.letrec<{ thing: object }>((tie) => ({
  thing: fc.record(
    {
      text,
      id: fc.oneof(text, fc.integer()),
      int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      float: fc.double({ noNaN: true, noDefaultInfinity: true }),
      flag: fc.boolean(),
      json: fc.oneof(fc.jsonValue(), text, fc.dictionary(text, text)),
      color: fc.constantFrom('DARK_RED_WITH_A_LONG_NAME_AS_ENUMS_HAVE_SOMETIMES', 'BLUE'),
      texts: fc.array(fc.option(text), { maxLength: 20 }),
      thing: fc.oneof({ depthSize: 'small' }, fc.constant(null), tie('thing')),
      things: fc.oneof(
        { depthSize: 'small' },
        fc.constant([]),
        fc.array(tie('thing'), { maxLength: 4 }),
      ),
    },
    { requiredKeys: [] },
  ),
})).thing;

const alias = fc.integer({ min: 1, max: 256 }).map((length) => 'a'.repeat(length));
const leaf = fc.constantFrom(
  'text',
  'id',
  'int',
  'float',
  'flag',
  'json',
  'color',
  'texts',
  '__typename',
);

const selection: fc.Arbitrary<string> = fc.letrec<{ set: string }>((tie) => ({
  set: fc
    .array(
      fc.oneof(
        { depthSize: 'small' },
        fc.tuple(alias, leaf).map(([name, field]) => `${name}_${field}: ${field}`),
        fc
          .tuple(alias, fc.constantFrom('thing', 'things'), tie('set'))
          .map(([name, field, set]) => `${name}_${field}: ${field} ${set}`),
        tie('set').map((set) => `... on Thing ${set}`),
        fc.constant('...F'),
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((all) => `{ ${all.join(' ')} }`),
})).set;

const FRAGMENT = 'fragment F on Thing { fromFragment: __typename text }';

/** Executes a query within a response budget. `isExceeded` is whether the budget was exceeded. */
async function executeWithin(maxBytes: number, query: string, rootValue: object) {
  const budget = createResponseBudget({ maxBytes, maxErrors: 1_000 }, () => {});
  const result = await execute({
    schema,
    document: parse(query),
    rootValue,
    contextValue: { responseBudget: budget },
  });
  if (result.errors && !budget.isExceeded) budget.addErrors(result.errors);
  budget.measureStrings();
  return { result, isExceeded: budget.isExceeded };
}

test('a response over its byte limit always exceeds the budget: every serialized byte is counted', async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryThing,
      fc.array(arbitraryThing, { maxLength: 5 }),
      selection,
      async (one, many, set) => {
        const query = `{ thing ${set} things ${set} } ${FRAGMENT}`;
        const root = { thing: one, things: many };
        const { result } = await executeWithin(Number.MAX_SAFE_INTEGER, query, root);
        const written = Buffer.byteLength(JSON.stringify(result));
        expect((await executeWithin(written - 1, query, root)).isExceeded).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test('the measured size is at most 128 bytes per field and item larger than the serialized size', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 20 }), async (texts) => {
      const root = { thing: { texts } };
      const query = '{ thing { texts } }';
      const written = Buffer.byteLength(JSON.stringify(texts));
      const errorCount = texts.length + 2;
      expect((await executeWithin(written + 128 * errorCount + 100, query, root)).isExceeded).toBe(
        false,
      );
    }),
  );
});

test.each<[query: string, thing: object | null, bytes: number]>([
  ['{ thing { flag } }', null, FIELD + 5],
  ['{ thing { __typename flag } }', null, FIELD + 5],
  ['{ thing { flag } }', { flag: true }, FIELD + 5 + FIELD + 4],
  ['{ thing { __typename flag } }', { flag: true }, FIELD + 5 + FIELD + 10 + FIELD + 4],
  ['{ thing { t: __typename flag } }', { flag: true }, FIELD + 5 + FIELD + 1 + FIELD + 4],
  ['{ thing { ... on Thing { t: __typename } flag } }', { flag: true }, 3 * FIELD + 5 + 1 + 4],
  ['{ thing { ...F ...F flag } } fragment F on Thing { t: __typename }', {}, 3 * FIELD + 5 + 1 + 4],
  ['{ thing { things { flag } } }', { things: [] }, 2 * FIELD + 5 + 6],
  ['{ thing { things { flag } } }', { things: [{}, {}] }, 6 * FIELD + 5 + 6 + 2 * 4],
  [
    '{ thing { things { t: __typename flag } } }',
    { things: [{}, {}] },
    8 * FIELD + 5 + 6 + 2 * 1 + 2 * 4,
  ],
  ['{ thing { json } }', { json: { a: ['ä'] } }, 2 * FIELD + 5 + 4 + 12],
  ['{ thing { json } }', {}, 2 * FIELD + 5 + 4],
  ['{ thing { texts } }', { texts: [null, null, null] }, 5 * FIELD + 5 + 5],
])('%s of %j counts as %i bytes', async (query, thing, bytes) => {
  let counted = 0;
  const responseBudget = {
    isExceeded: false,
    addBytes(more: number) {
      counted += more;
    },
    addString: () => expect.unreachable(),
    addError: () => expect.unreachable(),
  };
  await execute({
    schema,
    document: parse(query),
    rootValue: { thing },
    contextValue: { responseBudget },
  });
  expect(counted).toBe(bytes);
});

test('errors count with their messages and paths, and their number is limited', async () => {
  const failing = {
    error: Array.from({ length: 20 }, () => new Error(`\u0001"ä${'x'.repeat(300)}`)),
  };
  const query = `{ ${'a'.repeat(200)}: error { id } }`;
  const { result } = await executeWithin(Number.MAX_SAFE_INTEGER, query, failing);
  expect(result.errors).toHaveLength(20);
  const written = Buffer.byteLength(JSON.stringify(result));
  expect((await executeWithin(written - 1, query, failing)).isExceeded).toBe(true);
  expect((await executeWithin(written + 20 * 700, query, failing)).isExceeded).toBe(false);

  const budget = createResponseBudget({ maxBytes: 2 ** 20, maxErrors: 19 }, () => {});
  budget.addErrors(result.errors ?? []);
  expect(budget.isExceeded).toBe(true);
});

test('a null in a non-null field counts as an error', async () => {
  const strict = withBudgets(
    makeExecutableSchema({ typeDefs: 'type Query { things: [Thing] } type Thing { id: ID! }' }),
  );
  const budget = createResponseBudget({ maxBytes: 2 ** 20, maxErrors: 3 }, () => {});
  const rootValue = { things: Array.from({ length: 100 }, () => ({})) };
  const result = await execute({
    schema: strict,
    document: parse('{ things { id } }'),
    rootValue,
    contextValue: { responseBudget: budget },
  });
  expect(budget.exceededError?.details).toEqual({ limit: 3, measured: 4 });
  // Three fields have their own errors. All later fields share one error that means "exceeded".
  expect(new Set(result.errors).size).toBe(4);
});

test('a response budget is exceeded once, and later bytes and errors do not change its error', () => {
  let count = 0;
  const budget = createResponseBudget({ maxBytes: 1_000, maxErrors: 1 }, () => {
    count += 1;
  });
  budget.addError(new Error('the first'));
  expect(budget.isExceeded).toBe(false);
  budget.addError(new Error('the second'));
  const { exceededError } = budget;
  expect(exceededError?.cause).toEqual(new Error('the first'));
  budget.addBytes(10_000);
  budget.addError(new Error('the third'));
  expect(budget.exceededError).toBe(exceededError);
  expect(count).toBe(1);
});
