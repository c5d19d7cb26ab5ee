import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { readMetrics, sumSamples } from '../support/metrics.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { createPipelines } from '../support/pipelines.ts';
import { untilIdle } from '../support/timed-gateway.ts';
import { createCachingGateway } from './caching-gateway.ts';
import { CALL, expectSameOnAllPipelines, idsOf, post } from './pipeline-requests.ts';

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
