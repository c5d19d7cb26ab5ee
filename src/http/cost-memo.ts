import { type DocumentNode, Kind, type OperationDefinitionNode, type ValueNode, visit } from 'graphql';

/** Remembers what operations cost, by what decides on it. All tenants share it: documents and costs say nothing of their data. */
export interface CostMemo {
  of(operation: OperationDefinitionNode, document: DocumentNode): OperationCosts;
}

/** The costs of one operation. */
export interface OperationCosts {
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
        costs = createOperationCosts(toParts(document));
        known.set(operation, costs);
      }
      return costs;
    },
  };
}

function createOperationCosts(parts: readonly KeyPart[]): OperationCosts {
  const costs = new Map<string, number>();
  const set = (key: string, cost: number) => {
    if (key.length > MAX_KEY_LENGTH) return;
    costs.delete(key);
    costs.set(key, cost);
    if (costs.size <= MAX_KEYS) return;
    const [oldest = ''] = costs.keys();
    costs.delete(oldest);
  };
  return {
    keyOf: (variables) => (parts.length === 0 ? '' : JSON.stringify(parts.map((part) => toKey(part, variables)))),
    get(key) {
      const cost = costs.get(key);
      if (cost !== undefined) set(key, cost);
      return cost;
    },
    set,
  };
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

function toParts(document: DocumentNode): KeyPart[] {
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
  return [...aspects].map(([name, aspect]) => ({ name, aspect })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function toKey({ name, aspect }: KeyPart, variables: Variables): string {
  if (!variables || !Object.hasOwn(variables, name)) return 'absent';
  const value = variables[name];
  if (value === null || value === undefined) return 'null';
  if (aspect === 'presence') return 'given';
  // What is no list is coerced to a list of one.
  if (aspect === 'length') return `length ${Array.isArray(value) ? value.length : 1}`;
  return typeof value === 'object' ? 'object' : `${typeof value} ${String(value)}`;
}
