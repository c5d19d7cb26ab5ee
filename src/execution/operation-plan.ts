import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { type PlanScope, planSelection, type SelectionPlan } from './field-plan.ts';
import {
  type CoerceVariables,
  type CoercionOptions,
  planVariables,
  type VariableValues,
} from './variables.ts';

/**
 * Maximum sets of conditions for which an operation is planned. The next set replaces the oldest.
 */
const MAX_CONDITION_SETS = 8;

/** The plans of a query: one for each set of values of the variables in `@skip` and `@include`. */
export class OperationPlan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: { [name: string]: FragmentDefinitionNode } = Object.create(null);
  readonly coerceVariables: CoerceVariables;
  readonly #rootType: GraphQLObjectType;
  readonly #conditionNames: readonly string[];
  readonly #plans = new Map<string, ConditionalPlan>();

  constructor(
    schema: GraphQLSchema,
    rootType: GraphQLObjectType,
    operation: OperationDefinitionNode,
    fragments: readonly FragmentDefinitionNode[],
    options: CoercionOptions,
  ) {
    this.schema = schema;
    this.operation = operation;
    for (const fragment of fragments) this.fragments[fragment.name.value] = fragment;
    this.coerceVariables = planVariables(schema, operation, options);
    this.#rootType = rootType;
    this.#conditionNames = conditionNamesIn([operation, ...fragments]);
  }

  /** Fields planned so far, for all sets of conditions. */
  get plannedFields(): number {
    let sum = 0;
    for (const { scope } of this.#plans.values()) sum += scope.plannedFields;
    return sum;
  }

  /** Undefined if a condition is null: graphql-js reports the error at the selection. */
  selectionFor(variableValues: VariableValues): SelectionPlan | undefined {
    let key = '';
    for (const name of this.#conditionNames) {
      const value = Object.hasOwn(variableValues, name) ? variableValues[name] : undefined;
      if (typeof value !== 'boolean') return undefined;
      key += value ? '1' : '0';
    }
    return (this.#plans.get(key) ?? this.#planFor(key, variableValues)).selection;
  }

  #planFor(key: string, variableValues: VariableValues): ConditionalPlan {
    const conditions = Object.fromEntries(
      this.#conditionNames.map((name) => [name, variableValues[name]]),
    );
    const scope = { plan: this, conditions, plannedFields: 0 };
    const selection = planSelection(this.#rootType, [this.operation.selectionSet], scope);
    const [oldest] = this.#plans.keys();
    if (oldest !== undefined && this.#plans.size >= MAX_CONDITION_SETS) this.#plans.delete(oldest);
    const plan = { selection, scope };
    this.#plans.set(key, plan);
    return plan;
  }
}

/** The plan for one set of conditions. */
interface ConditionalPlan {
  readonly selection: SelectionPlan;
  readonly scope: PlanScope;
}

/**
 * Creates the plan of a valid operation. Undefined for an operation that graphql-js must execute:
 * introspection, and any operation but a query.
 */
export function createOperationPlan(
  schema: GraphQLSchema,
  { definitions }: DocumentNode,
  operation: OperationDefinitionNode,
  options: CoercionOptions,
): OperationPlan | undefined {
  const rootType = schema.getQueryType();
  const fragments = definitions.filter(
    (definition) => definition.kind === Kind.FRAGMENT_DEFINITION,
  );
  if (operation.operation !== 'query' || !rootType) return undefined;
  if (usesIntrospection([operation, ...fragments])) return undefined;
  return new OperationPlan(schema, rootType, operation, fragments, options);
}

type Definition = OperationDefinitionNode | FragmentDefinitionNode;

function usesIntrospection(definitions: readonly Definition[]): boolean {
  let isUsed = false;
  for (const definition of definitions)
    visit(definition, {
      Field({ name }) {
        if (name.value === '__schema' || name.value === '__type') isUsed = true;
      },
    });
  return isUsed;
}

function conditionNamesIn(definitions: readonly Definition[]): readonly string[] {
  const names = new Set<string>();
  for (const definition of definitions)
    visit(definition, {
      Directive({ name, arguments: values = [] }) {
        if (name.value !== 'skip' && name.value !== 'include') return;
        for (const { value } of values)
          if (value.kind === Kind.VARIABLE) names.add(value.name.value);
      },
    });
  return [...names];
}
