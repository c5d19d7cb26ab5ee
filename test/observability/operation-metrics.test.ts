import { describe, expect, test } from 'vitest';
import { createOperationNamer } from '#observability/operation-names.ts';
import { createClock } from '../support/clock.ts';
import { readMetrics, sumSamples } from '../support/metrics.ts';
import { createTestGateway } from '../support/test-gateway.ts';
import { seriesOf } from './recorded-metrics.ts';

describe('Operation metrics', () => {
  test('operations are counted by name and code, with their duration', async () => {
    const clock = createClock();
    const world = createTestGateway({
      gateway: { monotonicNow: clock.now },
      upstream: async (request) => {
        clock.pass(200);
        return world.sandbox.fetch(request);
      },
    });
    await world.execute('query Voices { assistants(first: 1) { nodes { id } } }');
    await world.execute('query Voices { assistants(first: 1) { nodes { id } } }');
    await world.execute('{ call(id: ".") { id } }');
    const samples = await readMetrics(world);
    expect(seriesOf(samples, 'operation_duration_seconds_count')).toEqual([
      { operation: 'Voices', code: 'OK', value: 2 },
      { operation: 'anonymous', code: 'BAD_USER_INPUT', value: 1 },
    ]);
    expect(
      sumSamples(samples, 'operation_duration_seconds_sum', { operation: 'Voices' }),
    ).toBeCloseTo(0.2);
    expect(sumSamples(samples, 'operation_overhead_seconds_count')).toBe(3);
    expect(world.traffic()).toEqual(['GET /assistants']);
  });

  test.each([
    { fastPath: true, responseCache: true, counts: { yoga: 1, fast: 1, cached: 3 } },
    { fastPath: true, responseCache: false, counts: { yoga: 1, fast: 4 } },
    { fastPath: false, responseCache: true, counts: { yoga: 2, cached: 3 } },
    { fastPath: false, responseCache: false, counts: { yoga: 5 } },
  ])(
    'operations are counted by the pipeline that produced the response: $counts with fastPath $fastPath and responseCache $responseCache',
    async ({ counts, ...gateway }) => {
      const world = createTestGateway({ gateway });
      const json = { 'content-type': 'application/json' };
      // Yoga executes the new document. A second execution with cache hits only is stored.
      for (let times = 0; times < 5; times += 1)
        await world.execute(
          'query Voices { assistants(first: 1) { nodes { id } } }',
          undefined,
          json,
        );
      await world.execute('{ nope }', undefined, json);
      expect(seriesOf(await readMetrics(world), 'operations_total')).toEqual(
        Object.entries(counts).map(([pipeline, value]) => ({
          operation: 'Voices',
          pipeline,
          value,
        })),
      );
      expect(world.traffic()).toEqual(['GET /assistants']);
    },
  );

  test('operations are counted while they are in progress', async () => {
    const response = Promise.withResolvers<Response>();
    const received = Promise.withResolvers<void>();
    const world = createTestGateway({
      upstream: () => {
        received.resolve();
        return response.promise;
      },
    });
    const execution = world.execute('{ assistants(first: 1) { nodes { id } } }');
    await received.promise;
    expect(sumSamples(await readMetrics(world), 'operations_in_progress')).toBe(1);
    response.resolve(new Response(null, { status: 500 }));
    await execution;
    expect(sumSamples(await readMetrics(world), 'operations_in_progress')).toBe(0);
  });

  test('operations are counted under a hundred names at most, all of valid and served operations', async () => {
    const world = createTestGateway();
    for (let number = 0; number < 300; number += 1)
      await world.execute(`query Invalid${number} { nope }`);
    expect(seriesOf(await readMetrics(world), 'operation_duration_seconds_count')).toEqual([]);
    // The gateway has not verified the key of these requests, so their operations get no name.
    for (let number = 0; number < 300; number += 1)
      await world.execute(`query Stranger${number} { __typename }`);
    expect(seriesOf(await readMetrics(world), 'operation_duration_seconds_count')).toEqual([
      { operation: 'other', code: 'OK', value: 300 },
    ]);
    for (let number = 0; number < 300; number += 1)
      await world.execute(`query Valid${number} { assistants(first: 1) { nodes { id } } }`);
    await world.execute(`query ${'X'.repeat(5_000)} { assistants(first: 1) { nodes { id } } }`);
    await world.execute('{ __typename }');
    const series = seriesOf(await readMetrics(world), 'operation_duration_seconds_count');
    expect(series).toHaveLength(102);
    expect(series).toContainEqual({ operation: 'Valid0', code: 'OK', value: 1 });
    expect(series).toContainEqual({ operation: 'other', code: 'OK', value: 501 });
    expect(series).toContainEqual({ operation: 'anonymous', code: 'OK', value: 1 });
  });

  test('ten thousand operation names are reduced to a hundred', () => {
    const nameOperation = createOperationNamer(100);
    const names = new Set(
      Array.from({ length: 10_000 }, (_, number) => nameOperation(`Q${number}`, true)),
    );
    expect(names.size).toBe(101);
    // A caller chooses the name: 64 characters are counted.
    const nameAnother = createOperationNamer();
    expect([nameAnother('x'.repeat(64), true), nameAnother('x'.repeat(65), true)]).toEqual([
      'x'.repeat(64),
      'other',
    ]);
    expect([
      nameOperation('Q1', false),
      nameOperation('Q9999', true),
      nameOperation(undefined, true),
    ]).toEqual(['Q1', 'other', 'anonymous']);
  });
});

