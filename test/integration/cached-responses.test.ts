import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type SampleIds, sampleIds } from '#sandbox/sample-ids.ts';
import { writeDocuments } from '../support/document-files.ts';
import { readMetrics, sumSamples } from '../support/metrics.ts';
import { operationCosts } from '../support/operation-costs.ts';
import {
  createObservedGateway,
  createPipelines,
  type ObservedGateway,
} from '../support/pipelines.ts';
import { KEY_A, KEY_B, NO_RETRIES, type TestGatewayOptions } from '../support/test-gateway.ts';
import { untilIdle } from '../support/timed-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';
import {
  ASSISTANTS,
  CALL,
  callOf,
  expectSameOnAllPipelines,
  idsOf,
  post,
} from './pipeline-requests.ts';

/**
 * A gateway with a response cache. The first request of a document goes through the Yoga pipeline;
 * the response to the second one is cached.
 */
async function createCachingGateway(
  init: (gateway: ObservedGateway) => RequestInit = callOf,
  options: TestGatewayOptions = {},
) {
  const testGateway = createObservedGateway('cached', options);
  const send = async (given = init(testGateway)) => {
    const response = await testGateway.fetch('/graphql', given);
    const text = await response.text();
    return {
      text,
      result: JSON.parse(text),
      age: response.headers.get('cache-control'),
      opened: testGateway.takeStartedOperations(),
    };
  };
  return { ...testGateway, send };
}

