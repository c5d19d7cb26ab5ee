import fc from 'fast-check';
import {
  type DocumentNode,
  execute,
  type GraphQLError,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNodeTypes } from '#cache/node-types.ts';
import { createContextFactory } from '#context/request-context.ts';
import { createPlannedExecutor } from '#execution/executor.ts';
import { createSubgraphSchema } from '#federation/schema.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import { Credential } from '#rest/credential.ts';
import { createRevoxApiFactory } from '#rest/revox-api.ts';
import { createBudget } from '../support/upstream-context.ts';
import { randomOperations } from './random-documents.ts';
import {
  createSimulatedUpstream,
  PAGE_SIZE,
  type UpstreamBehaviour,
  upstreamBehaviours,
} from './simulated-upstream.ts';

const NUM_RUNS = 10 * Number(process.env.FUZZ_RUNS ?? 20);

const schema = createSubgraphSchema();
const OPTIONS = { maxCoercionErrors: 5 };
const credential = new Credential('sk_test');

/**
 * Rejections that no handler has received. graphql-js leaves some: if an item of a list fails at
 * once, it drops the promises of the items before.
 */
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown) => unhandled.push(error);
const ownListeners = process.listeners('unhandledRejection');

beforeAll(() => {
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', onUnhandled);
});

afterAll(() => {
  process.off('unhandledRejection', onUnhandled);
  for (const listener of ownListeners) process.on('unhandledRejection', listener);
});

interface Run {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Record<string, unknown>;
  readonly behaviour: UpstreamBehaviour;
  readonly limits: { readonly maxBytes: number; readonly maxErrors: number };
}

/** Executes an operation with a context of its own; returns everything that can be observed. */
async function observe(
  { behaviour, limits }: Run,
  executeWith: (
    contextValue: unknown,
  ) => Promise<{ data: string | undefined; errors: readonly GraphQLError[] }>,
) {
  const client = new AbortController();
  const upstream = createSimulatedUpstream(behaviour, () => client.abort());
  const context = createContextFactory({
    createRevoxApi: createRevoxApiFactory(upstream.fetch, {
      arrayFormat: 'comma',
      monotonicNow: () => 0,
    }),
    factsOf: createEndpointFacts({ firstPage: 1, pageSize: PAGE_SIZE, monotonicNow: () => 0 }),
    nodeTypesOf: createNodeTypes(() => 0).of,
    maxUpstreamRequests: 100,
    maxUpstreamBytes: 1e9,
    bodyLimiter: { openBudget: () => createBudget(), reservedBytes: 0 },
    responseLimits: limits,
    deadlineMs: 1e6,
    startTimer: () => () => {},
    monotonicNow: () => 0,
  })({ credential, caller: undefined, clientSignal: client.signal });
  const { data, errors } = await executeWith(context);
  const { responseBudget, driftLog, paginationNotes } = context;
  context.end();
  const observed = {
    data,
    errors: errors.map((error) => ({
      ...error.toJSON(),
      cause: error.originalError?.constructor.name,
    })),
    requests: upstream.requests,
    bytes: responseBudget.bytes,
    exceeded: responseBudget.exceededError?.message,
    unrecognized: driftLog.reported,
    drift: driftLog.drift,
    paginationNotes,
  };
  // Items that the execution abandoned send requests after its end.
  await upstream.idle();
  return observed;
}

const byGraphqlJs = (run: Run) =>
  observe(run, async (contextValue) => {
    const { document, variables: variableValues } = run;
    const { data, errors = [] } = await execute({
      schema,
      document,
      variableValues,
      contextValue,
      options: OPTIONS,
    });
    return { data: data === undefined ? undefined : JSON.stringify(data), errors };
  });

test(`${NUM_RUNS} random operations have the same result, errors and upstream requests as with graphql-js`, {
  timeout: 600_000,
}, async () => {
  const executePlanned = createPlannedExecutor(schema, OPTIONS);
  const counts = { valid: 0, executed: 0, planned: 0, failed: 0, drifted: 0, exceeded: 0 };

  await fc.assert(
    fc.asyncProperty(
      randomOperations(schema),
      upstreamBehaviours,
      fc.constantFrom(64e6, 64e6, 64e6, 64e6, 64e6, 6_000, 1_200),
      fc.constantFrom(100, 100, 100, 100, 100, 100, 3, 1),
      async ({ query, variables }, behaviour, maxBytes, maxErrors) => {
        const document = parse(query);
        const operation = getOperationAST(document);
        if (!operation || validate(schema, document).length > 0) return;
        counts.valid += 1;
        for (const values of variables) {
          const run: Run = {
            document,
            operation,
            variables: values,
            behaviour,
            limits: { maxBytes, maxErrors },
          };
          const expected = await byGraphqlJs(run);
          unhandled.splice(0);
          const planned = await observe(run, async (context) => {
            const result = executePlanned({ document, operation, variables: values, context });
            if (!result) return { data: 'not planned', errors: [] };
            const { data, errors = [] } = await result;
            return { data: data?.toJson(), errors };
          });
          counts.executed += 1;
          if (planned.data === 'not planned') continue;
          expect(planned).toEqual(expected);
          expect(unhandled).toEqual([]);
          counts.planned += 1;
          if (expected.errors.length > 0) counts.failed += 1;
          if (expected.drift.length > 0) counts.drifted += 1;
          if (expected.exceeded) counts.exceeded += 1;
        }
      },
    ),
    { numRuns: NUM_RUNS },
  );

  // The generated operations reach what they are meant to test.
  expect(counts.valid).toBeGreaterThan(NUM_RUNS * 0.8);
  expect(counts.planned).toBeGreaterThan(counts.executed * 0.9);
  expect(counts.failed).toBeGreaterThan(counts.planned * 0.2);
  expect(counts.drifted).toBeGreaterThan(counts.planned * 0.005);
  expect(counts.exceeded).toBeGreaterThan(counts.planned * 0.01);
});
