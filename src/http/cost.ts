import {
  type ASTNode,
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
  readonly variables: { readonly [name: string]: unknown } | null | undefined;
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
  const known = new WeakMap<OperationDefinitionNode, KnownCosts>();

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
    const { operation, document, variables } = costed;
    const costs = known.get(operation) ?? { counted: countedVariables(document), byValues: new Map() };
    known.set(operation, costs);
    const values = toValues(costs.counted, variables);
    const measured = costs.byValues.get(values) ?? costOf(costed, estimate, (cost) => remember(costs, values, cost));
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

/** What is known of the cost of one operation. */
interface KnownCosts {
  /** The variables that decide how much it costs; of the others, each that fits costs the same. */
  readonly counted: readonly string[];
  readonly byValues: Map<string, number>;
}

/** Callers vary how many items they want, but not without end. */
const MOST_VALUES = 20;
const LONGEST_VALUES = 200;

/** The arguments that `estimate` looks at, and those of directives. */
const COUNTED = new Set(['first', 'last', 'before', 'after', ...Object.keys(LISTS)]);

function countedVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  const collect = (node: ASTNode) => visit(node, { Variable: ({ name }) => void names.add(name.value) });
  visit(document, {
    Directive: collect,
    Argument: (node) => void (COUNTED.has(node.name.value) && collect(node)),
  });
  return [...names].sort();
}

/** Of a list only its length counts. */
function toValues(counted: readonly string[], variables: Costed['variables']): string {
  return JSON.stringify(
    counted.map((name) => {
      const value = variables?.[name];
      return Array.isArray(value) ? { length: value.length } : value;
    }),
  );
}

function remember({ byValues }: KnownCosts, values: string, cost: number): void {
  if (byValues.size < MOST_VALUES && values.length < LONGEST_VALUES) byValues.set(values, cost);
}

/** @param onCost hears of a cost that holds whatever the other variables are: nothing of the operation failed */
function costOf(
  { schema, document, operation, variables }: Costed,
  estimate: ComplexityEstimator,
  onCost: (cost: number) => void,
): number {
  // Execution will say which variables do not fit, and execute nothing. Here one is enough: each takes a while to tell.
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, { maxErrors: 1 });
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
  let hasFailed = false;
  const context = new ValidationContext(schema, document, new TypeInfo(schema), () => {
    hasFailed = true;
  });
  visit(operation, rule(context));
  if (!hasFailed) onCost(cost);
  return cost;
}
