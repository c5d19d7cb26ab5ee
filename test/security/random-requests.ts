import fc from 'fast-check';

// Invalid requests, and some that a real client could send.

const NAMES = [
  ...[
    'call',
    'calls',
    'callAttempts',
    'assistant',
    'assistants',
    'campaign',
    'campaigns',
    'node',
    'nodes',
    'rows',
    'edges',
    'cursor',
  ],
  ...[
    'pageInfo',
    'id',
    'status',
    'transcript',
    'metadata',
    'totalCount',
    '__typename',
    '__schema',
    '__type',
    '_entities',
    '_service',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'x', '__'],
];
const name = fc.constantFrom(...NAMES);
const typeName = fc.constantFrom(
  'Query',
  'Call',
  'Node',
  'CallAttempt',
  '_Entity',
  'PageInfo',
  'constructor',
  '__Type',
  'ID',
  'Nobody',
);

/** Text that breaks careless parsers. */
const unusualText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '\u0000',
    '\ufeff',
    '\ud800',
    '\udfff\ud800',
    '\u202e',
    '..',
    '.',
    '/',
    '%2e%2e',
    '\r\nx-evil: 1',
    '*',
    "' OR 1=1 --",
    '#{7*7}',
  ),
  fc.integer({ min: 1, max: 3_000 }).map((length) => 'a'.repeat(length)),
);
const hugeText = fc.constantFrom(
  '9'.repeat(400),
  '-9007199254740993',
  '2147483648',
  '1e400',
  '-0',
  '1e-400',
  '0x1F',
  '00',
  '1_000',
);

const value: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      'null',
      'true',
      '$a',
      '$b',
      'COMPLETED',
      'UNRECOGNIZED',
      '[]',
      '{}',
      '20',
      '-1',
      '0',
      '100',
      '101',
    ),
    hugeText,
    unusualText.map((text) => JSON.stringify(text)),
    unusualText.map((text) => `"""${text}"""`),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(name, tie('value')), { maxLength: 3 })
      .map((fields) => `{${fields.map((f) => f.join(':')).join(',')}}`),
  ),
})).value;

const someArguments = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'id',
        'ids',
        'first',
        'last',
        'after',
        'before',
        'statuses',
        'representations',
        '__proto__',
      ),
      value,
    ),
    {
      maxLength: 3,
    },
  )
  .map((list) =>
    list.length === 0 ? '' : `(${list.map((argument) => argument.join(': ')).join(', ')})`,
  );

const directives = fc
  .array(
    fc.constantFrom(
      '@include(if: true)',
      '@skip(if: $a)',
      '@deprecated',
      '@nothing',
      '@key(fields: "id")',
    ),
    {
      maxLength: 2,
    },
  )
  .map((list) => list.join(' '));

const selection: fc.Arbitrary<string> = fc.letrec<{ set: string; one: string }>((tie) => ({
  set: fc.array(tie('one'), { minLength: 1, maxLength: 4 }).map((all) => `{ ${all.join(' ')} }`),
  one: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(name, directives).map((parts) => parts.join(' ')),
    fc
      .tuple(fc.constantFrom('', 'a: ', 'b: '), name, someArguments, directives, tie('set'))
      .map((parts) => parts.join(' ')),
    fc.constantFrom('...A', '...B', '...Nobody'),
    fc.tuple(typeName, tie('set')).map(([type, set]) => `... on ${type} ${set}`),
  ),
})).set;

const randomDocument = fc
  .record({
    kind: fc.constantFrom(
      'query',
      'query',
      'query',
      'mutation',
      'subscription',
      'fragment X on Query',
      '',
    ),
    variables: fc.constantFrom(
      '',
      '($a: Boolean, $b: ID!)',
      '($a: [ID!]! = ["x"], $b: Int = 5)',
      '($a: _Any, $a: Nobody)',
    ),
    set: selection,
    a: selection,
    b: selection,
    type: typeName,
  })
  .map(
    ({ kind, variables, set, a, b, type }) =>
      `${kind} ${variables} ${set} fragment A on ${type} ${a} fragment B on Query ${b}`,
  );

const many = fc.integer({ min: 1, max: 4_000 });
const repeat = (count: number, toText: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => toText(n)).join(' ');

