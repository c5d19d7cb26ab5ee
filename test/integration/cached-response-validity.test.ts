import { describe, expect, test } from 'vitest';
import { type SampleIds, sampleIds } from '#sandbox/sample-ids.ts';
import { createPipelines } from '../support/pipelines.ts';
import { KEY_A, NO_RETRIES } from '../support/test-gateway.ts';
import { untilIdle } from '../support/timed-gateway.ts';
import { createCachingGateway } from './caching-gateway.ts';
import { CALL, callOf, expectSameOnAllPipelines, idsOf, post } from './pipeline-requests.ts';

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
