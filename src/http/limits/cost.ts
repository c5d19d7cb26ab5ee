import { getVariableValues } from 'graphql';
import { OperationTooComplexError } from '#errors/gateway-error.ts';
import { createCostCache } from './cost-cache.ts';
import { type CostInput, computeOperationCost, type ListArgument } from './operation-cost.ts';

export interface CostLimits {
  readonly cost: number;
  /** The setting that raises `cost`. @default MAX_COST */
  readonly costSetting?: string;
  /** Items of an `ids` argument. */
  readonly ids: number;
  /** Items of a `representations` argument. */
  readonly representations: number;
  /** Fields that may fail. */
  readonly errors: number;
}

/** The setting that bounds each list of objects to look up. */
const LIST_SETTINGS: Readonly<Record<ListArgument, string>> = {
  ids: 'MAX_IDS',
  representations: 'MAX_REPRESENTATIONS',
};

/**
 * Maximum lookups of one operation, as a multiple of the longest allowed list. Each lookup takes
 * some 5 µs of the event loop, whether it finds an object or not: a hundred lists of a thousand
 * block the event loop for half a second.
 */
const MAX_FULL_LISTS = 10;

/**
 * The cost of an operation is the number of its fields, each counted as often as the response can
 * contain it. The selection set of a connection counts `first` or `last` times. The selection set
 * of a field with `ids` or `representations` counts once for each item. The selection set of an
 * embedded list of objects counts ten times, because the length of the list is unknown before
 * execution (`MAX_ANSWER_BYTES` bounds it). A field that is not included costs nothing; a field
 * with invalid arguments costs only itself.
 * @returns a check that throws OperationTooComplexError over a limit, and GraphQLError if a
 * variable does not fit a directive, or if the number of fields with invalid arguments exceeds
 * `limits.errors`
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
      setting: limits.costSetting ?? 'MAX_COST',
    });
  };

  /**
   * Checks the length of list variables before graphql-js coerces them: graphql-js takes half a
   * second to coerce a list of a megabyte, even if it then reports only one error.
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
   * @param onCost called with a cost that may be cached for other variables with the same key: it
   * is within the limit, and no argument is invalid
   */
  function computeCost(input: CostInput, onCost: (cost: number) => void): number {
    const { schema, operation, variables } = input;
    // Execution reports the invalid variables, and executes nothing. One error is enough here,
    // because each takes a while to create.
    const values = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
      maxErrors: 1,
    });
    if (values.errors) return 0;
    const { fields, lookups, failures, firstFailure } = computeOperationCost(
      input,
      values.coerced,
      checkArgumentLength,
    );
    if (fields <= limits.cost) checkLookups(lookups);
    if (failures === 0 && fields <= limits.cost) onCost(fields);
    // graphql-js creates each of these errors before any resolver could stop the operation.
    if (fields <= limits.cost && firstFailure && failures > limits.errors) throw firstFailure;
    return fields;
  }

  function checkLookups(measured: number): void {
    const limit = MAX_FULL_LISTS * limits[longestList];
    if (measured <= limit) return;
    const setting = `${MAX_FULL_LISTS} × ${LIST_SETTINGS[longestList]}`;
    throw new OperationTooComplexError(`The operation looks up ${measured} objects`, {
      limit,
      measured,
      setting,
    });
  }

  function checkArgumentLength(field: string, name: ListArgument, list: unknown): number {
    return Array.isArray(list) ? checkLength(`\`${name}\` of ${field}`, name, list.length) : 0;
  }

  function checkLength(subject: string, name: ListArgument, measured: number): number {
    const limit = limits[name];
    if (measured <= limit) return measured;
    throw new OperationTooComplexError(`${subject} has ${measured} items`, {
      limit,
      measured,
      setting: LIST_SETTINGS[name],
    });
  }
}
