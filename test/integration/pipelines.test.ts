import { describe, expect, test } from 'vitest';
import { createPipelines } from '../support/pipelines.ts';
import { ASSISTANTS, CALL, expectSameOnAllPipelines, idsOf, post } from './pipeline-requests.ts';

describe('Pipeline equivalence', () => {
  const TWO =
    'query A { assistants(first: 1) { nodes { id } } } query B { assistants(first: 2) { nodes { id } } }';

  test('every pipeline executes the operation that operationName selects', async () => {
    const pipelines = createPipelines();
    for (const operationName of ['A', 'B', 'A', 'B', 'C', undefined, null, '', 'A']) {
      await expectSameOnAllPipelines(pipelines, post({ query: TWO, operationName }), 3);
    }
  });

  test('a document with one invalid operation is rejected by every pipeline, whichever operation is selected', async () => {
    const pipelines = createPipelines({ settings: { MAX_ALIASES: '2', MAX_COST: '300' } });
    const dear = 'query ($n: Int) { callAttempts(first: $n) { nodes { id } } }';
    for (const n of [1, 1, 1, 100, 1, 'x', null])
      await expectSameOnAllPipelines(pipelines, post({ query: dear, variables: { n } }), 2);
    const mixed =
      'query A { assistants { nodes { id } } } query B { callAttempts(first: 100) { nodes { id callId } } }';
    for (const operationName of ['A', 'B', 'A'])
      await expectSameOnAllPipelines(pipelines, post({ query: mixed, operationName }), 2);
    const aliased = 'query A { __typename } query B { a: __typename b: __typename c: __typename }';
    for (const operationName of ['A', 'B', 'A'])
      await expectSameOnAllPipelines(pipelines, post({ query: aliased, operationName }), 2);
    const written = 'query A { __typename } mutation B { x } subscription C { y }';
    for (const operationName of ['A', 'B', 'C', 'A'])
      await expectSameOnAllPipelines(pipelines, post({ query: written, operationName }), 2);
  });

  test('every pipeline rejects introspection where it is disabled', async () => {
    const pipelines = createPipelines({ settings: { INTROSPECTION: 'off' } });
    const query = 'query A { assistants { nodes { id } } } query B { __schema { types { name } } }';
    for (const operationName of ['A', 'B', 'A'])
      await expectSameOnAllPipelines(pipelines, post({ query, operationName }), 2);
    await expectSameOnAllPipelines(
      pipelines,
      post({ query: 'query ($id: ID!) { call(id: $id) { id } }', variables: { ids: 1 } }),
      3,
    );
  });

  test('every pipeline sends the same response for each combination of variables and Accept header', async () => {
    const pipelines = createPipelines();
    const { richCallId, retriedCallId } = idsOf(pipelines.gateways.yoga);
    for (const accept of [
      'application/json',
      'application/graphql-response+json',
      '*/*',
      'text/event-stream',
      'multipart/mixed',
    ]) {
      for (const id of [richCallId, retriedCallId, [richCallId], null, '..']) {
        await expectSameOnAllPipelines(
          pipelines,
          post({ query: CALL, variables: { id } }, { accept }),
          3,
        );
      }
    }
  });

  /** Some of these headers prefer JSON: such a subscription takes the plain pipeline to Yoga. */
  test.each([
    ['text/event-stream', 200],
    ['multipart/mixed;subscriptionSpec="1.0", application/json', 200],
    ['*/*', 200],
    ['application/json, text/event-stream;q=0.5', 200],
    ['application/json', 406],
    ['application/json;callbackSpec=1.0, application/json', 406],
  ])('every pipeline responds alike to a subscription with Accept: %s', async (accept, status) => {
    const pipelines = createPipelines();
    const { richCallId: id } = idsOf(pipelines.gateways.yoga);
    const init = post(
      {
        query: 'subscription ($id: ID!) { callUpdated(id: $id) { id status } }',
        variables: { id },
        extensions: {
          subscription: { callbackUrl: 'http://router.test/1', subscriptionId: '1', verifier: 'x' },
        },
      },
      { accept },
    );
    const first = await pipelines.observe(init);
    expect(first.observed.yoga).toMatchObject({
      status,
      text: expect.stringMatching(status === 200 ? /"status":"COMPLETED"/ : /BAD_USER_INPUT/),
      traffic: status === 200 ? [`GET /call/${id}`] : [],
    });
    for (const name of ['cached', 'fast', 'cachedYoga'] as const)
      expect(first.observed[name], name).toEqual(first.observed.yoga);
    // The document is known now, and the call is cached.
    await expectSameOnAllPipelines(pipelines, init, 2);
  });

  test('every pipeline sends the same response for each combination of URL and HTTP method', async () => {
    const pipelines = createPipelines();
    await expectSameOnAllPipelines(pipelines, post({ query: ASSISTANTS }), 3);
    for (const [url, init] of [
      [
        `/graphql?query=${encodeURIComponent(ASSISTANTS)}`,
        { headers: { accept: 'application/json' } },
      ],
      [`/graphql?query=${encodeURIComponent(ASSISTANTS)}`, { method: 'HEAD' }],
      ['/graphql?query={__typename}', post({ query: ASSISTANTS })],
      ['/graphql?x=/graphql', post({ query: ASSISTANTS })],
      ['/graphql/', post({ query: ASSISTANTS })],
      ['/a/graphql', post({ query: ASSISTANTS })],
      ['//localhost//graphql', post({ query: ASSISTANTS })],
      ['/graphql', { ...post({ query: ASSISTANTS }), method: 'PUT' }],
      [
        '/graphql',
        {
          method: 'OPTIONS',
          headers: { origin: 'https://x.test', 'access-control-request-method': 'POST' },
        },
      ],
    ] as const) {
      for (let time = 0; time < 2; time += 1) {
        const { observed } = await pipelines.observe(init, url);
        expect(observed.cached, url).toEqual(observed.yoga);
        expect(observed.fast, url).toEqual(observed.yoga);
      }
    }
  });

  test('every pipeline sends the same response for each origin, content type and encoding', async () => {
    const pipelines = createPipelines({ settings: { CORS_ORIGINS: 'https://app.example' } });
    await expectSameOnAllPipelines(pipelines, post({ query: ASSISTANTS }), 3);
    for (const headers of [
      { origin: 'https://app.example' },
      { origin: 'https://other.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-encoding': 'gzip' },
      { 'accept-encoding': 'br' },
      { 'accept-encoding': 'identity;q=0' },
    ]) {
      await expectSameOnAllPipelines(
        pipelines,
        post({ query: ASSISTANTS }, headers as unknown as Record<string, string>),
        2,
      );
    }
    await expectSameOnAllPipelines(pipelines, post([{ query: ASSISTANTS }]), 2);
  });
});