/** Documents that are small to send and meant to be expensive. */
const amplificationDocument = fc.oneof(
  many.map((n) => `${'{ campaign(id: "x") { assistant '.repeat(n)}${'} }'.repeat(n)}`),
  many.map((n) => `{ ${repeat(n, (i) => `a${i}: call(id: "${i}") { id }`)} }`),
  many.map((n) => `{ ${repeat(n, () => '__typename')} }`),
  many.map((n) => `{ ${repeat(n, () => 'call(id: "x") { id }')} }`),
  many.map((n) => `{ __typename ${'@include(if: true) '.repeat(n)} }`),
  many.map((n) => `{ calls(ids: [${'"x",'.repeat(n)}]) { id } }`),
  many.map((n) => `{ calls(ids: ${'['.repeat(n)}${']'.repeat(n)}) { id } }`),
  many.map((n) => `query (${repeat(n, (i) => `$v${i}: Int`)}) { __typename }`),
  many.map(
    (n) =>
      `{ ...F0 } ${repeat(n % 300, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)} fragment F${n % 300} on Query { a: __typename }`,
  ),
  many.map(
    (n) =>
      `{ ...F0 } ${repeat(n % 300, (i) => `fragment F${i} on Query { ...F${(i + 1) % ((n % 300) + 1)} }`)}`,
  ),
  many.map((n) => `${repeat(n % 500, (i) => `query Q${i} { __typename }`)}`),
  many.map(
    (n) =>
      `{ ${repeat(n % 300, (i) => `... on Query { ${repeat(5, (k) => `f${k}: call(id: "${i}") { id }`)} }`)} }`,
  ),
  fc
    .integer({ min: 1, max: 8 })
    .map(
      (n) =>
        `{ campaigns(first: 100) { nodes { ${'rows(first: 100) { nodes { call { campaign { '.repeat(n)} id ${'} } } }'.repeat(n)} } } }`,
    ),
  fc
    .integer({ min: 1, max: 12 })
    .map(
      (n) => `{ __schema { types { ${'fields { type { '.repeat(n)} name ${'} }'.repeat(n)} } } }`,
    ),
  many.map((n) => `{ call(id: "${'\\u0000'.repeat(n)}") { id } }`),
  many.map((n) => `#${'x'.repeat(n * 20)}\n{ __typename }`),
  many.map(
    (n) =>
      `{ _entities(representations: [${'{__typename: "Call", id: "x"},'.repeat(n)}]) { __typename } }`,
  ),
);

export const documents = fc.oneof(
  { weight: 4, arbitrary: randomDocument },
  { weight: 3, arbitrary: amplificationDocument },
  { weight: 1, arbitrary: unusualText },
);

/** JSON text with forms that `JSON.stringify` never writes. */
const variables = fc.oneof(
  fc.jsonValue().map((json) => JSON.stringify(json)),
  fc
    .record(
      { a: fc.jsonValue(), b: fc.jsonValue(), ids: fc.array(unusualText) },
      { requiredKeys: [] },
    )
    .map((json) => JSON.stringify(json)),
  fc.constantFrom(
    '{"__proto__": {"id": "x"}, "constructor": {"prototype": {"id": 1}}}',
    '{"a": 1e400, "b": -0, "a": 2}',
    '{"a": "\\ud800"}',
    `{"a": ${'['.repeat(2_000)}${']'.repeat(2_000)}}`,
    `{"b": ${'9'.repeat(500)}}`,
    '[]',
    '"text"',
    'null',
  ),
);

const extensions = fc.oneof(
  fc.jsonValue().map((json) => JSON.stringify(json)),
  fc.constantFrom(
    '{"persistedQuery": {"version": 1, "sha256Hash": "__proto__"}}',
    '{"persistedQuery": {"version": 2, "sha256Hash": {"a": 1}}}',
    '{"persistedQuery": "constructor"}',
    '{"persistedQuery": {"version": 1}}',
  ),
);

/** Requests whose document is unusual. */
const plainBody = fc
  .record(
    { query: documents.map((text) => JSON.stringify(text)), variables },
    { requiredKeys: ['query'] },
  )
  .map(toJson);

/** Requests that are unusual in every part. */
const graphqlBody = fc
  .record(
    {
      query: documents.map((text) => JSON.stringify(text)),
      variables,
      extensions,
      operationName: fc
        .oneof(unusualText, fc.constantFrom('Q0', 'constructor'))
        .map((text) => JSON.stringify(text)),
      documentId: fc
        .oneof(unusualText, fc.constant('__proto__'))
        .map((text) => JSON.stringify(text)),
      __proto__: fc.constant('{"query": "{ __typename }"}'),
    },
    { requiredKeys: [] },
  )
  .map(toJson);

function toJson(fields: object): string {
  const members = Object.entries(fields).map(([key, text]) => `${JSON.stringify(key)}: ${text}`);
  return `{${members.join(', ')}}`;
}

const bytes = (text: string) => new TextEncoder().encode(text);

