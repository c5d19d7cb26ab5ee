import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  type ValueNode,
  type VariableDefinitionNode,
  visit,
} from 'graphql';

/**
 * Caches the costs of operations by everything that determines them. All callers share the cache,
 * because a cost depends on the document and its variables, and contains no upstream data.
 */
export interface CostCache {
  costsOf(operation: OperationDefinitionNode, document: DocumentNode): OperationCosts;
}

/** The costs of one operation. */
export interface OperationCosts {
  /** Names of the variables with a list type. */
  readonly listVariables: readonly string[];
  /** Two sets of variables with the same key have the same cost, if both fit their types. */
  keyOf(variables: Variables): string;
  get(key: string): number | undefined;
  set(key: string, cost: number): void;
}

type Variables = { readonly [name: string]: unknown } | null | undefined;

/** Cached costs of one operation. The least recently used one is evicted. */
const MAX_CACHED_COSTS = 20;
const MAX_KEY_LENGTH = 200;

export function createCostCache(): CostCache {
  const costsByOperation = new WeakMap<OperationDefinitionNode, OperationCosts>();
  return {
    costsOf(operation, document) {
      let costs = costsByOperation.get(operation);
      if (!costs) {
        costs = createOperationCosts(operation, document);
        costsByOperation.set(operation, costs);
      }
      return costs;
    },
  };
}

function createOperationCosts(
  operation: OperationDefinitionNode,
  document: DocumentNode,
): OperationCosts {
  const keyParts = toKeyParts(operation, document);
  const costs = new Map<string, number>();
  let newest: string | undefined;
  const set = (key: string, cost: number) => {
    if (key.length > MAX_KEY_LENGTH) return;
    costs.delete(key);
    costs.set(key, cost);
    newest = key;
    if (costs.size <= MAX_CACHED_COSTS) return;
    const [oldest = ''] = costs.keys();
    costs.delete(oldest);
  };
  return {
    listVariables: (operation.variableDefinitions ?? [])
      .filter(isList)
      .map(({ variable }) => variable.name.value),
    keyOf(variables) {
      let key = '';
      for (const part of keyParts) key += toKeyCode(part, variables);
      return key;
    },
    get(key) {
      const cost = costs.get(key);
      // Most clients send the same values again: the newest key need not be moved.
      if (cost !== undefined && key !== newest) set(key, cost);
      return cost;
    },
    set,
  };
}

function isList({ type }: VariableDefinitionNode): boolean {
  return (type.kind === Kind.NON_NULL_TYPE ? type.type : type).kind === Kind.LIST_TYPE;
}

/**
 * The part of a variable that affects the cost. `presence`: whether the variable is absent, null or
 * set, because a null for a non-null argument with a default makes the field fail. `length`: also
 * the length of its list. `value`: also its value, for `first`, `last` and the arguments of
 * directives.
 */
type Aspect = 'presence' | 'length' | 'value';

interface KeyPart {
  readonly name: string;
  readonly aspect: Aspect;
}

const ASPECT_ORDER: readonly Aspect[] = ['presence', 'length', 'value'];

/**
 * The aspect of each argument that affects the cost. Any other argument, and a variable inside a
 * list or an object, has `presence`.
 */
const ARGUMENT_ASPECTS: ReadonlyMap<string, Aspect> = new Map([
  ['first', 'value'],
  ['last', 'value'],
  ['ids', 'length'],
  ['representations', 'length'],
]);

function toKeyParts(
  { variableDefinitions = [] }: OperationDefinitionNode,
  document: DocumentNode,
): KeyPart[] {
  const aspects = new Map<string, Aspect>();
  const record = (name: string, aspect: Aspect) => {
    const current = aspects.get(name);
    if (current === undefined || ASPECT_ORDER.indexOf(current) < ASPECT_ORDER.indexOf(aspect))
      aspects.set(name, aspect);
  };
  const recordArgument = (value: ValueNode, aspect: Aspect) => {
    if (value.kind === Kind.VARIABLE) record(value.name.value, aspect);
    else visit(value, { Variable: ({ name }) => record(name.value, 'presence') });
  };
  visit(document, {
    Directive: ({ arguments: directiveArguments = [] }) => {
      for (const { value } of directiveArguments) recordArgument(value, 'value');
    },
    Argument: ({ name, value }) =>
      recordArgument(value, ARGUMENT_ASPECTS.get(name.value) ?? 'presence'),
  });
  return variableDefinitions.flatMap(({ variable, type }) => {
    const { value: name } = variable.name;
    const aspect = aspects.get(name);
    // A non-null variable always has a value other than null, sent or default: without one, nothing
    // is executed. So its presence does not affect the cost.
    const affectsCost =
      aspect !== undefined && (aspect !== 'presence' || type.kind !== Kind.NON_NULL_TYPE);
    return affectsCost ? [{ name, aspect }] : [];
  });
}

/** No code is a prefix of another one, so two keys are equal only if all their codes are. */
function toKeyCode({ name, aspect }: KeyPart, variables: Variables): string {
  if (!variables || !Object.hasOwn(variables, name)) return ABSENT;
  const value = variables[name];
  if (value === null || value === undefined) return NULL;
  if (aspect === 'presence') return PRESENT;
  // graphql-js coerces a single value to a list of one.
  if (aspect === 'length') return `l${Array.isArray(value) ? value.length : 1};`;
  return typeof value === 'number' || typeof value === 'boolean' ? `=${value};` : INVALID;
}

const ABSENT = '-';
const NULL = '0';
const PRESENT = '+';
/**
 * Code of a value that is neither a number nor a boolean: the operation fails, so its cost is not
 * cached.
 */
const INVALID = '?';
