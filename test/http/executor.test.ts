import { execFileSync } from 'node:child_process';
import {
  buildSchema,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  parse,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { createSubgraphSchema } from '#federation/schema.ts';
import { createExecutor, MOST_COMPILED_TOKENS } from '#http/executor.ts';
import { landmarks } from '#sandbox/landmarks.ts';
import { createRandom, type Random } from '#sandbox/random.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { namedOperations } from '../kit/named-operations.ts';
import { createWorld, FORGETFUL, ONE_TRY, type World } from '../kit/world.ts';

interface Asked {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

/** One for all: two of them would tell different times. */
const sandbox = createSandbox();
const ids = landmarks(sandbox);
const { richCallId, largeCampaignId, twentyCallIds } = ids;
const NO_ID = '11111111-1111-4111-8111-111111111111';

/** Asks two of the same gateways, one of which compiles whatever it executes. @param isOver whether the upstream fails with a request */
async function expectAlike(asked: readonly Asked[], isOver: (url: string) => boolean = () => false): Promise<readonly string[]> {
  const worlds = (['at once', 'never'] as const).map((compiles) => {
    return createWorld({
      settings: { ...FORGETFUL, ...ONE_TRY, REVOX_BREAKER_FAILURES: '100000', INTROSPECTION: 'on' },
      gateway: { compiles, now: () => 1.7e12 },
      upstream: async (request) => (isOver(request.url) ? new Response('{}', { status: 503 }) : sandbox.fetch(request)),
    });
  });
  const texts: string[] = [];
  for (const one of asked) {
    const [compiled, walked] = await Promise.all(worlds.map((world) => tell(world, one)));
    expect(compiled, one.query).toEqual(walked);
    texts.push(walked?.text ?? '');
  }
  expect(worlds[0]?.bugs).toEqual(worlds[1]?.bugs);
  return texts;
}

async function tell(world: World, asked: Asked) {
  const response = await world.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify(asked),
  });
  return {
    status: response.status,
    cacheControl: response.headers.get('cache-control'),
    text: await response.text(),
    traffic: world.traffic().sort(),
  };
}

