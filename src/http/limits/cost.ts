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
  getVariableValues,
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
import { OperationTooComplexError } from '#errors/gateway-error.ts';
import { maxItems } from '#pagination/page-request.ts';
import { createCostCache } from './cost-cache.ts';

export interface CostLimits {
  readonly cost: number;
  /** Items of an `ids` argument. */
  readonly ids: number;
  /** Items of a `representations` argument. */
  readonly representations: number;
  /** Fields that may fail. */
  readonly errors: number;
}

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

/** Arguments that list the objects to look up, and the setting that bounds each. */
const LIST_ARGUMENTS = { ids: 'MAX_IDS', representations: 'MAX_REPRESENTATIONS' } as const;

/**
 * Maximum look-ups of one operation, in lists of the maximum length. Each look-up takes some 5 µs
 * of the event loop, whatever it finds: a hundred lists of a thousand block the event loop for half
 * a second.
 */
const MAX_FULL_LISTS = 10;

/** The most that an operation, or a part of it, can return. */
interface Weight {
  readonly fields: number;
  /** Items of `ids` and `representations`. */
  readonly lookups: number;
  /** Fields with invalid arguments: each is an error instead of its selection set. */
  readonly failures: number;
}

const ZERO_WEIGHT: Weight = { fields: 0, lookups: 0, failures: 0 };
const ONE_FIELD: Weight = { fields: 1, lookups: 0, failures: 0 };
const ONE_FAILURE: Weight = { fields: 1, lookups: 0, failures: 1 };

/**
 * The cost of an operation is the number of its fields, each as often as it can occur. A connection
 * counts its selection set as often as its arguments allow, whatever exists; a list in an argument,
 * as often as it has items; an embedded list of objects ten times, because its length is unknown
 * before execution (`MAX_ANSWER_BYTES` bounds its real length). A field that is not included costs
 * nothing; a field with invalid arguments costs only itself.
 * @returns a check that throws OperationTooComplexError over a limit, and GraphQLError if a
 * variable does not fit a directive, or if more fields have invalid arguments than may fail
 */
export function createCostCheck(limits: CostLimits): (input: CostInput) => void {
  const costCache = createCostCache();
  const longestList = limits.ids > limits.representations ? 'ids' : 'representations';

  return (input) => {
    const { operation, document, variables } = input;
    const costs = costCache.costsOf(operation, document);
    checkVariables(costs.listVariables, variables);
    const key = costs.keyOf(variables);
    const cost = costs.get(key) ?? computeCost(input, (cost) => costs.set(key, cost));
    if (cost <= limits.cost) return;
    throw new OperationTooComplexError(`The operation can return ${cost} fields`, {
      limit: limits.cost,
      measured: cost,
      setting: 'MAX_COST',
    });
  };

  /**
   * Checked before any value is read: GraphQL takes half a second to coerce a list of a megabyte,
   * and reports one error of it.
   */
  function checkVariables(
    listVariables: readonly string[],
    variables: CostInput['variables'],
  ): void {
    for (const name of listVariables) {
      const list = variables && Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (Array.isArray(list)) checkLength(`\`$${name}\``, longestList, list.length);
    }
  }

  /**
   * @param onCost called with a cost that is within the limit and holds for other variables too: no
   * field fails
   */
  function computeCost(input: CostInput, onCost: (cost: number) => void): number {
    const { schema, operation, variables } = input;
    // Execution reports the invalid variables, and executes nothing. One error is enough here,
    // because each takes a while to create.
    const values = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
      maxErrors: 1,
    });
    if (values.errors) return 0;
    const { fields, lookups, failures, firstFailure } = weighOperation(
      input,
      values.coerced,
      checkArgumentLength,
    );
    if (fields <= limits.cost) checkLookups(lookups);
    if (failures === 0 && fields <= limits.cost) onCost(fields);
    // GraphQL creates each of these errors before any resolver could stop the operation.
    if (fields <= limits.cost && firstFailure && failures > limits.errors) throw firstFailure;
    return fields;
  }

  function checkLookups(measured: number): void {
    const limit = MAX_FULL_LISTS * limits[longestList];
    if (measured <= limit) return;
    const setting = `${MAX_FULL_LISTS} × ${LIST_ARGUMENTS[longestList]}`;
    throw new OperationTooComplexError(`The operation looks up ${measured} objects`, {
      limit,
      measured,
      setting,
    });
  }

  function checkArgumentLength(
    field: string,
    name: keyof typeof LIST_ARGUMENTS,
    list: unknown,
  ): number {
    return Array.isArray(list) ? checkLength(`\`${name}\` of ${field}`, name, list.length) : 0;
  }

  function checkLength(
    subject: string,
    name: keyof typeof LIST_ARGUMENTS,
    measured: number,
  ): number {
    const limit = limits[name];
    if (measured <= limit) return measured;
    throw new OperationTooComplexError(`${subject} has ${measured} items`, {
      limit,
      measured,
      setting: LIST_ARGUMENTS[name],
    });
  }
}

