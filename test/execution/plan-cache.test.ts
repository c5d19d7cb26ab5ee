import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { type DocumentNode, getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import { createPlannedExecutor } from '#execution/executor.ts';
import type { OperationPlan } from '#execution/operation-plan.ts';
import { createPlanCache } from '#execution/plan-cache.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** As many fields as one generation holds. */
const GENERATION_FIELDS = 16_384;

/** Compilations of V8 end within milliseconds, except on a machine that pauses. */
const WAIT = { timeout: 30_000 };

function planOf(plannedFields: number): OperationPlan & { plannedFields: number } {
  const operation = getOperationAST(parse('{ item }')) as OperationDefinitionNode;
  return { operation, plannedFields } as OperationPlan & { plannedFields: number };
}

describe('Plan cache', () => {
  test('a plan that is used once in each generation is kept', () => {
    const plans = createPlanCache();
    const used = planOf(10);
    plans.set(used);
    for (let generation = 0; generation < 5; generation += 1) {
      plans.set(planOf(GENERATION_FIELDS - 20));
      expect(plans.get(used.operation)).toBe(used);
    }
  });

  test('a plan that is not used for two generations is dropped', () => {
    const plans = createPlanCache();
    const unused = planOf(10);
    plans.set(unused);
    plans.set(planOf(GENERATION_FIELDS - 1));
    plans.set(planOf(GENERATION_FIELDS - 1));
    expect(plans.get(unused.operation)).toBeUndefined();
  });

  test('a plan is dropped when it grows larger than a generation', () => {
    const plans = createPlanCache();
    const plan = planOf(10);
    plans.set(plan);
    plan.plannedFields = GENERATION_FIELDS + 1;
    plans.set(plan);
    expect(plans.get(plan.operation)).toBeUndefined();
  });

  test('a plan is not kept longer than its operation', async () => {
    const schema = makeExecutableSchema({
      typeDefs: 'type Query { item(ids: [Int!]): Int }',
      resolvers: { Query: { item: () => 1 } },
    });
    const executePlanned = createPlannedExecutor(schema, { maxCoercionErrors: 5 });
    const execute = async (document: DocumentNode, operation: OperationDefinitionNode) => {
      const result = await executePlanned({ document, operation, variables: {}, context: {} });
      return result?.data?.toJson();
    };
    const dropped: WeakRef<OperationDefinitionNode>[] = [];
    for (let index = 0; index < 20; index += 1) {
      const document = parse(`{ item(ids: [${Array(100).fill(index)}]) }`);
      const operation = getOperationAST(document) as OperationDefinitionNode;
      expect(await execute(document, operation)).toBe('{"item":1}');
      dropped.push(new WeakRef(operation));
    }
    // The variables of the loop may still hold the last one. A compilation of V8 in another thread
    // holds the operation that it was started with until it ends.
    await vi.waitFor(async () => {
      // A `WeakRef` keeps its target until the end of the turn.
      await setImmediate();
      collectGarbage();
      expect(dropped.filter((operation) => operation.deref()).length).toBeLessThan(2);
    }, WAIT);
    // The executor itself is still in use.
    const document = parse('{ item }');
    const operation = getOperationAST(document) as OperationDefinitionNode;
    expect(await execute(document, operation)).toBe('{"item":1}');
  });
});
