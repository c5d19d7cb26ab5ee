import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  type ValueNode,
  type VariableDefinitionNode,
  visit,
} from 'graphql';

/** Remembers what operations cost, by what decides on it. All tenants share it: documents and costs say nothing of their data. */
export interface CostMemo {
  of(operation: OperationDefinitionNode, document: DocumentNode): OperationCosts;
}

/** The costs of one operation. */
export interface OperationCosts {
  /** The variables that are lists. */
  readonly lists: readonly string[];
  /** Two sets of variables with one key cost the same, if both fit their types. */
  keyOf(variables: Variables): string;
  get(key: string): number | undefined;
  set(key: string, cost: number): void;
}

type Variables = { readonly [name: string]: unknown } | null | undefined;

/** Costs of one operation: the least recently used makes room. */
const MAX_KEYS = 20;
const MAX_KEY_LENGTH = 200;

export function createCostMemo(): CostMemo {
  const known = new WeakMap<OperationDefinitionNode, OperationCosts>();
  return {
    of(operation, document) {
      let costs = known.get(operation);
      if (!costs) {
        costs = createOperationCosts(operation, document);
        known.set(operation, costs);
      }
      return costs;
    },
  };
}

function createOperationCosts(operation: OperationDefinitionNode, document: DocumentNode): OperationCosts {
  const parts = toParts(operation, document);
  const costs = new Map<string, number>();
  let newest: string | undefined;
  const set = (key: string, cost: number) => {
    if (key.length > MAX_KEY_LENGTH) return;
    costs.delete(key);
    costs.set(key, cost);
    newest = key;
    if (costs.size <= MAX_KEYS) return;
    const [oldest = ''] = costs.keys();
    costs.delete(oldest);
  };
  return {
    lists: (operation.variableDefinitions ?? []).filter(isList).map(({ variable }) => variable.name.value),
    keyOf(variables) {
      let key = '';
      for (const part of parts) key += toCode(part, variables);
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

const RANK: readonly Aspect[] = ['presence', 'length', 'value'];

/** By argument. What stands within a list or an object there decides by its presence, as in all other arguments. */
const ASPECTS: ReadonlyMap<string, Aspect> = new Map([
  ['first', 'value'],
  ['last', 'value'],
  ['ids', 'length'],
  ['representations', 'length'],
]);

function toParts({ variableDefinitions = [] }: OperationDefinitionNode, document: DocumentNode): KeyPart[] {
  const aspects = new Map<string, Aspect>();
  const note = (name: string, aspect: Aspect) => {
    const before = aspects.get(name);
    if (before === undefined || RANK.indexOf(before) < RANK.indexOf(aspect)) aspects.set(name, aspect);
  };
  const noteArgument = (value: ValueNode, aspect: Aspect) => {
    if (value.kind === Kind.VARIABLE) note(value.name.value, aspect);
    else visit(value, { Variable: ({ name }) => note(name.value, 'presence') });
  };
  visit(document, {
    Directive: ({ arguments: given = [] }) => {
      for (const { value } of given) noteArgument(value, 'value');
    },
    Argument: ({ name, value }) => noteArgument(value, ASPECTS.get(name.value) ?? 'presence'),
  });
  return variableDefinitions.flatMap(({ variable, type }) => {
    const { value: name } = variable.name;
    const aspect = aspects.get(name);
    // What must not be null is there, and not null, or nothing is executed.
    const decides = aspect !== undefined && (aspect !== 'presence' || type.kind !== Kind.NON_NULL_TYPE);
    return decides ? [{ name, aspect }] : [];
  });
}

/** No code is the beginning of another one: so two keys are the same only if all their codes are. */
function toCode({ name, aspect }: KeyPart, variables: Variables): string {
  if (!variables || !Object.hasOwn(variables, name)) return ABSENT;
  const value = variables[name];
  if (value === null || value === undefined) return NULL;
  if (aspect === 'presence') return GIVEN;
  // What is no list is coerced to a list of one.
  if (aspect === 'length') return `l${Array.isArray(value) ? value.length : 1};`;
  return typeof value === 'number' || typeof value === 'boolean' ? `=${value};` : MISFIT;
}

const ABSENT = '-';
const NULL = '0';
const GIVEN = '+';
/** Fits neither `first`, `last` nor a directive: never remembered. */
const MISFIT = '?';