describe('Response cache of a repeated operation', () => {
  test('the third request of an operation is served from the response cache with the remaining max-age', async () => {
    const { send, clock, traffic, sandbox } = await createCachingGateway();
    const { richCallId } = sampleIds(sandbox);
    const first = await send();
    expect(first).toMatchObject({ age: 'private, max-age=600', opened: 1 });
    expect(traffic()).toEqual([`GET /call/${richCallId}`]);
    clock.pass(10_000);
    expect(await send()).toEqual({ ...first, age: 'private, max-age=590', opened: 1 });
    clock.pass(10_000);
    expect(await send()).toEqual({ ...first, age: 'private, max-age=580', opened: 0 });
    clock.pass(579_999);
    expect(await send()).toEqual({ ...first, age: 'private, max-age=0', opened: 0 });
    expect(traffic()).toEqual([]);
  });

  test.each(operationCosts.map((operation) => [operation.name, operation] as const))(
    'a cached response equals a computed one: %s',
    async (_, { query, variables }) => {
      const pipelines = createPipelines();
      const init = post({ query, variables: variables?.(idsOf(pipelines.gateways.yoga)) });
      await expectSameOnAllPipelines(pipelines, init);
      // Some entries are still fresh, others have expired.
      for (const ms of [1_200, 34_000]) {
        await pipelines.each(({ clock }) => clock.pass(ms));
        await expectSameOnAllPipelines(pipelines, init, 2);
        await untilIdle();
      }
    },
  );

  test.each(['call', 'assistant', 'campaign', 'nothing'] as const)(
    'every pipeline sends the same response for a node of kind "%s"',
    async (kind) => {
      const pipelines = createPipelines();
      const query = 'query ($id: ID!) { node(id: $id) { id __typename } }';
      const { richCallId, frenchAssistantId, finishedCampaignId, twentyCallIds } = idsOf(
        pipelines.gateways.yoga,
      );
      const ids = {
        call: richCallId,
        assistant: frenchAssistantId,
        campaign: finishedCampaignId,
        nothing: 'nothing',
      };
      // The document is warm: the response that costs three upstream requests could be cached.
      await expectSameOnAllPipelines(
        pipelines,
        post({ query, variables: { id: twentyCallIds[0] } }),
        2,
      );
      await expectSameOnAllPipelines(pipelines, post({ query, variables: { id: ids[kind] } }));
    },
  );

  test('every pipeline sends the same response when a warm document is requested with new variables', async () => {
    const pipelines = createPipelines({ settings: { REVOX_FIRST_PAGE: 'auto' } });
    const { fiveAssistantIds, twentyCallIds } = idsOf(pipelines.gateways.yoga);
    const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';
    await expectSameOnAllPipelines(pipelines, post({ query, variables: { ids: [] } }), 2);
    await expectSameOnAllPipelines(
      pipelines,
      post({ query, variables: { ids: fiveAssistantIds } }),
    );
    await expectSameOnAllPipelines(
      pipelines,
      post({ query, variables: { ids: [...twentyCallIds.slice(0, 3), ...fiveAssistantIds] } }),
    );
    const pages =
      'query ($first: Int, $after: String) { callAttempts(first: $first, after: $after, statuses: [COMPLETED]) { pageInfo { endCursor hasNextPage } nodes { id } } }';
    await expectSameOnAllPipelines(pipelines, post({ query: pages, variables: { first: 0 } }), 2);
    const { result } = await (async () => {
      const response = await pipelines.gateways.yoga.fetch(
        '/graphql',
        post({ query: pages, variables: { first: 45 } }),
      );
      for (const name of ['cached', 'fast', 'cachedYoga'] as const)
        await pipelines.gateways[name].fetch(
          '/graphql',
          post({ query: pages, variables: { first: 45 } }),
        );
      return {
        result: (await response.json()) as {
          data: { callAttempts: { pageInfo: { endCursor: string } } };
        },
      };
    })();
    const after = result.data.callAttempts.pageInfo.endCursor;
    await pipelines.each(({ clock }) => clock.pass(600));
    await expectSameOnAllPipelines(
      pipelines,
      post({ query: pages, variables: { first: 45, after } }),
    );
  });

  test('a cached response counts as memory hits of its dependencies in the metrics and in the log', async () => {
    const { send, capturedLog, takeStartedOperations, ...gateway } = await createCachingGateway(
      ({ sandbox }) => {
        const { richCallId, frenchAssistantId } = sampleIds(sandbox);
        return post({
          query: 'query Two($c: ID!, $a: ID!) { call(id: $c) { id } assistant(id: $a) { name } }',
          variables: { c: richCallId, a: frenchAssistantId },
        });
      },
    );
    await send();
    await send();
    const before = await readMetrics(gateway);
    expect((await send()).opened).toBe(0);
    const after = await readMetrics(gateway);
    for (const endpoint of ['/call/{id}', '/assistants/{id}']) {
      const labels = { endpoint, source: 'memory' };
      expect(
        sumSamples(after, 'upstream_lookups_total', labels) -
          sumSamples(before, 'upstream_lookups_total', labels),
      ).toBe(1);
    }
    expect(
      sumSamples(after, 'operation_duration_seconds_count', { operation: 'Two', code: 'OK' }),
    ).toBe(3);
    expect(capturedLog.read('/graphql').at(-1)).toMatchObject({
      operation: 'Two',
      operationType: 'query',
      status: 200,
      code: 'OK',
      cacheHits: 2,
      upstreamRequests: 0,
      coalesced: 0,
      stale: 0,
      document: expect.stringMatching(/^query Two/),
      variables: expect.stringMatching(/^\{"c":/),
    });
  });
});

describe('Response cache key', () => {
  test.each<[string, (id: string) => unknown]>([
    [
      'whitespace',
      (id) => `  { "query" : ${JSON.stringify(CALL)} ,  "variables" : { "id" : "${id}" } }  \n\t`,
    ],
    ['the order of properties', (id) => ({ variables: { id }, query: CALL })],
    [
      'JSON escapes',
      (id) =>
        `{"query":${JSON.stringify(CALL).replace('C', '\\u0043')},"variables":{"id":"${id}"}}`,
    ],
    [
      'the name of the operation',
      (id) => ({ query: CALL, variables: { id }, operationName: 'Card' }),
    ],
    [
      'an extension',
      (id) => ({ query: CALL, variables: { id }, extensions: { client: { name: 'web' } } }),
    ],
    [
      'a variable that the operation does not declare',
      (id) => ({ query: CALL, variables: { junk: [1], id } }),
    ],
    ['nulls', (id) => ({ query: CALL, variables: { id }, operationName: null, extensions: null })],
  ])('requests that differ only in %s share one cached response', async (_, toParams) => {
    const { send, sandbox, traffic } = await createCachingGateway();
    for (let time = 0; time < 2; time += 1) await send();
    traffic();
    const { richCallId } = sampleIds(sandbox);
    expect(await send(post(toParams(richCallId)))).toMatchObject({
      opened: 0,
      result: { data: { call: { id: richCallId } } },
    });
    expect(traffic()).toEqual([]);
  });

  test('twenty concurrent clients receive one large cached response without an operation or an upstream request', async () => {
    const { send, sandbox, traffic } = await createCachingGateway(({ sandbox }) =>
      post({
        query: 'query ($id: ID!) { assistant(id: $id) { prompt } }',
        variables: { id: sampleIds(sandbox).frenchAssistantId },
      }),
    );
    const prompt = 'é'.repeat(200_000);
    sandbox.control.transform(/^\/assistants\//, (assistant) => ({ ...assistant, prompt }));
    for (let time = 0; time < 2; time += 1) await send();
    traffic();
    const responses = await Promise.all(Array.from({ length: 20 }, () => send()));
    expect(responses.reduce((sum, { opened }) => sum + opened, 0)).toBe(0);
    for (const { result } of responses) expect(result).toEqual({ data: { assistant: { prompt } } });
    expect(traffic()).toEqual([]);
  });
});

describe('Responses that are not cached', () => {
  test.each([
    [
      'a response with a live call',
      ({ liveCallId }: SampleIds) => ({ query: CALL, variables: { id: liveCallId } }),
      {},
    ],
    ['an error response', () => ({ query: CALL, variables: { id: '' } }), {}],
    [
      'a response with an upstream trace',
      ({ richCallId }: SampleIds) => ({ query: CALL, variables: { id: richCallId } }),
      { 'x-revox-trace': '1' },
    ],
    [
      'a response without upstream data',
      () => ({ query: '{ __typename __schema { queryType { name } } }' }),
      {},
    ],
    [
      'the response to a request body of 20 kB',
      ({ richCallId }: SampleIds) => ({
        query: `${CALL} #${'long'.repeat(5_000)}`,
        variables: { id: richCallId },
      }),
      {},
    ],
  ])('%s is never cached', async (_, params, headers) => {
    const pipelines = createPipelines();
    const init = post(params(idsOf(pipelines.gateways.yoga)), headers);
    expect(await expectSameOnAllPipelines(pipelines, init)).toEqual([1, 1, 1, 1]);
  });

  test('a response with an unrecognized enum value is never cached, and its drift is reported and counted each time', async () => {
    const pipelines = createPipelines();
    const { richCallId } = idsOf(pipelines.gateways.yoga);
    await pipelines.each(({ sandbox }) =>
      sandbox.control.transform(`/call/${richCallId}`, (call) => ({ ...call, status: 'odd' })),
    );
    // The gateway treats a call with an unrecognized status as live and does not cache it for that
    // reason; the drift of an assistant has no such effect.
    await pipelines.each(({ sandbox }) =>
      sandbox.control.transform(/^\/assistants\//, (assistant) => ({
        ...assistant,
        first_sentence_mode: 'odd',
      })),
    );
    const query = 'query ($id: ID!) { assistant(id: $id) { firstSentenceMode } }';
    const init = post({
      query,
      variables: { id: idsOf(pipelines.gateways.yoga).frenchAssistantId },
    });
    expect(await expectSameOnAllPipelines(pipelines, init)).toEqual([1, 1, 1, 1]);
    const { observed } = await pipelines.observe(init);
    expect(observed.cached).toMatchObject({ text: expect.stringContaining('"unrecognized":[{') });
  });

  test('a stale response is never cached, neither during revalidation nor during an upstream failure', async () => {
    const pipelines = createPipelines({ settings: NO_RETRIES });
    const init = callOf(pipelines.gateways.yoga);
    await expectSameOnAllPipelines(pipelines, init, 3);
    await pipelines.each(({ clock, sandbox }) => {
      clock.pass(600_000);
      sandbox.control.hang(() => true);
    });
    // Stale responses are served while the revalidation is in flight.
    for (let time = 0; time < 3; time += 1) {
      await expectSameOnAllPipelines(pipelines, init, 1);
      await untilIdle();
    }
    expect((await pipelines.observe(init)).observed.cached).toMatchObject({
      headers: { 'cache-control': 'no-store' },
    });
    await pipelines.each(({ sandbox }) => sandbox.control.heal());
    await untilIdle();
    await expectSameOnAllPipelines(pipelines, init, 3);
    await pipelines.each(({ sandbox, clock }) => {
      sandbox.control.fail(() => true, { status: 503 });
      clock.pass(660_000);
    });
    await expectSameOnAllPipelines(pipelines, init, 3);
    expect((await pipelines.observe(init)).observed.cached).toMatchObject({
      headers: { 'cache-control': 'no-store' },
      log: [
        { msg: 'upstream request failed', status: 503 },
        { msg: 'request', stale: 1, code: 'OK' },
      ],
    });
    await pipelines.each(({ sandbox }) => sandbox.control.heal());
    const opened = await expectSameOnAllPipelines(pipelines, init, 3);
    expect(opened.at(-1)).toBe(0);
  });

  test('a response is not cached when the freshness of its endpoint is 0', async () => {
    const pipelines = createPipelines({ settings: { FRESHNESS_ENDED_CALL_MS: '0' } });
    expect(await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga))).toEqual([
      1, 1, 1, 1,
    ]);
  });
});