type CheckListLength = (field: string, name: keyof typeof LIST_ARGUMENTS, list: unknown) => number;
type Values = { readonly [name: string]: unknown };

/** Walks each selection, and each fragment once. */
function weighOperation(
  { schema, document, operation }: CostInput,
  values: Values,
  checkListLength: CheckListLength,
) {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  }
  const fragmentWeights = new Map<string, Weight>();
  let firstFailure: GraphQLError | undefined;
  const root = schema.getRootType(operation.operation);
  return { ...(root ? weighSelections(operation.selectionSet, root) : ZERO_WEIGHT), firstFailure };

  /** For an abstract type, the heaviest of its possible types counts. */
  function weighSelections({ selections }: SelectionSetNode, type: GraphQLCompositeType): Weight {
    const byType = new Map<string, Weight>();
    for (const selection of selections) {
      if (!isIncluded(selection, values)) continue;
      const [on, weight] = weighSelection(selection, type);
      for (const name of possibleTypes(schema, on))
        byType.set(name, addWeights(byType.get(name) ?? ZERO_WEIGHT, weight));
    }
    return [...byType.values()].reduce(maxWeight, ZERO_WEIGHT);
  }

  function weighSelection(
    selection: SelectionNode,
    type: GraphQLCompositeType,
  ): readonly [GraphQLCompositeType, Weight] {
    switch (selection.kind) {
      case Kind.FIELD:
        return [type, weighField(selection, type)];
      case Kind.INLINE_FRAGMENT: {
        const on = toType(selection.typeCondition?.name.value) ?? type;
        return [on, weighSelections(selection.selectionSet, on)];
      }
      default: {
        const fragment = fragments.get(selection.name.value);
        const on = toType(fragment?.typeCondition.name.value);
        return fragment && on ? [on, weighFragment(fragment, on)] : [type, ZERO_WEIGHT];
      }
    }
  }

  function weighFragment(fragment: FragmentDefinitionNode, on: GraphQLCompositeType): Weight {
    const { value: name } = fragment.name;
    const cached = fragmentWeights.get(name);
    if (cached) return cached;
    const weight = weighSelections(fragment.selectionSet, on);
    fragmentWeights.set(name, weight);
    return weight;
  }

  function weighField(node: FieldNode, type: GraphQLCompositeType): Weight {
    const field = fieldOf(type, node.name.value);
    if (!field) return ZERO_WEIGHT;
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
    const { fields, lookups, failures } = weighSelections(node.selectionSet, named);
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
 * Whether a type is a list of objects that neither a connection nor an argument above it counts.
 */
function isEmbeddedList(parent: GraphQLCompositeType, type: GraphQLOutputType): boolean {
  const isCounted = /(Connection|^Query)$/.test(parent.name);
  return !isCounted && isListType(getNullableType(type)) && isCompositeType(getNamedType(type));
}

function addWeights(a: Weight, b: Weight): Weight {
  return {
    fields: a.fields + b.fields,
    lookups: a.lookups + b.lookups,
    failures: a.failures + b.failures,
  };
}

function maxWeight(a: Weight, b: Weight): Weight {
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
