import type { Attack } from '../attack.ts';
import { attackWith, type GraphQLParams, KNOWN_KEY, MADE_UP_KEY } from './requests.ts';

/** An operation within all limits of a document, and the most expensive of its kind to execute. */
export interface WorstOperation {
  readonly name: string;
  readonly bound: string;
  /** The API key; default: one that the upstream does not know. */
  readonly key?: string;
  /** Responds in place of the sandbox. */
  readonly respond?: Attack['respond'];
  readonly outcomes: readonly string[];
  readonly maxUpstreamRequests?: number;
  /** Whether each body is new; default: all are the same. */
  readonly isNewEachTime?: boolean;
  toBody(n: number): string;
}

const ALIASES = 100;
/** Lists of representations: together, the maximum number of lookups of an operation. */
const LISTS = 10;
const REPRESENTATIONS = 1_000;
const IDS = 100;
const MAX_ALIAS_LENGTH = 256;

const times = (count: number, toText: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => toText(n)).join(' ');
const json = (params: GraphQLParams) => JSON.stringify(params);
const aliasOf = (n: number) => `a${n}_`.padEnd(MAX_ALIAS_LENGTH, 'x');
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** A query with this number of `_entities` fields. */
const entitiesOf = (fields: number) =>
  `query ($r: [_Any!]!) { ${times(fields, (n) => `a${n}: _entities(representations: $r) { __typename }`)} }`;

const entities = (
  name: string,
  toRepresentation: (n: number) => unknown,
  more: Partial<WorstOperation> = {},
): WorstOperation => ({
  name: `10 × 1,000 representations: ${name}`,
  bound: '`MAX_ERRORS` (100)',
  outcomes: ['OPERATION_TOO_COMPLEX'],
  maxUpstreamRequests: 0,
  toBody: () =>
    json({
      query: entitiesOf(LISTS),
      variables: { r: Array.from({ length: REPRESENTATIONS }, (_, n) => toRepresentation(n)) },
    }),
  ...more,
});

/** The upstream responds to each request for a call with this status. */
const respondingWith = (status: number) => (request: Request) =>
  new URL(request.url).pathname.includes('/call/')
    ? Response.json({ error: 'x' }, { status })
    : undefined;

/** Each assistant's prompt is 32 kB of characters that JSON escapes to six bytes. */
function longPrompts(request: Request): Response | undefined {
  if (!new URL(request.url).pathname.endsWith('/assistants')) return undefined;
  const assistants = Array.from({ length: 20 }, (_, n) => ({
    id: `assistant-${n}`,
    name: 'x',
    prompt: '\u0001'.repeat(32_000),
  }));
  return Response.json({ assistants });
}

