import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLError,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';
import { maxItems } from '#pagination/page-request.ts';

/** A valid operation before its execution. */
export interface CostInput {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown } | null | undefined;
}

/**
 * Assumed length of a list whose length is unknown before execution: attempts, utterances,
 * questions; and types and fields of the schema.
 */
const ASSUMED_LIST_SIZE = 10;

/** The maximum that an operation, or a part of it, can return. */
interface OperationCost {
  readonly fields: number;
  /** Items of `ids` and `representations`. */
  readonly lookups: number;
  /**
   * Number of fields with invalid arguments. Such a field returns an error and costs no selection
   * set.
   */
  readonly failures: number;
}

const ZERO_COST: OperationCost = { fields: 0, lookups: 0, failures: 0 };
const ONE_FIELD: OperationCost = { fields: 1, lookups: 0, failures: 0 };
const ONE_FAILURE: OperationCost = { fields: 1, lookups: 0, failures: 1 };

/** Arguments that list the objects to look up. */
export type ListArgument = 'ids' | 'representations';

/**
 * Checks the length of a list argument, and returns it.
 * @throws OperationTooComplexError
 */
type CheckListLength = (field: string, name: ListArgument, list: unknown) => number;
type Values = { readonly [name: string]: unknown };

/**
 * Computes the cost of an operation: walks each selection, and each fragment once. `firstFailure`
 * is the first error of an invalid argument.
 */
export function computeOperationCost(
  { schema, document, operation }: CostInput,
  values: Values,
  checkListLength: CheckListLength,
): OperationCost & { readonly firstFailure: GraphQLError | undefined } {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  }
  const costByFragment = new Map<string, OperationCost>();
  let firstFailure: GraphQLError | undefined;
  const root = schema.getRootType(operation.operation);
  return { ...(root ? costOfSelections(operation.selectionSet, root) : ZERO_COST), firstFailure };

  /** For an abstract type, the most expensive of its possible types counts. */
  function costOfSelections(
    { selections }: SelectionSetNode,
    type: GraphQLCompositeType,
  ): OperationCost {
    const byType = new Map<string, OperationCost>();
    for (const selection of selections) {
      if (!isIncluded(selection, values)) continue;
      const [on, cost] = costOfSelection(selection, type);
      for (const name of possibleTypes(schema, on))
        byType.set(name, addCosts(byType.get(name) ?? ZERO_COST, cost));
    }
    return [...byType.values()].reduce(maxCost, ZERO_COST);
  }

  function costOfSelection(
    selection: SelectionNode,
    type: GraphQLCompositeType,
  ): readonly [GraphQLCompositeType, OperationCost] {
    switch (selection.kind) {
      case Kind.FIELD:
        return [type, costOfField(selection, type)];
      case Kind.INLINE_FRAGMENT: {
        const on = toType(selection.typeCondition?.name.value) ?? type;
        return [on, costOfSelections(selection.selectionSet, on)];
      }
      default: {
        const fragment = fragments.get(selection.name.value);
        const on = toType(fragment?.typeCondition.name.value);
        return fragment && on ? [on, costOfFragment(fragment, on)] : [type, ZERO_COST];
      }
    }
  }

  function costOfFragment(
    fragment: FragmentDefinitionNode,
    on: GraphQLCompositeType,
  ): OperationCost {
    const { value: name } = fragment.name;
    const cached = costByFragment.get(name);
    if (cached) return cached;
    const cost = costOfSelections(fragment.selectionSet, on);
    costByFragment.set(name, cost);
    return cost;
  }

  function costOfField(node: FieldNode, type: GraphQLCompositeType): OperationCost {
    const field = fieldOf(type, node.name.value);
    if (!field) return ZERO_COST;
    let args: Values;
    try {
      args = getArgumentValues(field, node, values);
    } catch (error) {
      firstFailure ??= error as GraphQLError;
      return ONE_FAILURE;
    }
    const named = getNamedType(field.type);
    if (!node.selectionSet || !isCompositeType(named)) return ONE_FIELD;
    const { times, lookups: ownLookups } = toMultiplier(field, args, type);
    const { fields, lookups, failures } = costOfSelections(node.selectionSet, named);
    return {
      fields: clampToSafeInteger(1 + times * fields),
      lookups: clampToSafeInteger(ownLookups + times * lookups),
      failures: clampToSafeInteger(times * failures),
    };
  }

  /** How often a field returns its selection set, and how many objects it looks up for that. */
  function toMultiplier(
    field: GraphQLField<unknown, unknown>,
    args: Values,
    type: GraphQLCompositeType,
  ) {
    let multiplier = isEmbeddedList(type, field.type) ? ASSUMED_LIST_SIZE : 1;
    let lookups = 0;
    for (const { name } of field.args) {
      if (name === 'first') multiplier *= maxItems(args);
      else if (name === 'ids' || name === 'representations') {
        lookups = checkListLength(`${type.name}.${field.name}`, name, args[name]);
        multiplier *= lookups;
      }
    }
    return { times: multiplier, lookups };
  }

  function toType(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  }
}

function fieldOf(
  type: GraphQLCompositeType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return isUnionType(type) ? undefined : type.getFields()[name];
}

/** @throws GraphQLError if a variable does not fit */
function isIncluded(selection: SelectionNode, values: Values): boolean {
  if (!selection.directives?.length) return true;
  if (getDirectiveValues(GraphQLSkipDirective, selection, values)?.if === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, selection, values)?.if !== false;
}

function possibleTypes(schema: GraphQLSchema, type: GraphQLCompositeType): readonly string[] {
  return isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [type.name];
}

/**
 * Whether a field is a list of objects whose length is unknown before execution: neither the list
 * of a connection, nor a root list, which has an item for each of its `ids` or `representations`.
 */
function isEmbeddedList(parent: GraphQLCompositeType, type: GraphQLOutputType): boolean {
  const isCounted = /(Connection|^Query)$/.test(parent.name);
  return !isCounted && isListType(getNullableType(type)) && isCompositeType(getNamedType(type));
}

function addCosts(a: OperationCost, b: OperationCost): OperationCost {
  return {
    fields: a.fields + b.fields,
    lookups: a.lookups + b.lookups,
    failures: a.failures + b.failures,
  };
}

function maxCost(a: OperationCost, b: OperationCost): OperationCost {
  return {
    fields: Math.max(a.fields, b.fields),
    lookups: Math.max(a.lookups, b.lookups),
    failures: Math.max(a.failures, b.failures),
  };
}

/** Keeps the sum finite: zero times infinity would be `NaN`, and would not count. */
function clampToSafeInteger(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}