describe('Response cache invalidation', () => {
  test('a newer upstream response that another operation receives invalidates every cached response that depends on it', async () => {
    const { send, execute, sandbox, traffic, clock } = await createCachingGateway(({ sandbox }) =>
      post({
        query: 'query ($id: ID!) { assistant(id: $id) { name } }',
        variables: { id: sampleIds(sandbox).frenchAssistantId },
      }),
    );
    const { frenchAssistantId: id, fiveAssistantIds } = sampleIds(sandbox);
    for (let time = 0; time < 3; time += 1) await send();
    expect((await send()).opened).toBe(0);
    sandbox.control.transform(/^\/assistants$/, (list) =>
      JSON.parse(JSON.stringify(list), (_, value) =>
        value?.id === id ? { ...value, name: 'renamed' } : value,
      ),
    );
    traffic();
    clock.pass(5);
    await execute(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { id } assistants(first: 1) { nodes { id } } }',
      {
        ids: fiveAssistantIds.slice(0, 2),
      },
    );
    expect(traffic()).toContain('GET /assistants');
    expect((await send()).result.data.assistant.name).toBe('renamed');
    expect(traffic()).toEqual([]);
  });

  test('a response cached for an API key is not served after the upstream has rejected that key', async () => {
    const { send, execute, sandbox, traffic } = await createCachingGateway(callOf, {
      settings: NO_RETRIES,
    });
    for (let time = 0; time < 3; time += 1) await send();
    traffic();
    sandbox.control.fail('/call/elsewhere', { status: 401, times: 1 });
    await execute(CALL, { id: 'elsewhere' });
    traffic();
    sandbox.control.reset(() => true);
    expect((await send()).result).toMatchObject({
      data: { call: null },
      errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
    });
    expect(traffic()).toHaveLength(1);
  });

  test('a response that is in flight when its API key is rejected is delivered but not cached', async () => {
    const { send, execute, sandbox, traffic, takeStartedOperations } = await createCachingGateway(
      callOf,
      {
        settings: NO_RETRIES,
      },
    );
    const { retriedCallId } = sampleIds(sandbox);
    await send();
    const { promise: late, resolve: arrive } = Promise.withResolvers<void>();
    sandbox.control.delay(`/call/${retriedCallId}`, late, 1);
    const init = post({ query: CALL, variables: { id: retriedCallId } });
    const onItsWay = send(init);
    await untilIdle();
    sandbox.control.fail('/call/elsewhere', { status: 401, times: 1 });
    await execute(CALL, { id: 'elsewhere' });
    arrive();
    expect((await onItsWay).result.data.call.id).toBe(retriedCallId);
    traffic();
    takeStartedOperations();
    expect((await send(init)).opened).toBe(1);
    expect(traffic()).toEqual([`GET /call/${retriedCallId}`]);
  });

  test('a cached response older than a minute is served only after an upstream request with the same API key has succeeded', async () => {
    const headers = { authorization: `Bearer ${KEY_A}` };
    const pipelines = createPipelines({ settings: { REVOX_API_KEY: '' } });
    const init = callOf(pipelines.gateways.yoga, headers);
    await expectSameOnAllPipelines(pipelines, init, 3);
    await pipelines.each(({ clock }) => clock.pass(59_999));
    expect(await expectSameOnAllPipelines(pipelines, init, 1)).toEqual([0]);
    await pipelines.each(({ clock }) => clock.pass(1));
    expect(await expectSameOnAllPipelines(pipelines, init, 3)).toEqual([1, 1, 0]);
    await pipelines.each(({ clock, sandbox }) => {
      clock.pass(60_000);
      sandbox.control.fail(() => true, { status: 401 });
    });
    expect(await expectSameOnAllPipelines(pipelines, init, 3)).toEqual([1, 1, 1]);
  });
});

