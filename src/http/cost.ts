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
import { mostItems } from '#pagination/page-request.ts';
import { createCostMemo } from './cost-memo.ts';

export interface CostLimits {
  readonly cost: number;
  /** Items of an `ids` argument. */
  readonly ids: number;
  /** Items of a `representations` argument. */
  readonly representations: number;
  /** Fields that may fail. */
  readonly errors: number;
}

/** An operation that is valid, and what is known of it before it is executed. */
export interface Costed {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown } | null | undefined;
}

/** What stands for the length of a list that nobody knows before: attempts, utterances, questions; and types and fields of the schema. */
const EMBEDDED_ITEMS = 10;

/** Arguments that are lists of what to bring, and the setting that bounds each. */
const LISTS = { ids: 'MAX_IDS', representations: 'MAX_REPRESENTATIONS' } as const;

/**
 * So many lists of the longest kind one operation may look up. Each look-up takes some 5 µs at once, whatever is found: a hundred lists of a
 * thousand block the event loop for half a second.
 */
const MAX_LONG_LISTS = 10;

/** How much an operation, or a part of it, can bring at most. */
interface Weight {
  readonly fields: number;
  /** Items of `ids` and `representations`. */
  readonly lookups: number;
  /** Fields whose arguments do not fit: each is an error instead of what is below it. */
  readonly failures: number;
}

const NOTHING: Weight = { fields: 0, lookups: 0, failures: 0 };
const ONE_FIELD: Weight = { fields: 1, lookups: 0, failures: 0 };
const ONE_FAILURE: Weight = { fields: 1, lookups: 0, failures: 1 };

/**
 * What an operation costs: its fields, each as often as it can come. A connection brings all that stands below it as often as its
 * arguments say, whatever there is of it; a list in an argument as often as it has items; a list of objects that an object embeds ten times,
 * for its length is not known before (how long it really is, `MAX_ANSWER_BYTES` bounds). What is not included, or fails by its own arguments, costs nothing
 * more than itself.
 * @returns a check that throws OperationTooComplexError over a limit, GraphQLError where a variable does not fit a directive, or does not fit
 * the arguments of more fields than may fail
 */
export function createCostCheck(limits: CostLimits): (costed: Costed) => void {
  const memo = createCostMemo();
  const longestList = limits.ids > limits.representations ? 'ids' : 'representations';

  return (costed) => {
    const { operation, document, variables } = costed;
    const known = memo.of(operation, document);
    checkVariables(known.lists, variables);
    const key = known.keyOf(variables);
    const measured = known.get(key) ?? computeCost(costed, (cost) => known.set(key, cost));
    if (measured <= limits.cost) return;
    throw new OperationTooComplexError(`The operation can bring ${measured} fields`, {
      limit: limits.cost,
      measured,
      setting: 'MAX_COST',
    });
  };

  /** Before a value is looked at: GraphQL takes half a second for a list of a megabyte, of which it names one fault. */
  function checkVariables(lists: readonly string[], variables: Costed['variables']): void {
    for (const name of lists) {
      const list = variables && Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (Array.isArray(list)) checkLength(`\`$${name}\``, longestList, list.length);
    }
  }

  /** @param onCost called with a cost that allows the operation and holds for other variables, too: no field fails */
  function computeCost(costed: Costed, onCost: (cost: number) => void): number {
    const { schema, operation, variables } = costed;
    // Execution reports which variables do not fit, and executes nothing. One error is enough here: each takes a while to make.
    const values = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, { maxErrors: 1 });
    if (values.errors) return 0;
    const { fields, lookups, failures, firstFailure } = weigh(costed, values.coerced, checkedLength);
    if (fields <= limits.cost) checkLookups(lookups);
    if (failures === 0 && fields <= limits.cost) onCost(fields);
    // GraphQL makes each of these errors before any resolver could stop it.
    if (fields <= limits.cost && firstFailure && failures > limits.errors) throw firstFailure;
    return fields;
  }

  function checkLookups(measured: number): void {
    const limit = MAX_LONG_LISTS * limits[longestList];
    if (measured <= limit) return;
    const setting = `${MAX_LONG_LISTS} × ${LISTS[longestList]}`;
    throw new OperationTooComplexError(`The operation looks up ${measured} objects`, { limit, measured, setting });
  }

  function checkedLength(field: string, name: keyof typeof LISTS, list: unknown): number {
    return Array.isArray(list) ? checkLength(`\`${name}\` of ${field}`, name, list.length) : 0;
  }

  function checkLength(place: string, name: keyof typeof LISTS, measured: number): number {
    const limit = limits[name];
    if (measured <= limit) return measured;
    throw new OperationTooComplexError(`${place} holds ${measured} items`, { limit, measured, setting: LISTS[name] });
  }
}

