import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createSchema } from '#resolvers/schema.ts';
import { selectAllFields } from '../support/full-selection.ts';
import { createTestGateway, KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import {
  type Change,
  change,
  groupPaths,
  type JsonPath,
  type MutationKind,
  mutations,
  toChange,
} from './mutations.ts';

const NUM_RUNS = Number(process.env.FUZZ_RUNS ?? 30);
const TIMEOUT_MS = 30_000 + NUM_RUNS * 200;

const gateway = createTestGateway({ settings: NO_CACHE });
const { control } = gateway.sandbox;
const { calls, attempts, assistants, campaigns, rows } = control.data(KEY_A);
const call = calls.find(
  ({ assistant, campaign, call_attempts }) => assistant && campaign && call_attempts.length > 2,
)!;
const campaign = campaigns.find(({ id }) => rows[id]!.some((row) => row.call))!;
// Few objects of each list, so that most mutations affect a selected object.
control.removeAttempts(KEY_A, idsAfter(4, attempts));
control.removeRows(KEY_A, campaign.id, idsAfter(4, rows[campaign.id]!));

const schema = createSchema();
const ALL = Object.fromEntries(
  ['Call', 'CallAttempt', 'Assistant', 'Campaign', 'CampaignRow'].map((type) => [
    type,
    selectAllFields(schema, type),
  ]),
);

interface Operation {
  readonly what: string;
  readonly query: string;
  /** The path of the objects in the upstream response. Everything above is the envelope. */
  readonly root: JsonPath;
  /** The upstream responses to mutate. @default the first page of a list, or the object */
  readonly from?: RegExp;
}

const OPERATIONS: readonly Operation[] = [
  {
    what: 'a call',
    query: `{ call(id: "${call.id}") ${ALL.Call} }`,
    root: ['call'],
    from: /^\/call\//,
  },
  {
    what: 'an assistant',
    query: `{ assistant(id: "${assistants[0]!.id}") ${ALL.Assistant} }`,
    root: [],
  },
  {
    what: 'a campaign',
    query: `{ campaign(id: "${campaign.id}") ${ALL.Campaign} }`,
    root: ['campaign'],
  },
  {
    what: 'attempts',
    query: `{ callAttempts(first: 3) { pageInfo { hasNextPage } nodes ${ALL.CallAttempt} } }`,
    root: ['calls', '*'],
  },
  {
    what: 'assistants',
    query: `{ assistants(first: 3) { totalCount nodes ${ALL.Assistant} } }`,
    root: ['assistants', '*'],
  },
  {
    what: 'campaigns',
    query: `{ campaigns(first: 3) { totalCount nodes ${ALL.Campaign} } }`,
    root: ['campaigns', '*'],
  },
  {
    what: 'rows',
    query: `{ campaign(id: "${campaign.id}") { rows(first: 3) { totalCount nodes ${ALL.CampaignRow} } } }`,
    root: ['rows', '*'],
    // Only the rows are mutated: a campaign with another id has other rows.
    from: /rows\?page=1/,
  },
];

describe.each(OPERATIONS)('Mutated responses for $what', (operation) => {
  const { root } = operation;
  test(
    `random mutations of the response for ${operation.what} cause only expected errors and valid field types`,
    async () => {
      await fc.assert(
        fc.asyncProperty(mutations({ maxLength: 6 }), async (drifts) => {
          const { data, errors, changed } = await executeWithChange(operation, (body) =>
            drifts.map(toChange(body)),
          );
          // An operation may fail only if a mutation affects the envelope or an id.
          const mayFail = changed.some(
            (path) => path.length <= root.length || path.at(-1) === 'id',
          );
          for (const { extensions } of errors ?? []) {
            expect(extensions.code).toBe('UPSTREAM_INVALID_RESPONSE');
            expect(mayFail).toBe(true);
          }
          expect(gateway.unexpectedErrors).toEqual([]);
          expect(misfits(data)).toEqual([]);
        }),
        { numRuns: NUM_RUNS },
      );
    },
    TIMEOUT_MS,
  );
});

describe.each(OPERATIONS.slice(0, 3))('One mutation of $what', (operation) => {
  const { query, root } = operation;
  const field = /\w+/.exec(query)![0];
  let honest: unknown;
  const isInside = (path: JsonPath) =>
    path.length > root.length && !(path.length === root.length + 1 && path.at(-1) === 'id');

  /** Expects the mutated response to differ from the original one only in the mutated field. */
  async function expectNothingElse(toChanges: (body: unknown) => readonly Change[]) {
    const { data, errors, changed } = await executeWithChange(operation, toChanges);
    expect(errors).toBeUndefined();
    expect(gateway.unexpectedErrors).toEqual([]);
    const path = [field, ...fieldOf((changed[0] ?? []).slice(root.length))];
    expect(without(data, path), JSON.stringify(changed)).toEqual(without(honest, path));
  }
  beforeAll(async () => {
    honest = (await executeWithChange(operation, () => [])).data;
  });

  test(`a plain mutation at every kind of path in ${operation.what} changes only its own field`, async () => {
    let kinds = Number.POSITIVE_INFINITY;
    for (let kind = 0; kind < kinds; kind += 1) {
      for (const how of PLAIN) {
        await expectNothingElse((body) => {
          const groups = groupPaths(body, isInside);
          kinds = groups.length;
          return [{ path: groups[kind]![0]!, how }];
        });
      }
    }
    expect(kinds).toBeGreaterThan(8);
  });

  test(
    `a random mutation in ${operation.what} changes only its own field`,
    async () => {
      await fc.assert(
        fc.asyncProperty(mutations({ maxLength: 1 }), (drifts) =>
          expectNothingElse((body) => drifts.map(toChange(body, isInside))),
        ),
        { numRuns: NUM_RUNS },
      );
    },
    TIMEOUT_MS,
  );
});

const PLAIN: readonly MutationKind[] = [
  { kind: 'drop' },
  { kind: 'replace', by: null },
  { kind: 'replace', by: 'newer' },
  { kind: 'retype' },
  { kind: 'wrap', in: 'list' },
];

/**
 * Executes the operation over mutated upstream responses; returns its result and the mutated paths.
 */
async function executeWithChange(
  { query, from = /^(?!.*\bpage=[2-9])/ }: Operation,
  toChanges: (body: unknown) => readonly Change[],
) {
  const changed: JsonPath[] = [];
  control.heal();
  control.transform(from, (body) =>
    toChanges(body).reduce((json: unknown, { path, how }) => {
      changed.push(path);
      return change(json, path, how);
    }, body),
  );
  const { data, errors } = await gateway.execute(query);
  return { data, errors, changed };
}

function idsAfter(count: number, items: readonly { id: string }[]): string[] {
  return items.slice(count).map(({ id }) => id);
}

const KINDS: readonly [field: RegExp, isRight: (value: unknown) => boolean][] = [
  [/At$/, (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/i.test(value)],
  [/(Secs|Ms|Count|Index|Seconds|RetryAttempts)$|^speed$/, (value) => typeof value === 'number'],
  [/^(is|needs|toolIs)[A-Z]|Enabled$|^required$/, (value) => typeof value === 'boolean'],
  [
    /(Number|Id|Url|Sentence|Message)$|^(id|name|prompt|content|question|answer|status|result|role)$/,
    (value) => typeof value === 'string',
  ],
];
const FREE_FORM = ['metadata', 'inputData', 'structuredOutput', 'toolArguments', 'raw'];

/**
 * Fields whose values do not fit the type that their names imply. graphql-js checks most types
 * itself, but not the custom scalars.
 */
function misfits(value: unknown, field = ''): string[] {
  if (value === null || FREE_FORM.includes(field)) return [];
  if (typeof value === 'object')
    return Object.entries(value).flatMap(([key, inner]) =>
      misfits(inner, Array.isArray(value) ? field : key),
    );
  return KINDS.some(([name, isRight]) => name.test(field) && !isRight(value))
    ? [`${field}: ${JSON.stringify(value)}`]
    : [];
}

/**
 * The path of the GraphQL field that an upstream path affects. It ends at a list, at the object of
 * an id, at a union and at a free-form payload.
 */
function fieldOf(path: JsonPath): string[] {
  const fields: string[] = [];
  for (const key of path) {
    if (typeof key === 'number' || key === 'id') break;
    fields.push(key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
    if (['llm_model', 'metadata', 'structured_output', 'input_data'].includes(key)) break;
  }
  return fields;
}

function without(value: unknown, [first, ...others]: readonly string[]): unknown {
  if (first === undefined) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  const inner = (value as Record<string, unknown>)[first];
  return { ...value, [first]: without(inner, others) };
}
