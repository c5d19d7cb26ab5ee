import type { OperationDefinitionNode } from 'graphql';
import type { OperationPlan } from './operation-plan.ts';

/**
 * Maximum fields of the plans in one generation. A field takes about a kilobyte, so the cache takes
 * 32 MB at most.
 */
const MAX_GENERATION_FIELDS = 16_384;

/** The plans of operations in use. */
export interface PlanCache {
  get(operation: OperationDefinitionNode): OperationPlan | undefined;
  /** Adds a plan, or counts the fields that it has gained. A plan that is too large is not kept. */
  set(plan: OperationPlan): void;
}

/**
 * Caches plans in two generations: when the current one is full, it replaces the previous one, and
 * its plans move to the next one when they are used.
 *
 * Both hold their operations weakly. A plan references the AST of its whole document, which can be
 * much larger than the plan, and the parser cache bounds the bytes of the documents: a plan must not
 * outlive its document there.
 */
export function createPlanCache(): PlanCache {
  let current = new WeakMap<OperationDefinitionNode, OperationPlan>();
  let previous = current;
  let fields = 0;

  return {
    get(operation) {
      const plan = current.get(operation);
      if (plan) return plan;
      const old = previous.get(operation);
      if (old) set(old);
      return old;
    },
    set,
  };

  function set(plan: OperationPlan): void {
    const { operation, plannedFields } = plan;
    if (plannedFields > MAX_GENERATION_FIELDS) {
      current.delete(operation);
      previous.delete(operation);
      return;
    }
    // A plan that gains fields counts twice, which is rare, and only ends the generation earlier.
    fields += plannedFields + 1;
    if (fields > MAX_GENERATION_FIELDS) {
      previous = current;
      current = new WeakMap();
      fields = plannedFields + 1;
    }
    current.set(operation, plan);
  }
}