describe('Rejection metrics', () => {
  test('a rejected request is counted once, by its code', async () => {
    const world = createTestGateway();
    await world.execute('{ nope }');
    await world.execute('{ nope');
    await world.execute('query A { __typename } query B { __typename }');
    expect(seriesOf(await readMetrics(world), 'requests_rejected_total')).toEqual([
      { code: 'GRAPHQL_VALIDATION_FAILED', value: 1 },
      { code: 'GRAPHQL_PARSE_FAILED', value: 1 },
      { code: 'BAD_USER_INPUT', value: 1 },
    ]);
  });

  test.each([
    ['MAX_TOKENS', `{ ${'__typename '.repeat(6_000)} }`],
    [
      'MAX_DEPTH',
      `{ ${'calls(ids: []) { campaign { rows { nodes { call { '.repeat(5)} id ${'}}}}}'.repeat(5)} }`,
    ],
    ['MAX_DEPTH', `{ ${'a { '.repeat(500)} ${'} '.repeat(500)} }`],
    ['MAX_ALIASES', `{ ${'__typename '.repeat(200)} }`],
    ['MAX_DIRECTIVES', `{ __typename ${'@skip(if: false) '.repeat(200)} }`],
    ['MAX_IDS', `{ calls(ids: [${'"x" '.repeat(101)}]) { id } }`],
    [
      'MAX_COST',
      '{ campaigns(first: 100) { nodes { rows(first: 100) { nodes { call { campaign { rows(first: 100) { nodes { id } } } } } } } } }',
    ],
    ['MAX_BODY_BYTES', `{ __typename } #${'x'.repeat(2 ** 20)}`],
  ])('a request over a limit is counted by the setting of the limit: %s', async (limit, query) => {
    const world = createTestGateway();
    const { errors } = await world.execute(query);
    expect(errors).toMatchObject([{ extensions: { code: 'OPERATION_TOO_COMPLEX' } }]);
    expect(seriesOf(await readMetrics(world), 'limit_exceeded_total')).toEqual([
      { limit, value: 1 },
    ]);
    expect(world.traffic()).toEqual([]);
  });

  test('a response over its size limit is counted by the setting of the limit', async () => {
    const world = createTestGateway({ settings: { MAX_ANSWER_BYTES: '1024' } });
    await world.execute('{ assistants(first: 50) { nodes { id name } } }');
    expect(seriesOf(await readMetrics(world), 'limit_exceeded_total')).toEqual([
      { limit: 'MAX_ANSWER_BYTES', value: 1 },
    ]);
  });
});
