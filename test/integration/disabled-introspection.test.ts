import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, type TestGateway } from '../support/test-gateway.ts';

const SETTINGS = { NODE_ENV: 'production', REVOX_API_KEY: '' };
const withoutIntrospection = createTestGateway({ settings: SETTINGS });
const withIntrospection = createTestGateway({ settings: { ...SETTINGS, INTROSPECTION: 'on' } });

const STATUSES =
  'query ($statuses: [CallStatus!]) { callAttempts(statuses: $statuses) { nodes { id } } }';

/** Misspelled names, one for each position in which a name can occur. */
const MISSPELLED_QUERIES: {
  readonly [kind: string]: {
    readonly query: string;
    readonly variables?: Record<string, unknown>;
    readonly like: string;
  };
} = {
  'a field': { query: '{ assistant(id: 1) { firstSentense } }', like: 'firstSentence' },
  'a root field': { query: '{ asistant(id: 1) { id } }', like: 'assistant' },
  'an argument': {
    query: '{ callAttempts(status: [COMPLETED]) { nodes { id } } }',
    like: 'statuses',
  },
  'a type': { query: '{ node(id: 1) { ... on Cal { id } } }', like: 'Call' },
  'a field of another type': { query: '{ node(id: 1) { toPhoneNumber } }', like: 'Call' },
  'a type of a variable': {
    query: 'query ($s: [CalStatus]) { callAttempts(statuses: $s) { nodes { id } } }',
    like: 'CallStatus',
  },
  'an enum value': {
    query: '{ callAttempts(statuses: [COMPLETE]) { nodes { id } } }',
    like: 'COMPLETED',
  },
  'an enum value in quotes': {
    query: '{ callAttempts(statuses: ["COMPLETED"]) { nodes { id } } }',
    like: 'COMPLETED',
  },
  'an enum value in a variable': {
    query: STATUSES,
    variables: { statuses: ['COMPLETE'] },
    like: 'COMPLETED',
  },
  'an argument of a directive': { query: '{ __typename @include(iff: true) }', like: 'if' },
};

async function messagesOf(gateway: TestGateway, kind: string): Promise<string[]> {
  const { query, variables } = MISSPELLED_QUERIES[kind]!;
  const { errors = [] } = await gateway.execute(query, variables, {
    authorization: `Bearer ${KEY_A}`,
  });
  expect(errors.length).toBeGreaterThan(0);
  expect(gateway.traffic()).toEqual([]);
  expect(gateway.unexpectedErrors).toEqual([]);
  return errors.map(({ message }) => message);
}

describe('Disabled introspection', () => {
  test.each(Object.keys(MISSPELLED_QUERIES))(
    'the error for a misspelled name contains no suggestion: %s',
    async (kind) => {
      const messages = await messagesOf(withoutIntrospection, kind);
      expect(messages.filter((message) => /did you mean|\?/i.test(message))).toEqual([]);
      // The message stays a complete sentence without the suggestion.
      for (const message of messages) expect(message).toMatch(/[.!"\]]$/);

      const withSuggestions = await messagesOf(withIntrospection, kind);
      expect(withSuggestions).toContainEqual(
        expect.stringMatching(new RegExp(`Did you mean .*"@?${MISSPELLED_QUERIES[kind]!.like}"`)),
      );
      expect(withSuggestions.map((message) => message.replace(/ Did you mean .*$/, ''))).toEqual(
        messages,
      );
    },
  );

  test('a value that looks like a suggestion stays in the error message', async () => {
    const text = 'x Did you mean "y"? z';
    const { errors } = await withoutIntrospection.execute(
      STATUSES,
      { statuses: [text] },
      { authorization: `Bearer ${KEY_A}` },
    );
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/"\? z" does not exist in "CallStatus" enum\.$/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
    expect(withoutIntrospection.traffic()).toEqual([]);
  });

  test.each(['{ __schema { types { name } } }', '{ __type(name: "Call") { fields { name } } }'])(
    'an introspection query is rejected when introspection is disabled: %s',
    async (query) => {
      const { data, errors } = await withoutIntrospection.execute(
        query,
        {},
        { authorization: `Bearer ${KEY_A}` },
      );
      expect(data).toBeUndefined();
      expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
      expect(withoutIntrospection.traffic()).toEqual([]);
    },
  );

  test('GraphiQL is not served when introspection is disabled', async () => {
    const response = await withoutIntrospection.fetch('/graphql', {
      headers: { accept: 'text/html' },
    });
    expect(await response.text()).toContain('The query editor is off');
    expect(withoutIntrospection.traffic()).toEqual([]);
  });
});
