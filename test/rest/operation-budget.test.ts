import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { SWEEP_INTERVAL_MS } from '#cache/memory-store.ts';
import { GatewayError } from '#errors/gateway-error.ts';
import { createRestClient, type RestClientOptions } from '#rest/client.ts';
import { Credential } from '#rest/credential.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createFetchTransport, type Transport } from '#rest/transport/transport.ts';
import type { Budget, UpstreamContext } from '#rest/upstream-context.ts';
import type { UpstreamRequest } from '#rest/upstream-request.ts';
import { createTestGateway, KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  createBudget,
  createUpstreamContext,
  NO_UPSTREAM_EVENTS,
} from '../support/upstream-context.ts';
import { createManualTimers } from './real-server.ts';

const NEVER_ABORTED = new AbortController().signal;
const KEY = 'sk_test_never_to_be_seen';

function createClient(transport: Transport, options: Partial<RestClientOptions> = {}) {
  const { send } = createRestClient({
    transport,
    userAgent: 'a-gateway/1',
    baseUrl: 'http://revox.test/api',
    timeoutMs: 1000,
    maxConcurrency: 2,
    maxConcurrencyTotal: 100,
    maxQueued: 100,
    retries: 0,
    breaker: { failures: 100, openMs: 1000 },
    events: NO_UPSTREAM_EVENTS,
    monotonicNow: () => 0,
    random: () => 0,
    maxResponseBytes: 2000,
    keyHolder: 'caller',
    acceptedCredentials: createAcceptedCredentials({ keyHolder: 'caller', monotonicNow: () => 0 }),
    now: () => 0,
    startTimer: () => () => {},
    ...options,
  });
  return send;
}

function context(
  signal: AbortSignal = NEVER_ABORTED,
  budget: Budget = createBudget(),
): UpstreamContext {
  return createUpstreamContext({ credential: new Credential(KEY), signal, budget });
}

/** An upstream request that accepts any response. */
function upstreamRequest(path: string): UpstreamRequest<unknown> {
  return { endpoint: '/call/{id}', path, query: '', parse: (body) => body };
}

/** Matches the requests of one path, and calls `onRequest` for each. */
function recordRequests(expected: string, onRequest: () => void) {
  return ({ path }: { readonly path: string }) => {
    const isMatch = path === expected;
    if (isMatch) onRequest();
    return isMatch;
  };
}

const found = () => Response.json({ call: { id: 'c' } });

describe('Request budget of an operation', () => {
  test('a field over the request budget is null with a code, and the rest of the response is complete', async () => {
    const gateway = createTestGateway({ settings: { MAX_UPSTREAM_REQUESTS: '2' } });
    const ids = gateway.sandbox.control
      .data(KEY_A)
      .calls.slice(0, 3)
      .map(({ id }) => id);

    const { data, errors } = await gateway.execute(
      'query ($ids: [ID!]!) { __typename calls(ids: $ids) { id } }',
      { ids },
    );

    expect(data).toEqual({ __typename: 'Query', calls: [{ id: ids[0] }, { id: ids[1] }, null] });
    expect(errors).toEqual([
      expect.objectContaining({
        path: ['calls', 2],
        extensions: { code: 'UPSTREAM_BUDGET_EXCEEDED' },
      }),
    ]);
    expect(errors?.[0]?.message).toContain('2 upstream requests');
    expect(gateway.traffic()).toEqual(ids.slice(0, 2).map((id) => `GET /call/${id}`));
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('each operation has its own request budget', async () => {
    const gateway = createTestGateway({ settings: { MAX_UPSTREAM_REQUESTS: '1' } });
    const [one, other] = gateway.sandbox.control.data(KEY_A).calls;
    const results = await Promise.all(
      [one!, other!, one!].map(({ id }) =>
        gateway.execute('query ($id: ID!) { call(id: $id) { id } }', { id }),
      ),
    );
    expect(results.map(({ data }) => data.call.id)).toEqual([one!.id, other!.id, one!.id]);
  });

  test('the request budget counts failed requests and no requests that were never sent', async () => {
    const budget = createBudget({ maxRequests: 3 });
    const leaving = new AbortController();
    const get = createClient(
      createFetchTransport(async () => {
        throw new Error('lost');
      }),
    );
    await expect(
      get(context(NEVER_ABORTED, budget), upstreamRequest('/call/a')),
    ).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    expect(budget.sentRequests).toBe(1);
    leaving.abort();
    await expect(
      get(context(leaving.signal, budget), upstreamRequest('/call/b')),
    ).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
    });
    expect(budget.sentRequests).toBe(1);
  });
});

