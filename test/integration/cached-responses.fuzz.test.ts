import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createPipelines, type ObservedGateway } from '../support/pipelines.ts';
import { KEY_A, KEY_B, NO_RETRIES } from '../support/test-gateway.ts';
import { untilIdle } from '../support/timed-gateway.ts';

/** Each run executes some fifty operations on three gateways. */
const NUM_RUNS = Math.ceil(Number(process.env.FUZZ_RUNS ?? 50) / 10);

const QUERIES = [
  'query ($ids: [ID!]!) { calls(ids: $ids) { id status assistant { id } campaign { id name status } } }',
  'query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }',
  'query ($ids: [ID!]!) { node(id: "elsewhere") { id } calls(ids: $ids) { callAttempts { id result } } }',
  'query ($n: Int) { callAttempts(first: $n, statuses: [COMPLETED]) { totalCount pageInfo { hasNextPage endCursor } nodes { id } } }',
  'query ($n: Int) { assistants(first: $n) { totalCount nodes { id name } } }',
  'query ($n: Int) { campaigns(first: $n) { nodes { id assistant { name } rows(last: 3) { nodes { id call { id status } } } } } }',
];

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      query: fc.nat({ max: QUERIES.length - 1 }),
      ids: fc.nat({ max: 5 }),
      n: fc.constantFrom(1, 3, 60),
      key: fc.constantFrom(KEY_A, KEY_A, KEY_A, KEY_B),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      pass: fc.constantFrom(1, 400, 1_000, 2_000, 9_000, 31_000, 61_000, 601_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ rename: fc.string({ minLength: 1, maxLength: 5 }) }) },
  // No 429: a request in a cooldown waits for a clock that only the test advances.
  {
    weight: 1,
    arbitrary: fc.record({
      fail: fc.constantFrom(401, 403, 404, 500),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ heal: true }) },
  { weight: 1, arbitrary: fc.constant({ back: 5_000 }) },
);

function idSets(gateway: ObservedGateway): readonly (readonly string[])[] {
  const { richCallId, liveCallId, twentyCallIds, fiveAssistantIds, finishedCampaignId } = sampleIds(
    gateway.sandbox,
  );
  return [
    [richCallId],
    [richCallId, 'nothing'],
    [liveCallId],
    [...twentyCallIds],
    [richCallId, ...fiveAssistantIds.slice(0, 2), finishedCampaignId],
    [fiveAssistantIds[0]!],
  ];
}

test('cached responses equal computed ones for random operations, upstream failures and clock changes', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.constantFrom('', KEY_A),
      async (steps, ownKey) => {
        const pipelines = createPipelines({
          settings: { ...NO_RETRIES, REVOX_API_KEY: ownKey, REVOX_FIRST_PAGE: 'auto' },
        });
        const ids = idSets(pipelines.gateways.yoga);
        for (const taken of steps) {
          if ('query' in taken) {
            const init = {
              method: 'POST',
              headers: {
                'content-type': 'application/json',
                accept: 'application/json',
                authorization: `Bearer ${taken.key}`,
              },
              body: JSON.stringify({
                query: QUERIES[taken.query],
                variables: { ids: ids[taken.ids], n: taken.n },
              }),
            };
            for (let time = 0; time < taken.times; time += 1) {
              const { observed } = await pipelines.observe(init);
              expect(observed.fast).toEqual(observed.yoga);
              expect(observed.cached).toEqual(observed.yoga);
              expect(observed.cachedYoga).toEqual(observed.yoga);
            }
          } else {
            await pipelines.each(({ clock, sandbox: { control } }) => {
              if ('pass' in taken) clock.pass(taken.pass);
              if ('back' in taken) clock.pass(-taken.back);
              if ('heal' in taken) control.heal();
              if ('fail' in taken)
                control.fail(() => true, { status: taken.fail, times: taken.times });
              if ('rename' in taken) {
                control.transform(/^\/(assistants|campaigns)/, (body) =>
                  JSON.parse(JSON.stringify(body), (key, value) =>
                    key === 'name' ? taken.rename : value,
                  ),
                );
              }
            });
          }
          await untilIdle();
        }
        for (const { unexpectedErrors } of Object.values(pipelines.gateways))
          expect(unexpectedErrors).toEqual([]);
      },
    ),
    { numRuns: NUM_RUNS, endOnFailure: true },
  );
});
