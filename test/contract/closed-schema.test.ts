import { describe, expect, test } from 'vitest';
import { createWorld, KEY_A, type World } from '../kit/world.ts';

const SETTINGS = { NODE_ENV: 'production', REVOX_API_KEY: '' };
const closed = createWorld({ settings: SETTINGS });
const open = createWorld({ settings: { ...SETTINGS, INTROSPECTION: 'on' } });

const STATUSES = 'query ($statuses: [CallStatus!]) { callAttempts(statuses: $statuses) { nodes { id } } }';

/** Almost the right names, where each kind of name stands. */
const GUESSES: {
  readonly [kind: string]: { readonly query: string; readonly variables?: Record<string, unknown>; readonly like: string };
} = {
  'a field': { query: '{ assistant(id: 1) { firstSentense } }', like: 'firstSentence' },
  'a root field': { query: '{ asistant(id: 1) { id } }', like: 'assistant' },
  'an argument': { query: '{ callAttempts(status: [COMPLETED]) { nodes { id } } }', like: 'statuses' },
  'a type': { query: '{ node(id: 1) { ... on Cal { id } } }', like: 'Call' },
  'a field of another type': { query: '{ node(id: 1) { toPhoneNumber } }', like: 'Call' },
  'a type of a variable': {
    query: 'query ($s: [CalStatus]) { callAttempts(statuses: $s) { nodes { id } } }',
    like: 'CallStatus',
  },
  'an enum value': { query: '{ callAttempts(statuses: [COMPLETE]) { nodes { id } } }', like: 'COMPLETED' },
  'an enum value in quotes': { query: '{ callAttempts(statuses: ["COMPLETED"]) { nodes { id } } }', like: 'COMPLETED' },
  'an enum value in a variable': { query: STATUSES, variables: { statuses: ['COMPLETE'] }, like: 'COMPLETED' },
  'an argument of a directive': { query: '{ __typename @include(iff: true) }', like: 'if' },
};

async function messagesOf(world: World, kind: string): Promise<string[]> {
  const { query, variables } = GUESSES[kind]!;
  const { errors = [] } = await world.ask(query, variables, { authorization: `Bearer ${KEY_A}` });
  expect(errors.length).toBeGreaterThan(0);
  expect(world.traffic()).toEqual([]);
  expect(world.bugs).toEqual([]);
  return errors.map(({ message }) => message);
}

describe('Who may not see the schema cannot guess it', () => {
  test.each(Object.keys(GUESSES))('%s that is almost right is wrong, and no more is said', async (kind) => {
    const messages = await messagesOf(closed, kind);
    expect(messages.filter((message) => /did you mean|\?/i.test(message))).toEqual([]);
    // The message is whole without it, and names what was asked.
    for (const message of messages) expect(message).toMatch(/[.!"\]]$/);

    const told = await messagesOf(open, kind);
    expect(told).toContainEqual(expect.stringMatching(new RegExp(`Did you mean .*"@?${GUESSES[kind]!.like}"`)));
    expect(told.map((message) => message.replace(/ Did you mean .*$/, ''))).toEqual(messages);
  });

  test('what they asked for is said in full, whatever they call it', async () => {
    const text = 'x Did you mean "y"? z';
    const { errors } = await closed.ask(STATUSES, { statuses: [text] }, { authorization: `Bearer ${KEY_A}` });
    expect(errors).toMatchObject([
      { message: expect.stringMatching(/"\? z" does not exist in "CallStatus" enum\.$/), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(closed.traffic()).toEqual([]);
  });

  test.each(['{ __schema { types { name } } }', '{ __type(name: "Call") { fields { name } } }'])(
    'nor ask for it: %s',
    async (query) => {
      const { data, errors } = await closed.ask(query, {}, { authorization: `Bearer ${KEY_A}` });
      expect(data).toBeUndefined();
      expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
      expect(closed.traffic()).toEqual([]);
    },
  );

  test('nor see GraphiQL', async () => {
    const response = await closed.fetch('/graphql', { headers: { accept: 'text/html' } });
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  });
});
