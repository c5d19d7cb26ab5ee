import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  isAbstractType,
  isObjectType,
  type OperationDefinitionNode,
} from 'graphql';
import { executeFields } from './execute-fields.ts';
import { Execution } from './execution.ts';
import type { SelectionPlan } from './field-plan.ts';
import { createOperationPlan, type OperationPlan } from './operation-plan.ts';
import { createPlanCache } from './plan-cache.ts';
import type { ResponseData } from './response-data.ts';
import type { CoercionOptions, RawVariables } from './variables.ts';

/** A valid operation with its variables. */
export interface ExecutionRequest {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: RawVariables | undefined;
  readonly context: unknown;
}

/** Like graphql-js's `ExecutionResult`, with `data` as JSON text. */
export interface PlannedResult {
  readonly errors?: readonly GraphQLError[];
  /** Absent if the operation is not executed, because its variables do not fit. */
  readonly data?: ResponseData;
}

/** Undefined for an operation that graphql-js must execute: nothing of it is executed here. */
export type ExecutePlanned = (
  request: ExecutionRequest,
) => PlannedResult | Promise<PlannedResult> | undefined;

/**
 * Executes valid operations by plans. The plan of an operation is made once: it has closures that
 * resolve and complete each field, and write its JSON text. Resolvers are called as graphql-js calls
 * them, in the same order and in the same microtasks.
 */
export function createPlannedExecutor(
  schema: GraphQLSchema,
  options: CoercionOptions,
): ExecutePlanned {
  if (!isSupported(schema)) return () => undefined;
  const plans = createPlanCache();

  return ({ document, operation, variables, context }) => {
    const plan = plans.get(operation) ?? createPlan(document, operation);
    if (!plan) return undefined;
    const { coerced, errors } = plan.coerceVariables(variables);
    if (errors) return { errors };
    const plannedFields = plan.plannedFields;
    const selection = plan.selectionFor(coerced);
    if (!selection) return undefined;
    return execute(selection, new Execution(context, coerced), () => {
      if (plan.plannedFields !== plannedFields) plans.set(plan);
    });
  };

  function createPlan(
    document: DocumentNode,
    operation: OperationDefinitionNode,
  ): OperationPlan | undefined {
    const plan = createOperationPlan(schema, document, operation, options);
    if (plan) plans.set(plan);
    return plan;
  }
}

/** @param onEnd called once, when all fields have their values */
function execute(
  selection: SelectionPlan,
  execution: Execution,
  onEnd: () => void,
): PlannedResult | Promise<PlannedResult> {
  try {
    const text = executeFields(selection, undefined, undefined, execution);
    return typeof text === 'string' ? toResult(text) : text.then(toResult, toNullResult);
  } catch (error) {
    return toNullResult(error);
  }

  function toResult(text: string): PlannedResult {
    onEnd();
    const data = execution.data.complete(text);
    const { list } = execution.errors;
    return list.length > 0 ? { errors: list, data } : { data };
  }

  /** A root field that must not be null has failed. */
  function toNullResult(error: unknown): PlannedResult {
    execution.errors.add(error as GraphQLError, undefined);
    return toResult('null');
  }
}

/** Whether graphql-js would need no other function of the types to execute the schema. */
function isSupported(schema: GraphQLSchema): boolean {
  return Object.values(schema.getTypeMap()).every(
    (type) =>
      !(isObjectType(type) && type.isTypeOf) && !(isAbstractType(type) && !type.resolveType),
  );
}