describe('Deadline of an operation', () => {
  test('the deadline aborts pending upstream requests and keeps the data that has arrived', async () => {
    const timers = createManualTimers();
    const gateway = createTestGateway({
      settings: { REQUEST_DEADLINE_MS: '5000' },
      gateway: { startTimer: timers.startTimer, monotonicNow: () => 0 },
    });
    const { id } = gateway.sandbox.control.data(KEY_A).calls[0]!;
    const hanging = Promise.withResolvers<void>();
    gateway.sandbox.control.hang(recordRequests('/assistants/slow', hanging.resolve));

    const pending = gateway.execute(
      'query ($id: ID!) { call(id: $id) { id } assistant(id: "slow") { id } }',
      { id },
    );
    await hanging.promise;
    // The call has arrived when no request but the slow one is in flight.
    while (gateway.sandbox.control.inFlight() > 1) await new Promise(setImmediate);
    await new Promise(setImmediate);
    timers.elapse(5000);

    const { data, errors } = await pending;
    expect(data).toEqual({ call: { id }, assistant: null });
    expect(errors).toMatchObject([
      { path: ['assistant'], extensions: { code: 'UPSTREAM_TIMEOUT' } },
    ]);
    expect(gateway.sandbox.log.at(-1)).toMatchObject({ path: '/assistants/slow', aborted: true });
    timers.elapse(1_000);
    expect(timers.running).toEqual([SWEEP_INTERVAL_MS]);
  });

  test('a complete response leaves no deadline timer behind', async () => {
    const timers = createManualTimers();
    const gateway = createTestGateway({ gateway: { startTimer: timers.startTimer } });
    await gateway.execute('{ call(id: "absent") { id } }');
    await gateway.execute('{ call(id: "") { id } }');
    await gateway.execute('{ __typename }');
    expect(timers.running).toEqual([SWEEP_INTERVAL_MS]);
  });
});

describe('Concurrency of one credential', () => {
  test('requests of one credential wait for each other and not for those of another credential', async () => {
    const gateway = createTestGateway({
      settings: { REVOX_API_KEY: '', REVOX_MAX_CONCURRENCY: '1' },
    });
    const ofA = gateway.sandbox.control
      .data(KEY_A)
      .calls.slice(0, 2)
      .map(({ id }) => id);
    const { id: ofB } = gateway.sandbox.control.data(KEY_B).calls[0]!;
    const held = Promise.withResolvers<void>();
    gateway.sandbox.control.hang(recordRequests(`/call/${ofA[0]}`, held.resolve));
    const query = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';

    const slow = gateway.execute(query, { ids: ofA }, { authorization: `Bearer ${KEY_A}` });
    await held.promise;
    const { data } = await gateway.execute(
      query,
      { ids: [ofB] },
      { authorization: `Bearer ${KEY_B}` },
    );

    expect(data).toEqual({ calls: [{ id: ofB }] });
    expect(gateway.traffic()).toEqual([`GET /call/${ofA[0]}`, `GET /call/${ofB}`]);
    gateway.sandbox.control.release();
    expect((await slow).data).toEqual({ calls: ofA.map((id) => ({ id })) });
    expect(gateway.traffic()).toEqual([`GET /call/${ofA[1]}`]);
  });

  test('the timeout of an upstream request starts when the request has a slot, not when it is queued', async () => {
    const timers = createManualTimers();
    const pendingResponses: ((response: Response) => void)[] = [];
    const get = createClient(
      createFetchTransport(() => new Promise((resolve) => pendingResponses.push(resolve))),
      { maxConcurrency: 1, ...timers },
    );
    const first = get(context(), upstreamRequest('/call/a'));
    const second = get(context(), upstreamRequest('/call/b'));
    await new Promise(setImmediate);
    expect(timers.running).toEqual([1000]);
    pendingResponses[0]!(found());
    await first;
    await new Promise(setImmediate);
    expect(timers.running).toEqual([1000]);
    pendingResponses[1]!(found());
    expect((await second).value).toEqual({ call: { id: 'c' } });
    expect(timers.running).toEqual([]);
  });

  test('a queued request whose operation ends as its slot becomes free is not sent', async () => {
    const sent: string[] = [];
    const pendingResponses: ((response: Response) => void)[] = [];
    const fetch = ({ url, signal }: Request) => {
      signal.throwIfAborted();
      sent.push(url);
      return new Promise<Response>((resolve) => pendingResponses.push(resolve));
    };
    const get = createClient(
      createFetchTransport(async (request) => fetch(request)),
      { maxConcurrency: 1 },
    );
    const operation = new AbortController();
    const first = get(context(), upstreamRequest('/call/a')).then(() => operation.abort());
    const second = get(context(operation.signal), upstreamRequest('/call/b'));
    await new Promise(setImmediate);
    pendingResponses[0]!(found());
    await first;
    await expect(second).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    expect(sent).toEqual(['http://revox.test/api/call/a']);
  });
});