describe('What is compiled answers as what is walked through', () => {
  test('what frontends ask', async () => {
    await expectAlike(namedOperations.map(({ query, variables }) => ({ query, variables: variables?.(ids) ?? {} })));
  });

  const CALL = 'query ($id: ID!, $with: Boolean = true) { call(id: $id) { id status @include(if: $with) } }';

  test.each<[string, Asked]>([
    ['names that objects have', { query: '{ constructor: __typename toString: __typename hasOwnProperty: __typename }' }],
    ['__proto__', { query: '{ __proto__: __typename a: __typename }' }],
    ['a field that stands twice', { query: `{ call(id: "${richCallId}") { id assistant { id } assistant { name } } }` }],
    [
      'fragments of several types',
      {
        query: `{ node(id: "${richCallId}") { __typename id ... on Call { status } ... on Campaign { name } ...A } } fragment A on Assistant { name }`,
      },
    ],
    ['an id that is none', { query: CALL, variables: { id: '' } }],
    ['an id of nothing', { query: CALL, variables: { id: NO_ID } }],
    ['a condition', { query: CALL, variables: { id: richCallId, with: false } }],
    ['null in the place of a default', { query: CALL, variables: { id: richCallId, with: null } }],
    ['a variable that is missing', { query: CALL }],
    ['a variable that does not fit', { query: CALL, variables: { id: {} } }],
    ['two that do not fit', { query: CALL, variables: { id: [], with: 'yes' } }],
    ['a number for an id', { query: CALL, variables: { id: 12 } }],
    [
      'a default that is not used',
      { query: 'query ($n: Int = 1) { callAttempts(first: $n) { nodes { id } } }', variables: { n: 2 } },
    ],
    ['a default that is used', { query: 'query ($n: Int = 1) { callAttempts(first: $n) { nodes { id } } }' }],
    [
      'null where there is a default of the field',
      { query: 'query ($n: Int) { callAttempts(first: $n) { nodes { id } } }', variables: { n: null } },
    ],
    ['a number that is none', { query: 'query ($n: Int) { callAttempts(first: $n) { nodes { id } } }', variables: { n: 1.5 } }],
    [
      'one status in the place of a list',
      {
        query: 'query ($s: [CallStatus!]) { callAttempts(first: 1, statuses: $s) { nodes { status } } }',
        variables: { s: 'COMPLETED' },
      },
    ],
    [
      'a status that is none',
      {
        query: 'query ($s: [CallStatus!]) { callAttempts(first: 1, statuses: $s) { nodes { status } } }',
        variables: { s: ['NONE'] },
      },
    ],
    ['one of two operations', { query: 'query A { __typename } query B { b: __typename }', operationName: 'B' }],
    [
      'texts that would be code',
      {
        query:
          '{ call(id: "\\"}; throw 1; //") { id } a: call(id: "`${process.exit(1)}`") { id } b: call(id: "\\u2028\\\\\'") { id } }',
      },
    ],
    [
      'a name that would be code',
      { query: 'query return($process: ID!) { this: call(id: $process) { new: id } }', variables: { process: richCallId } },
    ],
    ['the schema', { query: '{ __schema { queryType { name fields { name args { name defaultValue } } } } }' }],
  ])('%s', async (_, asked) => {
    await expectAlike([asked, asked]);
  });

  test('errors at every place, in their order, with the lines of documents of every kind', async () => {
    const lines = ['{', `  a: call(id: "${richCallId}") { id }`, '  b: call(id: "")', '    { status }', '}'];
    const ids = JSON.stringify([richCallId, NO_ID, ...twentyCallIds]);
    const asked = [
      ...['\n', '\r\n', '\r'].map((end) => ({ query: lines.join(end) })),
      { query: `{ nodes(ids: ${ids}) { id } calls(ids: ${ids}) { id status campaign { name } } }` },
      { query: `{ campaign(id: "${largeCampaignId}") { rows(first: 101) { nodes { id } } name } }` },
    ];
    const texts = await expectAlike(asked, (url) => url.includes(richCallId));
    expect(texts.map((text) => JSON.parse(text).errors?.length)).toEqual([2, 2, 2, expect.any(Number), 1]);
  });

  test.each(Array.from({ length: 8 }, (_, seed) => seed))(
    'documents made by chance, over an upstream that fails now and then (%i)',
    async (seed) => {
      const random = createRandom(seed, 'documents');
      const schema = createSubgraphSchema();
      const asked = Array.from({ length: 60 }, () => ({ query: `{ ${selection(schema, schema.getQueryType()!, 3, random)} }` }));
      const failing = new Map<string, boolean>();
      const texts = await expectAlike(asked, (url) => {
        if (!failing.has(url)) failing.set(url, createRandom(seed, url).chance(0.15));
        return failing.get(url) as boolean;
      });
      const compiled = asked.filter(
        ({ query }) => (parse(query).tokenCount ?? 0) <= MOST_COMPILED_TOKENS && !/\(ids:/.test(query),
      );
      expect(compiled.length).toBeGreaterThan(20);
      expect(texts.filter((text) => text.includes('"data":{')).length).toBeGreaterThan(30);
      expect(texts.filter((text) => text.includes('"errors"')).length).toBeGreaterThan(5);
    },
  );
});

/** Some fields of a type, and some of theirs. */
function selection(schema: GraphQLSchema, type: GraphQLNamedType, depth: number, random: Random): string {
  if (isAbstractType(type)) {
    const [one] = random.shuffle([...schema.getPossibleTypes(type)]);
    return `__typename ... on ${one?.name} { ${one ? selection(schema, one, depth, random) : ''} }`;
  }
  if (!isObjectType(type)) return '__typename';
  const fields = Object.values(type.getFields()).filter(
    (field) => !field.name.startsWith('_') && (depth > 0 || isLeafType(getNamedType(field.type))),
  );
  const chosen = random.shuffle(fields).slice(0, random.between(1, 3));
  const texts = chosen.map((field, place) => {
    const below = getNamedType(field.type);
    const alias = random.chance(0.2) ? `a${place}${depth}: ` : '';
    const inner = isLeafType(below) ? '' : ` { ${selection(schema, below, depth - 1, random)} }`;
    return `${alias}${field.name}${written(field, random)}${inner}`;
  });
  return ['__typename', ...texts].join(' ');
}

function written(field: GraphQLField<unknown, unknown>, random: Random): string {
  const written = field.args.flatMap((argument) => {
    if (argument.name === 'id')
      return [`id: "${random.pick([richCallId, largeCampaignId, NO_ID, '', ...twentyCallIds.slice(0, 3)])}"`];
    if (argument.name === 'ids') return [`ids: ${JSON.stringify([...twentyCallIds.slice(0, 3), NO_ID])}`];
    if (argument.name === 'first') return [`first: ${random.pick([1, 2, 3, 0])}`];
    return isRequiredArgument(argument) ? ['unknown: 1'] : [];
  });
  return written.length > 0 ? `(${written.join(', ')})` : '';
}

describe('What comes again', () => {
  const schema = buildSchema('type Query { how: String hows: [String] }');
  const { how, hows } = schema.getQueryType()!.getFields();
  how!.resolve = () => (/executeField/.test(new Error().stack ?? '') ? 'walked' : 'compiled');
  hows!.resolve = (...args) => [how!.resolve?.(...args)];
  const turns: (() => void)[] = [];
  const create = () => createExecutor({ compiles: 'again', onNextTurn: (run) => turns.push(run) });

  test('is compiled in a turn of its own once it has come five times, one operation in a turn', async () => {
    const execute = create();
    const documents = ['{ how }', '{ a: how }'].map((text) => parse(text));
    for (let time = 1; time <= 5; time += 1) {
      expect(turns).toEqual([]);
      for (const document of documents) await execute({ schema, document });
    }
    expect(turns).toHaveLength(1);
    turns.shift()?.();
    expect(turns).toHaveLength(1);
    await expect.poll(() => execute({ schema, document: documents[0]! })).toEqual({ data: { how: 'compiled' } });
    expect(await execute({ schema, document: documents[1]! })).toEqual({ data: { a: 'walked' } });
    turns.shift()?.();
    await expect.poll(() => execute({ schema, document: documents[1]! })).toEqual({ data: { a: 'compiled' } });
    expect(turns).toEqual([]);
  });

  test.each([
    ['a larger one', `{ ${'how '.repeat(MOST_COMPILED_TOKENS)} }`],
    ['one whose items are loaded singly', '{ hows }'],
    ['one with a name that a literal cannot have', '{ __proto__: how }'],
  ])('is never compiled: %s', async (_, text) => {
    const execute = create();
    const document = parse(text);
    for (let time = 1; time <= 10; time += 1) expect(JSON.stringify(await execute({ schema, document }))).toMatch(/walked/);
    expect(turns).toEqual([]);
  });

  test('is executed by graphql where no code may be made of texts', () => {
    const script = `
      import { buildSchema, parse } from 'graphql';
      import { createExecutor, MOST_COMPILED_TOKENS } from '#http/executor.ts';
      const execute = createExecutor({ compiles: 'at once', onNextTurn: setImmediate });
      const args = { schema: buildSchema('type Query { a: Int }'), document: parse('{ a }'), rootValue: { a: 1 } };
      console.log(JSON.stringify([await execute(args), await execute(args)]));`;
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', script];
    const output = execFileSync(process.execPath, flags, { encoding: 'utf8', cwd: new URL('../..', import.meta.url) });
    expect(JSON.parse(output)).toEqual([{ data: { a: 1 } }, { data: { a: 1 } }]);
  });
});
