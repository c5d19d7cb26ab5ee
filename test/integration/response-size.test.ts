import { describe, expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { measureCpu } from '../support/cpu-time.ts';
import { createTestGateway, KEY_A } from '../support/test-gateway.ts';

// An operation of a few kilobytes can select the same long text many times, and each time it is
// serialized.

/**
 * A gateway with long calls, of two attempts with 200 utterances each, and assistants with long
 * prompts.
 */
function createGatewayWithLongCalls(settings: Record<string, string> = {}) {
  const sandbox = createSandbox();
  const { calls, assistants } = sandbox.control.data(KEY_A);
  const transcript = Array.from({ length: 200 }, () => ({
    role: 'user',
    content: 'A sentence of some length in a transcript.  '.repeat(2),
  }));
  const gateway = createTestGateway({
    settings,
    upstream: async (request) => {
      const response = await sandbox.fetch(request);
      const body = (await response.json()) as {
        call?: { call_attempts: object[] };
        assistants?: object[];
      };
      if (body.call)
        body.call.call_attempts = [1, 2].map((id) => ({
          ...body.call?.call_attempts[0],
          id: `attempt-${id}`,
          transcript,
        }));
      if (body.assistants)
        body.assistants = body.assistants.map((assistant) => ({
          ...assistant,
          prompt: 'Be kind. '.repeat(900),
        }));
      return Response.json(body);
    },
  });
  const [call] = calls.filter(({ status }) => status === 'completed');
  return {
    ...gateway,
    callId: call!.id,
    assistantId: assistants[0]!.id,
    otherId: assistants[1]!.id,
  };
}

const repeat = (count: number, toText: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => toText(n)).join(' ');
const TRANSCRIPT_QUERY = 'callAttempts { transcript { role content } }';

describe('Response size limit', () => {
  test('an operation that selects one call many times is aborted during execution when its response exceeds the limit', async () => {
    const { execute, callId, traffic, unexpectedErrors } = createGatewayWithLongCalls();
    const query = `query ($ids: [ID!]!) { ${repeat(20, (n) => `a${n}: calls(ids: $ids) { ${TRANSCRIPT_QUERY} }`)} }`;
    const { cpuMs, result } = await measureCpu(() =>
      execute(query, { ids: Array(100).fill(callId) }),
    );
    expect(result).toEqual(TOO_LARGE);
    expect(result.errors?.[0]?.extensions).toMatchObject({ limit: 2 ** 24 });
    // The complete response would have 1,600,000 fields.
    expect(cpuMs).toBeLessThan(3_000);
    expect(traffic()).toEqual([`GET /call/${callId}`]);
    expect(unexpectedErrors).toEqual([]);
  });

  test('long strings count towards the response size limit', async () => {
    const { execute, assistantId, otherId, traffic, unexpectedErrors } =
      createGatewayWithLongCalls();
    const representations = Array.from({ length: 1_000 }, (_, n) => ({
      __typename: 'Assistant',
      id: n % 2 ? assistantId : otherId,
    }));
    const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on Assistant { ${repeat(75, (n) => `p${n}: prompt`)} } } }`;
    expect(await execute(query, { representations })).toEqual(TOO_LARGE);
    expect(traffic()).toEqual(['GET /assistants']);
    expect(unexpectedErrors).toEqual([]);
  });

  test('a response over MAX_ANSWER_BYTES is rejected with 400 for a client that accepts GraphQL responses, and a smaller one is sent', async () => {
    const { fetch, callId, execute, traffic } = createGatewayWithLongCalls({
      MAX_ANSWER_BYTES: '100000',
    });
    const query = `{ call(id: "${callId}") { id ${TRANSCRIPT_QUERY} } }`;
    const accept = 'application/graphql-response+json';
    const response = await fetch(`/graphql?query=${encodeURIComponent(query)}`, {
      headers: { accept },
    });
    expect([response.status, response.headers.get('cache-control')]).toEqual([400, 'no-store']);
    expect(await response.json()).toEqual(TOO_LARGE);
    expect(
      (await execute(`{ call(id: "${callId}") { id metadata callAttempts { id } } }`)).data.call
        .callAttempts,
    ).toHaveLength(2);
    expect(traffic()).toEqual([`GET /call/${callId}`]);
  });

  test('a response with forty long calls stays below the default response size limit', async () => {
    const { execute, sandbox, traffic } = createGatewayWithLongCalls();
    const ids = sandbox.control
      .data(KEY_A)
      .calls.slice(0, 40)
      .map(({ id }) => id);
    const { data, errors } = await execute(
      `query ($ids: [ID!]!) { calls(ids: $ids) { id ${TRANSCRIPT_QUERY} } }`,
      { ids },
    );
    expect(errors).toBeUndefined();
    expect(data.calls).toHaveLength(40);
    expect(traffic()).toHaveLength(40);
  });
});

describe('Measured response size', () => {
  const ALIAS = 'a'.repeat(250);
  const ATTEMPTS = (field: string) =>
    `{ callAttempts(first: 50) { nodes { ${repeat(20, (n) => `${ALIAS}${n}: ${field}`)} } } }`;

  test.each([
    ['response names', {}, ATTEMPTS('id')],
    [
      'response names of `__typename`, which has no resolver in the gateway',
      {},
      ATTEMPTS('__typename'),
    ],
    [
      'response names of `__typename` in a fragment',
      {},
      `{ callAttempts(first: 50) { nodes { ... { ...F } } } }
        fragment F on CallAttempt { ${repeat(20, (n) => `${ALIAS}${n}: __typename`)} }`,
    ],
    [
      'the schema itself',
      { INTROSPECTION: 'on' },
      `{ ${repeat(20, (n) => `a${n}: __schema { types { name description fields { name description } } }`)} }`,
    ],
    [
      'errors',
      {},
      `{ ${repeat(80, (n) => `${ALIAS}${n}: callAttempts(after: "${'ä'.repeat(300)}") { totalCount }`)} }`,
    ],
    [
      'an unrecognized value in the extensions',
      {},
      `{ callAttempts(first: 50) { nodes { status } } }`,
    ],
  ])(
    'the measured size of a response with %s is at least its serialized size',
    async (_, settings, query) => {
      const upstream = async (request: Request) => {
        const response = await createSandbox().fetch(request);
        const body = (await response.json()) as { calls?: object[] };
        const calls = body.calls?.map((attempt, n) => ({
          ...attempt,
          status: `\u0001\u0002${'新'.repeat(90)}${n}`,
        }));
        return Response.json({ ...body, ...(calls && { calls }) });
      };
      const withinLimit = createTestGateway({ settings, upstream });
      const response = await withinLimit.fetch('/graphql', post(query));
      const written = Buffer.byteLength(await response.text());
      expect(written).toBeGreaterThan(10_000);
      const overLimit = createTestGateway({
        settings: { ...settings, MAX_ANSWER_BYTES: String(written - 1) },
        upstream,
      });
      expect(await (await overLimit.fetch('/graphql', post(query))).json()).toEqual(TOO_LARGE);
      expect(withinLimit.traffic()).toEqual(overLimit.traffic());
      expect([...withinLimit.unexpectedErrors, ...overLimit.unexpectedErrors]).toEqual([]);
    },
  );

  test('the measured response size includes the upstream trace', async () => {
    const query = `{ ${repeat(90, (n) => `a${n}: call(id: "${n}${'x'.repeat(200)}") { id }`)} }`;
    const traced = { 'x-revox-trace': '1' };
    const withinLimit = createTestGateway({ settings: { UPSTREAM_TRACE: 'on' } });
    const written = Buffer.byteLength(
      await (await withinLimit.fetch('/graphql', post(query, traced))).text(),
    );
    const settings = { UPSTREAM_TRACE: 'on', MAX_ANSWER_BYTES: String(written - 100) };
    expect(
      await (await createTestGateway({ settings }).fetch('/graphql', post(query, traced))).json(),
    ).toEqual(TOO_LARGE);
    expect(withinLimit.unexpectedErrors).toEqual([]);
  });
});

const post = (query: string, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ query }),
});

const TOO_LARGE = {
  errors: [
    {
      message: expect.stringMatching(
        /^The size of the response, with an overhead for each field and list item, is at least \d+ bytes; at most \d+ are allowed \(MAX_ANSWER_BYTES\)\.$/,
      ),
      extensions: {
        code: 'OPERATION_TOO_COMPLEX',
        limit: expect.any(Number),
        measured: expect.any(Number),
      },
    },
  ],
};
