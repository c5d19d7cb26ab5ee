import { describe, expect, test } from 'vitest';
import { createTestGateway, type GraphQLResult } from '../support/test-gateway.ts';

// The checks of graphql-cop (github.com/dolevf/graphql-cop), as it sends them, against a gateway in
// production. `isFound` is the condition under which graphql-cop reports a finding.
// docs/reference/security-checklist.md explains why one finding is intended.

const SECRET = 'a-secret-of-the-router';
const PROOF = { 'router-authorization': SECRET };

const createProductionGateway = () =>
  createTestGateway({ settings: { NODE_ENV: 'production', ROUTER_SECRETS: SECRET } });

function post(payload: unknown): RequestInit {
  return {
    method: 'POST',
    headers: { ...PROOF, 'content-type': 'application/json' },
    body: JSON.stringify(payload),
  };
}

const operation = (query: string): RequestInit => post({ query, operationName: 'cop' });
const repeat = (count: number, toText: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => toText(n)).join('');

type Found = (result: GraphQLResult & { readonly length?: number }, text: string) => boolean;

const CHECKS: {
  name: string;
  path?: string;
  init: RequestInit;
  isFound: Found;
  codes?: string[];
}[] = [
  {
    name: 'Alias Overloading',
    init: operation(`query cop { ${repeat(101, (n) => `alias${n}:__typename \n`)} }`),
    isFound: ({ data }) => Boolean(data?.alias100),
    codes: ['OPERATION_TOO_COMPLEX'],
  },
  {
    name: 'Array-based Query Batching',
    init: post(Array.from({ length: 10 }, () => ({ query: 'query cop { __typename }' }))),
    isFound: ({ length = 0 }) => length >= 10,
    codes: ['BAD_USER_INPUT'],
  },
  {
    name: 'Directive Overloading',
    init: operation(`query cop { __typename ${'@aa'.repeat(10)} }`),
    isFound: ({ errors }) => errors?.length === 10,
  },
  {
    name: 'Introspection-based Circular Query',
    init: operation(
      'query cop { __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }',
    ),
    isFound: ({ data }) => data?.__schema?.types?.length > 25,
  },
  {
    name: 'Field Duplication',
    init: operation(`query cop { ${'__typename \n'.repeat(500)}} `),
    isFound: ({ data }) => Boolean(data?.__typename),
    codes: ['OPERATION_TOO_COMPLEX'],
  },
  {
    name: 'Field Suggestions',
    init: operation('query cop { __schema { directive } }'),
    isFound: (_, text) => text.includes('Did you mean'),
  },
  {
    name: 'Introspection',
    init: operation('query cop { __schema { types { name fields { name } } } }'),
    isFound: ({ data }) => Boolean(data?.__schema?.types),
  },
  {
    name: 'GraphQL IDE',
    init: { headers: { ...PROOF, accept: 'text/html' } },
    isFound: (_, text) =>
      ['graphiql.min.css', 'GraphQL Playground', 'GraphiQL', 'graphql-playground'].some((word) =>
        text.includes(word),
      ),
    codes: [],
  },
  {
    name: 'Mutation is allowed over GET',
    path: `?query=${encodeURIComponent('mutation cop {__typename}')}`,
    init: { headers: PROOF },
    isFound: ({ data }) => Boolean(data?.__typename),
  },
  {
    name: 'POST based url-encoded query',
    init: {
      method: 'POST',
      headers: PROOF,
      body: new URLSearchParams({ query: 'query cop { __typename }' }),
    },
    isFound: ({ data }) => Boolean(data?.__typename),
    codes: ['BAD_USER_INPUT'],
  },
  {
    name: 'Trace Mode',
    init: operation('query cop { __typename }'),
    isFound: (_, text) => /tracing|ftv1|upstream/.test(text),
    codes: [],
  },
  {
    name: 'Unhandled Errors Detection',
    init: operation('qwerty cop { abc }'),
    isFound: (_, text) => /exception|stacktrace/.test(text),
    codes: ['GRAPHQL_PARSE_FAILED'],
  },
];

describe('graphql-cop', () => {
  test.each(CHECKS)(
    'graphql-cop does not find $name',
    async ({ path = '', init, isFound, codes }) => {
      const gateway = createProductionGateway();
      const response = await gateway.fetch(`/graphql${path}`, init);
      const text = await response.text();
      const result = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : {};
      expect(isFound(result, text)).toBe(false);
      expect(response.status).toBeLessThan(500);
      const errorCodes = (result.errors ?? []).map(
        (error: { extensions: { code: string } }) => error.extensions.code,
      );
      if (codes) expect(errorCodes).toEqual(codes);
      else expect(errorCodes).not.toEqual([]);
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );
});

test('graphql-cop finds GET Method Query Support, which is intended and which cross-site pages cannot use', async () => {
  const gateway = createProductionGateway();
  const path = `/graphql?query=${encodeURIComponent('query cop {__typename}')}`;
  const result = await (await gateway.fetch(path, { headers: PROOF })).json();
  expect(result).toEqual({ data: { __typename: 'Query' } });
  expect((await gateway.fetch(path)).status).toBe(401);

  const open = createTestGateway();
  const fromElsewhere = await open.fetch(path, { headers: { 'sec-fetch-site': 'cross-site' } });
  expect(fromElsewhere.status).toBe(403);
  expect(await fromElsewhere.json()).toMatchObject({
    errors: [{ extensions: { code: 'FORBIDDEN' } }],
  });
  expect([...gateway.traffic(), ...open.traffic()]).toEqual([]);
});