describe('Fetch implementations that deviate from Fetch', () => {
  test.each([401, 404, 429])(
    'a %i response whose body cannot be cancelled is mapped by its status',
    async (status) => {
      const sent: string[] = [];
      const get = createClient(
        createFetchTransport(async ({ url }) => {
          sent.push(url);
          return {
            status,
            headers: new Headers(),
            body: Readable.from(['no']),
          } as unknown as Response;
        }),
      );
      await expect(get(context(), upstreamRequest('/call/a'))).rejects.toMatchObject({ status });
      expect(sent).toEqual(['http://revox.test/api/call/a']);
    },
  );
});

describe('Fetch implementations that ignore their signal', () => {
  test('a fetch that ignores its signal is abandoned at the timeout', async () => {
    const timers = createManualTimers();
    const get = createClient(
      createFetchTransport(() => new Promise(() => {})),
      timers,
    );
    const pending = get(context(), upstreamRequest('/call/a'));
    await new Promise(setImmediate);
    timers.elapse(1000);
    await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  test('a fetch that rejects after its timeout causes no unhandled rejection', async () => {
    const timers = createManualTimers();
    const late = Promise.withResolvers<never>();
    const get = createClient(
      createFetchTransport(() => late.promise),
      timers,
    );
    const pending = get(context(), upstreamRequest('/call/a'));
    await new Promise(setImmediate);
    timers.elapse(1000);
    await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    late.reject(new Error('much later'));
    // An unhandled rejection would fail this run.
    await new Promise(setImmediate);
  });
});

describe('Parsed upstream responses', () => {
  test('a parsed response is frozen in depth, because several callers may share it', async () => {
    const get = createClient(
      createFetchTransport(async () =>
        Response.json({ call: { id: 'c', list: [{ deep: true }] } }),
      ),
    );
    const { value } = await get(context(), upstreamRequest('/call/c'));
    const { call } = value as { call: { list: { deep: boolean }[] } };
    expect([call, call.list, call.list[0]].map(Object.isFrozen)).toEqual([true, true, true]);
  });
});

describe('Confidentiality of the credential', () => {
  const FAILURES: [name: string, transport: Transport][] = [
    ...[301, 400, 401, 403, 404, 409, 410, 429, 500, 503].map((status): [string, Transport] => [
      String(status),
      createFetchTransport(
        async () =>
          new Response(`Bearer ${KEY}`, {
            status,
            headers: { 'www-authenticate': KEY, location: KEY },
          }),
      ),
    ]),
    ['no JSON', createFetchTransport(async () => new Response(`<b>${KEY}</b>`))],
    ['too many bytes', createFetchTransport(async () => new Response(KEY.repeat(200)))],
    [
      'too deep nesting',
      createFetchTransport(
        async () => new Response(`${'['.repeat(500)}"${KEY}"${']'.repeat(500)}`),
      ),
    ],
    [
      'a network failure',
      createFetchTransport(async () =>
        Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNRESET') })),
      ),
    ],
  ];

  test.each(FAILURES)(
    'an error after %s contains the credential in no printed form, and its message contains nothing of the response',
    async (_name, transport) => {
      const error: unknown = await createClient(transport)(
        context(),
        upstreamRequest('/call/secret-id'),
      ).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(GatewayError);
      expect(error).toMatchObject({
        method: 'GET',
        path: '/call/secret-id',
        message: expect.not.stringMatching(/secret|revox\.test|sk_test/),
      });
      const { cause, ...own } = error as Error;
      for (const shown of [
        inspect(own, { depth: null, showHidden: true, getters: true }),
        JSON.stringify(own),
        String(error),
        (error as Error).stack,
      ]) {
        expect(shown).not.toContain(KEY);
      }
      if (cause) expect((cause as Error).message).not.toContain(`Bearer ${KEY}`);
    },
  );

  test('no response and no log contains the credential, whatever fails', async () => {
    const logged: unknown[] = [];
    const note = (message: unknown) => logged.push(message);
    const gateway = createTestGateway({
      settings: { REVOX_API_KEY: '' },
      gateway: { log: { info: note, error: note, unexpected: note } },
    });
    const execute = () =>
      gateway.execute(
        '{ call(id: "x") { id } assistant(id: "y") { id } campaigns { nodes { id } } callAttempts { nodes { id } } }',
        {},
        { authorization: `Bearer ${KEY}` },
      );
    const results = [await execute()];
    for (const fault of ['reset', 'truncate'] as const) {
      gateway.sandbox.control.heal();
      gateway.sandbox.control[fault]('/');
      results.push(await execute());
    }
    expect(results.every(({ errors }) => errors?.length === 4)).toBe(true);
    expect(JSON.stringify(results)).not.toContain(KEY);
    expect(inspect(logged, { depth: null, showHidden: true })).not.toContain(KEY);
  });
});