type ToLength = (field: string, name: keyof typeof LISTS, list: unknown) => number;
type Values = { readonly [name: string]: unknown };

/** Walks each selection, and each fragment once. */
function weigh({ schema, document, operation }: Costed, values: Values, toLength: ToLength) {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const ofFragments = new Map<string, Weight>();
  let firstFailure: GraphQLError | undefined;
  const root = schema.getRootType(operation.operation);
  return { ...(root ? ofSelections(operation.selectionSet, root) : NOTHING), firstFailure };

  /** Where the type may be one of several, the heaviest of them counts. */
  function ofSelections({ selections }: SelectionSetNode, type: GraphQLCompositeType): Weight {
    const byType = new Map<string, Weight>();
    for (const selection of selections) {
      if (!isIncluded(selection, values)) continue;
      const [on, weight] = ofSelection(selection, type);
      for (const name of possibleTypes(schema, on)) byType.set(name, plus(byType.get(name) ?? NOTHING, weight));
    }
    return [...byType.values()].reduce(heaviest, NOTHING);
  }

  function ofSelection(selection: SelectionNode, type: GraphQLCompositeType): readonly [GraphQLCompositeType, Weight] {
    switch (selection.kind) {
      case Kind.FIELD:
        return [type, ofField(selection, type)];
      case Kind.INLINE_FRAGMENT: {
        const on = toType(selection.typeCondition?.name.value) ?? type;
        return [on, ofSelections(selection.selectionSet, on)];
      }
      default: {
        const fragment = fragments.get(selection.name.value);
        const on = toType(fragment?.typeCondition.name.value);
        return fragment && on ? [on, ofFragment(fragment, on)] : [type, NOTHING];
      }
    }
  }

  function ofFragment(fragment: FragmentDefinitionNode, on: GraphQLCompositeType): Weight {
    const { value: name } = fragment.name;
    const before = ofFragments.get(name);
    if (before) return before;
    const weight = ofSelections(fragment.selectionSet, on);
    ofFragments.set(name, weight);
    return weight;
  }

  function ofField(node: FieldNode, type: GraphQLCompositeType): Weight {
    const field = fieldOf(type, node.name.value);
    if (!field) return NOTHING;
    let args: Values;
    try {
      args = getArgumentValues(field, node, values);
    } catch (error) {
      firstFailure ??= error as GraphQLError;
      return ONE_FAILURE;
    }
    const named = getNamedType(field.type);
    if (!node.selectionSet || !isCompositeType(named)) return ONE_FIELD;
    const { times, lookups: own } = toTimes(field, args, type);
    const { fields, lookups, failures } = ofSelections(node.selectionSet, named);
    return {
      fields: saturated(1 + times * fields),
      lookups: saturated(own + times * lookups),
      failures: saturated(times * failures),
    };
  }

  /** How often a field brings what is below it, and how many objects it looks up for that. */
  function toTimes(field: GraphQLField<unknown, unknown>, args: Values, type: GraphQLCompositeType) {
    let times = isEmbeddedList(type, field.type) ? EMBEDDED_ITEMS : 1;
    let lookups = 0;
    for (const { name } of field.args) {
      if (name === 'first') times *= mostItems(args);
      else if (name === 'ids' || name === 'representations') {
        lookups = toLength(`${type.name}.${field.name}`, name, args[name]);
        times *= lookups;
      }
    }
    return { times, lookups };
  }

  function toType(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  }
}

function fieldOf(type: GraphQLCompositeType, name: string): GraphQLField<unknown, unknown> | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return isUnionType(type) ? undefined : type.getFields()[name];
}

/** @throws GraphQLError where a variable does not fit */
function isIncluded(selection: SelectionNode, values: Values): boolean {
  if (!selection.directives?.length) return true;
  if (getDirectiveValues(GraphQLSkipDirective, selection, values)?.if === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, selection, values)?.if !== false;
}

function possibleTypes(schema: GraphQLSchema, type: GraphQLCompositeType): readonly string[] {
  return isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [type.name];
}

/** A list of objects, but for those that the connection or the argument above them counts. */
function isEmbeddedList(parent: GraphQLCompositeType, type: GraphQLOutputType): boolean {
  const isCounted = /(Connection|^Query)$/.test(parent.name);
  return !isCounted && isListType(getNullableType(type)) && isCompositeType(getNamedType(type));
}

function plus(a: Weight, b: Weight): Weight {
  return { fields: a.fields + b.fields, lookups: a.lookups + b.lookups, failures: a.failures + b.failures };
}

function heaviest(a: Weight, b: Weight): Weight {
  return {
    fields: Math.max(a.fields, b.fields),
    lookups: Math.max(a.lookups, b.lookups),
    failures: Math.max(a.failures, b.failures),
  };
}

/** Nothing times infinity would be no number, and not counted. */
function saturated(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}
