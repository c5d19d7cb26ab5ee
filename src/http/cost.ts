import {
  type DocumentNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getVariableValues,
  isCompositeType,
  isListType,
  type OperationDefinitionNode,
  TypeInfo,
  ValidationContext,
  visit,
} from 'graphql';
import { type ComplexityEstimator, createComplexityRule } from 'graphql-query-complexity';
import { OperationTooComplexError } from '#errors/gateway-error.ts';
import { mostItems } from '#pagination/page-request.ts';

export interface CostLimits {
  readonly cost: number;
  /** Items of an `ids` argument. */
  readonly ids: number;
  /** Items of a `representations` argument. */
  readonly representations: number;
}

/** An operation that is valid, and what is known of it before it is executed. */
export interface Costed {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown } | undefined;
}

/** What stands for the length of a list that nobody knows before: attempts, utterances, questions; and types and fields of the schema. */
const EMBEDDED_ITEMS = 10;

/** Arguments that are lists of what to bring, and the setting that bounds each. */
const LISTS = { ids: 'MAX_IDS', representations: 'MAX_REPRESENTATIONS' } as const;

/**
 * What an operation costs: its fields, each as often as it can come. A connection brings all that stands below it as often as its
 * arguments say, whatever there is of it; a list in an argument as often as it has items; a list of objects that an object embeds ten times,
 * for its length is not known before (how long it really is, `MAX_ANSWER_BYTES` bounds). What is not included, or fails by its own arguments, costs nothing
 * more than itself.
 * @returns a check that throws OperationTooComplexError over a limit, GraphQLError where a variable does not fit a directive
 */
export function createCostCheck(limits: CostLimits): (costed: Costed) => void {
  /** Of operations without variables. */
  const known = new WeakMap<OperationDefinitionNode, number>();

  const estimate: ComplexityEstimator = ({ type, field, args, childComplexity }) => {
    let times = isEmbeddedList(type, field.type) ? EMBEDDED_ITEMS : 1;
    for (const { name } of field.args) {
      if (name === 'first') times *= mostItems(args);
      else if (name === 'ids' || name === 'representations')
        times *= checkedLength(`${type.name}.${field.name}`, name, args[name]);
    }
    // Nothing times infinity would be no number, and not counted.
    return Math.min(1 + times * childComplexity, Number.MAX_SAFE_INTEGER);
  };

  return (costed) => {
    const measured = known.get(costed.operation) ?? costOf(costed, estimate);
    if (!costed.operation.variableDefinitions?.length) known.set(costed.operation, measured);
    if (measured <= limits.cost) return;
    throw new OperationTooComplexError(`The operation can bring ${measured} fields`, {
      limit: limits.cost,
      measured,
      setting: 'MAX_COST',
    });
  };

  function checkedLength(field: string, name: keyof typeof LISTS, list: unknown): number {
    const measured = Array.isArray(list) ? list.length : 0;
    const limit = limits[name];
    if (measured <= limit) return measured;
    throw new OperationTooComplexError(`\`${name}\` of ${field} holds ${measured} items`, {
      limit,
      measured,
      setting: LISTS[name],
    });
  }
}

/** A list of objects, but for those that the connection or the argument above them counts. */
function isEmbeddedList(parent: GraphQLCompositeType, type: GraphQLOutputType): boolean {
  const isCounted = /(Connection|^Query)$/.test(parent.name);
  return !isCounted && isListType(getNullableType(type)) && isCompositeType(getNamedType(type));
}

function costOf({ schema, document, operation, variables = {} }: Costed, estimate: ComplexityEstimator): number {
  // Execution will say which variables do not fit, and execute nothing. Here one is enough: each takes a while to tell.
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1 });
  if (errors) return 0;
  let cost = 0;
  const rule = createComplexityRule({
    maximumComplexity: Number.POSITIVE_INFINITY,
    // A document that would be longer has been refused.
    maxQueryNodes: Number.POSITIVE_INFINITY,
    estimators: [estimate],
    variables: { ...variables },
    onComplete: (complexity) => {
      cost = complexity;
    },
  });
  // Arguments that do not fit cost their own field when it is executed: the library's `getComplexity` would count nothing at all then.
  const context = new ValidationContext(schema, document, new TypeInfo(schema), () => {});
  visit(operation, rule(context));
  return cost;
}
