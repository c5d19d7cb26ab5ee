import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  type ValueNode,
  type VariableDefinitionNode,
  visit,
} from 'graphql';

/** Remembers what operations cost, by what decides on it. All tenants share it: documents and costs say nothing of their data. */
export interface CostCache {
  costsOf(operation: OperationDefinitionNode, document: DocumentNode): OperationCosts;
}

/** The costs of one operation. */
export interface OperationCosts {
  /** The variables that are lists. */
  readonly listVariables: readonly string[];
  /** Two sets of variables with one key cost the same, if both fit their types. */
  keyOf(variables: Variables): string;
  get(key: string): number | undefined;
  set(key: string, cost: number): void;
}

type Variables = { readonly [name: string]: unknown } | null | undefined;

/** Costs of one operation: the least recently used makes room. */
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

function createOperationCosts(operation: OperationDefinitionNode, document: DocumentNode): OperationCosts {
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
    listVariables: (operation.variableDefinitions ?? []).filter(isList).map(({ variable }) => variable.name.value),
    keyOf(variables) {
      let key = '';
      for (const part of keyParts) key += toKeyCode(part, variables);
      return key;
    },
    get(key) {
      const cost = costs.get(key);
      // Most clients send the same values again.
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
 * What of a variable decides on the cost, from the least to the most: whether it is there and not null, for where it is null in place of a
 * default its field fails; of a list its length; of what stands in `first`, `last` or a directive its value.
 */
type Aspect = 'presence' | 'length' | 'value';

interface KeyPart {
  readonly name: string;
  readonly aspect: Aspect;
}

const ASPECT_ORDER: readonly Aspect[] = ['presence', 'length', 'value'];

/** By argument. What stands within a list or an object there decides by its presence, as in all other arguments. */
const ARGUMENT_ASPECTS: ReadonlyMap<string, Aspect> = new Map([
  ['first', 'value'],
  ['last', 'value'],
  ['ids', 'length'],
  ['representations', 'length'],
]);

function toKeyParts({ variableDefinitions = [] }: OperationDefinitionNode, document: DocumentNode): KeyPart[] {
  const aspects = new Map<string, Aspect>();
  const record = (name: string, aspect: Aspect) => {
    const current = aspects.get(name);
    if (current === undefined || ASPECT_ORDER.indexOf(current) < ASPECT_ORDER.indexOf(aspect)) aspects.set(name, aspect);
  };
  const recordArgument = (value: ValueNode, aspect: Aspect) => {
    if (value.kind === Kind.VARIABLE) record(value.name.value, aspect);
    else visit(value, { Variable: ({ name }) => record(name.value, 'presence') });
  };
  visit(document, {
    Directive: ({ arguments: directiveArguments = [] }) => {
      for (const { value } of directiveArguments) recordArgument(value, 'value');
    },
    Argument: ({ name, value }) => recordArgument(value, ARGUMENT_ASPECTS.get(name.value) ?? 'presence'),
  });
  return variableDefinitions.flatMap(({ variable, type }) => {
    const { value: name } = variable.name;
    const aspect = aspects.get(name);
    // What must not be null is there, and not null, or nothing is executed.
    const affectsCost = aspect !== undefined && (aspect !== 'presence' || type.kind !== Kind.NON_NULL_TYPE);
    return affectsCost ? [{ name, aspect }] : [];
  });
}

/** No code is the beginning of another one: so two keys are the same only if all their codes are. */
function toKeyCode({ name, aspect }: KeyPart, variables: Variables): string {
  if (!variables || !Object.hasOwn(variables, name)) return ABSENT;
  const value = variables[name];
  if (value === null || value === undefined) return NULL;
  if (aspect === 'presence') return PRESENT;
  // What is no list is coerced to a list of one.
  if (aspect === 'length') return `l${Array.isArray(value) ? value.length : 1};`;
  return typeof value === 'number' || typeof value === 'boolean' ? `=${value};` : INVALID;
}

const ABSENT = '-';
const NULL = '0';
const PRESENT = '+';
/** Fits neither `first`, `last` nor a directive: never remembered. */
const INVALID = '?';