const body = fc.oneof(
  { weight: 4, arbitrary: graphqlBody.map(bytes) },
  // A duplicate key: a proxy and a server may read different values.
  {
    weight: 1,
    arbitrary: fc
      .tuple(graphqlBody, graphqlBody)
      .map(([a, b]) => bytes(`${a.slice(0, -1)}${a === '{}' ? '' : ', '}${b.slice(1)}`)),
  },
  {
    weight: 1,
    arbitrary: fc.array(graphqlBody, { maxLength: 20 }).map((all) => bytes(`[${all.join(',')}]`)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(graphqlBody, fc.nat())
      .map(([text, at]) => bytes(text.slice(0, at % (text.length + 1)))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(graphqlBody, fc.nat(), fc.nat({ max: 255 }))
      .map(([text, at, byte]) => corrupted(bytes(text), at, byte)),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 300 }).map((array) => Uint8Array.from(array)),
  },
  {
    weight: 1,
    arbitrary: graphqlBody.map((text) => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'))),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 400_000 }).map((n) => bytes('['.repeat(n))) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 100_000 }).map((n) => bytes('{"a":'.repeat(n))),
  },
);

function corrupted(
  text: Uint8Array<ArrayBuffer>,
  at: number,
  byte: number,
): Uint8Array<ArrayBuffer> {
  if (text.length > 0) text[at % text.length] = byte;
  return text;
}

const headerText = fc.string({ unit: fc.constantFrom(...'abcXYZ019 ,;=*/"-_.%'), maxLength: 60 });

const headers = fc.record(
  {
    'content-type': fc.oneof(
      { weight: 5, arbitrary: fc.constant('application/json') },
      fc.constantFrom(
        'application/json; charset=utf-16',
        'application/graphql+json',
        'text/plain',
        'application/graphql',
        'multipart/form-data; boundary=x',
      ),
      headerText,
    ),
    accept: fc.oneof(
      fc.constantFrom(
        'application/json',
        'application/graphql-response+json',
        '*/*',
        'text/event-stream',
        'multipart/mixed',
        'text/html',
        'image/png',
      ),
      headerText,
    ),
    authorization: fc.oneof(
      fc.constantFrom('Basic YTpi', 'Bearer', 'Bearer a b', `Bearer ${'x'.repeat(9_000)}`),
      headerText,
    ),
    'router-authorization': headerText,
    'apollo-federation-include-trace': fc.constantFrom('ftv1', 'ftv2'),
    'x-revox-trace': fc.constantFrom('1', '0', 'true'),
    'content-encoding': fc.constantFrom('gzip', 'br', 'identity'),
    origin: fc.constantFrom('null', 'https://evil.test', 'http://localhost', 'nonsense'),
    'sec-fetch-site': fc.constantFrom('cross-site', 'same-origin', 'none', 'x'),
    'x-http-method-override': fc.constant('PUT'),
  },
  { requiredKeys: ['content-type'] },
);

export interface RandomRequest {
  readonly path: string;
  readonly init: RequestInit;
}

/** Requests that are unusual only in their document, sent as a real client sends them. */
const plainPosts: fc.Arbitrary<RandomRequest> = plainBody.map((body) => ({
  path: '/graphql',
  init: { method: 'POST', headers: { 'content-type': 'application/json' }, body },
}));

const posts: fc.Arbitrary<RandomRequest> = fc
  .record({
    body,
    headers,
    method: fc.constantFrom('POST', 'POST', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE'),
  })
  .map(({ body, headers, method }) => ({ path: '/graphql', init: { method, headers, body } }));

const gets: fc.Arbitrary<RandomRequest> = fc
  .record({
    parameters: fc.record(
      {
        query: documents,
        variables,
        extensions,
        operationName: unusualText,
        id: unusualText,
        documentId: unusualText,
      },
      { requiredKeys: [] },
    ),
    headers,
    method: fc.constantFrom('GET', 'GET', 'HEAD', 'OPTIONS'),
    path: fc.constantFrom(
      '/graphql',
      '/graphql',
      '/graphql',
      '/graphql/',
      '//graphql',
      '/health',
      '/ready',
      '/metrics',
      '/..',
      '/%00',
      '/graphql%2f',
    ),
  })
  .map(({ parameters, headers, method, path }) => ({
    path: `${path}?${new URLSearchParams(parameters as Record<string, string>)}`,
    init: { method, headers },
  }));

export const randomRequests = fc.oneof(
  { weight: 5, arbitrary: plainPosts },
  { weight: 3, arbitrary: posts },
  { weight: 1, arbitrary: gets },
);