describe('Response cache isolation', () => {
  test('a response cached for one API key is never served to another API key that sends the same request', async () => {
    const pipelines = createPipelines({ settings: { REVOX_API_KEY: '' } });
    const results = [];
    for (const key of [KEY_A, KEY_B, KEY_A, KEY_B, KEY_A, KEY_B]) {
      const init = post({ query: ASSISTANTS }, { authorization: `Bearer ${key}` });
      await expectSameOnAllPipelines(pipelines, init, 2);
      const { observed: now, startedOperations } = await pipelines.observe(init);
      results.push({
        text: (now.cached as { text: string }).text,
        opened: startedOperations.cached,
      });
    }
    expect(new Set(results.map(({ text }) => text)).size).toBe(2);
    expect(results[0]?.text).not.toBe(results[1]?.text);
    expect(results.at(-1)?.opened).toBe(0);
  });

  test('an invalid API key is rejected even when the response is cached for a valid key', async () => {
    const pipelines = createPipelines({ settings: { REVOX_API_KEY: '' } });
    await expectSameOnAllPipelines(
      pipelines,
      callOf(pipelines.gateways.yoga, { authorization: `Bearer ${KEY_A}` }),
      3,
    );
    for (const authorization of ['Bearer sk_made_up', `bearer  ${KEY_A}x`, `Basic ${KEY_A}`, '']) {
      await expectSameOnAllPipelines(
        pipelines,
        callOf(pipelines.gateways.yoga, { authorization }),
        2,
      );
    }
  });

  test('two token subjects that share the API key of the gateway share cached responses, and a token without the scope is rejected', async () => {
    const key = await createKey('one');
    const pipelines = createPipelines({
      settings: JWT_SETTINGS,
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    const exp = pipelines.gateways.yoga.clock.now() / 1000 + 100;
    const tokenOf = async (claims = {}) => ({
      authorization: `Bearer ${await sign(key, { ...VALID_CLAIMS, exp, ...claims })}`,
    });
    const [one, other, narrow] = [
      await tokenOf({ sub: 'one' }),
      await tokenOf({ sub: 'other' }),
      await tokenOf({ scope: 'profile' }),
    ];
    expect(
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, one), 3),
    ).toEqual([1, 1, 0]);
    expect(
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, other), 1),
    ).toEqual([0]);
    expect(
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, narrow), 2),
    ).toEqual([0, 0]);
    expect(
      (await pipelines.observe(callOf(pipelines.gateways.yoga, narrow))).observed.cached,
    ).toMatchObject({
      status: 403,
    });
    await pipelines.each(({ clock }) => clock.pass(200_000));
    expect(
      (await pipelines.observe(callOf(pipelines.gateways.yoga, one))).observed.cached,
    ).toMatchObject({
      status: 401,
    });
  });

  test('a cached response is served to a router with a valid secret and to no request with a wrong or missing one', async () => {
    const pipelines = createPipelines({
      settings: { ROUTER_SECRETS: 'a-router-secret-of-length' },
    });
    const right = { 'router-authorization': 'a-router-secret-of-length' };
    expect(
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, right), 3),
    ).toEqual([1, 1, 0]);
    for (const headers of [
      {},
      { 'router-authorization': 'wrong' },
      { 'router-authorization': '' },
    ]) {
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, headers), 2);
      expect(
        (await pipelines.observe(callOf(pipelines.gateways.yoga, headers))).observed.cached,
      ).toMatchObject({ status: 401 });
    }
    // A request for a federated trace is executed: a cached response has no timings.
    const traced = callOf(pipelines.gateways.yoga, {
      ...right,
      'apollo-federation-include-trace': 'ftv1',
    });
    const { startedOperations, observed } = await pipelines.observe(traced);
    expect(startedOperations.cached).toBe(1);
    expect(observed.cached).toMatchObject({
      text: expect.stringContaining('"ftv1"'),
      headers: { 'cache-control': 'no-store' },
    });
  });

  test('a document that only routers may send is rejected when a client without the router secret sends it', async () => {
    const secret = { 'router-authorization': 'a-router-secret-of-length' };
    const path = writeDocuments({ 'relay.json': { card: CALL } });
    const settings = { TRUSTED_DOCUMENTS: path, TRUSTED_DOCUMENTS_ONLY: 'on' };
    const key = await createKey('one');
    const pipelines = createPipelines({
      settings: { ...settings, ...JWT_SETTINGS, ROUTER_SECRETS: 'a-router-secret-of-length' },
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    const exp = pipelines.gateways.yoga.clock.now() / 1000 + 100_000;
    const client = {
      authorization: `Bearer ${await sign(key, { ...VALID_CLAIMS, exp, sub: 'one' })}`,
    };
    const id = idsOf(pipelines.gateways.yoga).richCallId;
    const entities = {
      query:
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Call { id status } } }',
      variables: { r: [{ __typename: 'Call', id }] },
    };
    await expectSameOnAllPipelines(pipelines, post(entities, secret));
    await expectSameOnAllPipelines(pipelines, post(entities, client));
    expect((await pipelines.observe(post(entities, client))).observed.cached).toMatchObject({
      log: [{ code: 'FORBIDDEN' }],
      traffic: [],
    });
    // Routers and clients may send a trusted document by its id or in full.
    const variables = { id };
    const sha256Hash = createHash('sha256').update(CALL).digest('hex');
    for (const headers of [secret, client]) {
      await expectSameOnAllPipelines(pipelines, post({ documentId: 'card', variables }, headers));
      await expectSameOnAllPipelines(pipelines, post({ query: CALL, variables }, headers));
      await expectSameOnAllPipelines(
        pipelines,
        post({ extensions: { persistedQuery: { version: 1, sha256Hash } }, variables }, headers),
      );
      await expectSameOnAllPipelines(pipelines, post({ query: `${CALL} `, variables }, headers));
      await expectSameOnAllPipelines(pipelines, post({ documentId: 'other', variables }, headers));
    }
  });
});