const FAILING_OPERATIONS: readonly WorstOperation[] = [
  {
    name: '100 × 1,000 representations: numbers',
    bound: '10 × `MAX_REPRESENTATIONS` (1,000) lookups',
    outcomes: ['OPERATION_TOO_COMPLEX'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({ query: entitiesOf(ALIASES), variables: { r: Array(REPRESENTATIONS).fill(1) } }),
  },
  entities('numbers', () => 1),
  entities('unknown types', () => ({ __typename: 'Nothing', id: '1' })),
  entities('attempts, which have no endpoint', (n) => ({ __typename: 'CallAttempt', id: `${n}` })),
  entities('objects without an id', () => ({ __typename: 'Call', id: '' })),
  entities('ids that a URL cannot contain', () => ({ __typename: 'Campaign', id: '.' })),
  entities('calls while the upstream fails', (n) => ({ __typename: 'Call', id: `call-${n}` }), {
    key: KNOWN_KEY,
    respond: respondingWith(500),
    outcomes: ['UPSTREAM_UNAVAILABLE'],
    maxUpstreamRequests: 250,
  }),
  entities('unknown calls', (n) => ({ __typename: 'Call', id: `call-${n}` }), {
    key: KNOWN_KEY,
    respond: respondingWith(404),
    outcomes: ['UPSTREAM_BUDGET_EXCEEDED'],
    maxUpstreamRequests: 250,
  }),
  {
    name: '100 × 100 ids of calls while the upstream fails',
    bound: '`MAX_ERRORS` (100)',
    key: KNOWN_KEY,
    respond: respondingWith(500),
    outcomes: ['UPSTREAM_UNAVAILABLE'],
    maxUpstreamRequests: 250,
    toBody: () =>
      json({
        query: `query ($ids: [ID!]!) { ${times(ALIASES, (n) => `a${n}: calls(ids: $ids) { id }`)} }`,
        variables: { ids: Array.from({ length: IDS }, (_, n) => `call-${n}`) },
      }),
  },
  {
    name: 'An invalid argument in each of 100 campaigns, 50 times',
    bound: '`MAX_ERRORS` (100)',
    key: KNOWN_KEY,
    outcomes: ['BAD_USER_INPUT'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({
        query: `query ($s: CallStatus = COMPLETED) { campaigns(first: 100) { nodes { ${times(
          50,
          (n) => `r${n}: rows(statuses: [$s]) { totalCount }`,
        )} } } }`,
        variables: { s: null },
      }),
  },
  {
    name: 'An invalid page size in each campaign, 40 times',
    bound: '`MAX_ERRORS` (100)',
    key: KNOWN_KEY,
    outcomes: ['OPERATION_TOO_COMPLEX'],
    toBody: () =>
      json({
        query: `{ campaigns(first: 100) { nodes { ${times(40, (n) => `r${n}: rows(first: ${1_000 + n}) { totalCount }`)} } } }`,
      }),
  },
];

const LARGE_RESULT_OPERATIONS: readonly WorstOperation[] = [
  {
    name: '100 response names of 256 characters for each of 100 attempts',
    bound: '`MAX_ANSWER_BYTES` (16 MiB), aliases of 256 characters',
    key: KNOWN_KEY,
    outcomes: ['ok'],
    toBody: () =>
      json({
        query: `{ callAttempts(first: 100) { nodes { ${times(ALIASES, (n) => `${aliasOf(n)}: id`)} } } }`,
      }),
  },
  {
    name: '`__typename` under response names of 256 characters for each of 100 attempts',
    bound: '`MAX_ANSWER_BYTES` (16 MiB)',
    key: KNOWN_KEY,
    outcomes: ['ok'],
    toBody: () =>
      json({
        query: `{ callAttempts(first: 100) { nodes { ${times(ALIASES, (n) => `${aliasOf(n)}: __typename`)} } } }`,
      }),
  },
  {
    name: 'A response name of one megabyte',
    bound: 'aliases of 256 characters',
    outcomes: ['OPERATION_TOO_COMPLEX'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({ query: `{ callAttempts(first: 100) { nodes { ${'x'.repeat(1_000_000)}: id } } }` }),
  },
  {
    name: 'All fields of 100 attempts, 70 times',
    bound: '`MAX_ANSWER_BYTES` (16 MiB)',
    key: KNOWN_KEY,
    outcomes: ['OPERATION_TOO_COMPLEX'],
    toBody: () =>
      json({
        query: `{ ${times(70, (n) => `a${n}: callAttempts(first: 100) { nodes { ...F } }`)} }
          fragment F on CallAttempt { __typename id status result dialError startedAt answeredAt endedAt endedBy endReason phoneNumber
            recordingUrl structuredOutput transcript { role content toolName toolArguments toolIsError } }`,
      }),
  },
  {
    name: 'The payloads of 100 attempts, 100 times',
    bound: '`MAX_ANSWER_BYTES` (16 MiB)',
    key: KNOWN_KEY,
    outcomes: ['ok'],
    toBody: () =>
      json({
        query: `{ callAttempts(first: 100) { nodes { ${times(ALIASES, (n) => `a${n}: structuredOutput`)} } } }`,
      }),
  },
  {
    name: 'A long prompt of control characters of each of 20 assistants, 100 times',
    bound: '`MAX_ANSWER_BYTES` (16 MiB)',
    key: KNOWN_KEY,
    respond: longPrompts,
    outcomes: ['OPERATION_TOO_COMPLEX'],
    toBody: () =>
      json({
        query: `{ assistants(first: 100) { nodes { ${times(ALIASES, (n) => `p${n}: prompt`)} } } }`,
      }),
  },
  {
    name: 'The rows of all campaigns with their calls',
    bound: '`MAX_ANSWER_BYTES` (16 MiB)',
    key: KNOWN_KEY,
    outcomes: ['ok'],
    toBody: () =>
      json({
        query:
          '{ campaigns(first: 100) { nodes { rows(first: 100) { nodes { id call { id status metadata callAttempts { id } } } } } } }',
      }),
  },
];

const SCHEMA_TYPES =
  'types { fields(includeDeprecated: true) { type { fields(includeDeprecated: true) { name description } } } }';

const EXPENSIVE_OPERATIONS: readonly WorstOperation[] = [
  {
    name: 'The fields of the fields of all types of the schema, 80 times',
    bound: '`MAX_COST` (500,000)',
    outcomes: ['ok'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({
        query: `{ ${times(80, (n) => `a${n}: __schema { ...S }`)} } fragment S on __Schema { ${SCHEMA_TYPES} }`,
      }),
  },
  {
    name: 'Most of the introspection query, 27 times in one document',
    bound: '`MAX_ALIASES` (100), `MAX_ANSWER_BYTES` (16 MiB)',
    outcomes: ['ok'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({
        query: `{ ${times(27, (n) => `a${n}: __schema { ...S }`)} }
          fragment S on __Schema { types { name description kind fields(includeDeprecated: true) { ...F } inputFields { ...I } enumValues(includeDeprecated: true) { name description } } }
          fragment F on __Field { name description args { ...I } type { ...T } }
          fragment I on __InputValue { name description defaultValue type { ...T } }
          fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`,
      }),
  },
  {
    name: 'One megabyte of lists in a variable',
    bound: '`MAX_REPRESENTATIONS` (1,000)',
    outcomes: ['OPERATION_TOO_COMPLEX'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({
        query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
        variables: { ids: Array(340_000).fill([]) },
      }),
  },
  {
    name: 'One megabyte of numbers as representations',
    bound: '`MAX_REPRESENTATIONS` (1,000)',
    outcomes: ['OPERATION_TOO_COMPLEX'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({
        query: 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }',
        variables: { r: Array(500_000).fill(1) },
      }),
  },
  {
    name: 'A variable with a name of 300 kB and 500 invalid values',
    bound: 'five variable errors in a response, messages of 2,000 characters',
    outcomes: ['BAD_USER_INPUT'],
    maxUpstreamRequests: 0,
    toBody: () => {
      const name = 'x'.repeat(300_000);
      const query = `query ($${name}: [ID!]!) { nodes(ids: $${name}) { id } }`;
      return `{"query":"${query}","variables":{"${name}":[${Array(500).fill('{}').join()}]}}`;
    },
  },
  {
    name: 'Variables nested 100,000 levels deep',
    bound: '64 levels',
    outcomes: ['OPERATION_TOO_COMPLEX'],
    maxUpstreamRequests: 0,
    toBody: () =>
      `{"query":"query ($n: Int) { callAttempts(first: $n) { totalCount } }","variables":{"n":${nested(100_000)}}}`,
  },
  {
    name: 'Extensions nested 100,000 levels deep',
    bound: '64 levels',
    outcomes: ['OPERATION_TOO_COMPLEX'],
    maxUpstreamRequests: 0,
    toBody: () => `{"query":"{ __typename }","extensions":{"n":${nested(100_000)}}}`,
  },
  {
    name: 'Nested fragment spreads, up to the bound of expanded selections',
    bound: '20 × `MAX_TOKENS` selections',
    outcomes: ['ok'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({
        query: `{ ...F0 } ${times(15, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`)} fragment F15 on Query { __typename }`,
      }),
  },
  {
    name: 'Fields and fragments beyond the bound of comparisons for overlapping fields, in new documents',
    bound: '500,000 comparisons',
    outcomes: ['OPERATION_TOO_COMPLEX'],
    maxUpstreamRequests: 0,
    isNewEachTime: true,
    toBody: (n) =>
      json({
        query: `{ ${times(499, (k) => `...F${k}`)} } ${times(499, (k) => `fragment F${k} on Query { __typename }`)} # ${n}`,
      }),
  },
  {
    name: '5,000 tokens of fields, each with an argument',
    bound: '`MAX_TOKENS` (5,000)',
    outcomes: ['OPERATION_TOO_COMPLEX'],
    maxUpstreamRequests: 0,
    toBody: () =>
      json({
        query: `{ ${times(380, () => 'callAttempts(first: 1, after: "x") { totalCount }')} }`,
      }),
  },
];

export const WORST_OPERATIONS: readonly WorstOperation[] = [
  ...FAILING_OPERATIONS,
  ...LARGE_RESULT_OPERATIONS,
  ...EXPENSIVE_OPERATIONS,
];

const WORKERS = 2;

export const attacks: readonly Attack[] = WORST_OPERATIONS.map((operation) => {
  const {
    name,
    bound,
    key = MADE_UP_KEY,
    respond,
    outcomes,
    maxUpstreamRequests,
    isNewEachTime,
  } = operation;
  return {
    name,
    bound,
    settings: { INTROSPECTION: 'on' },
    ...(respond && { respond }),
    outcomes,
    ...(maxUpstreamRequests !== undefined && {
      maxUpstreamRequests: ({ outcomes: seen }) =>
        // One more for each worker, whose last operation was aborted.
        maxUpstreamRequests *
        (WORKERS + Object.values(seen).reduce((sum, count) => sum + count, 0)),
    }),
    run: (target) => {
      const body = operation.toBody(0);
      return attackWith(target, WORKERS, (n) => ({
        key,
        body: isNewEachTime ? operation.toBody(n) : body,
      }));
    },
  };
});
