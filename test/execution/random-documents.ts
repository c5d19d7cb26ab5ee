import fc from 'fast-check';
import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { IDS } from './simulated-upstream.ts';

export interface RandomOperation {
  readonly query: string;
  /** Different values for the same document: it is executed with each in turn. */
  readonly variables: readonly Record<string, unknown>[];
}

/** Valid documents over all types of a schema, with values that mostly fit. */
export function randomOperations(schema: GraphQLSchema): fc.Arbitrary<RandomOperation> {
  return fc
    .array(fc.nat({ max: 4_095 }), { minLength: 1, maxLength: 200, size: 'max' })
    .map((choices) => new DocumentBuilder(schema, choices).build());
}

const MAX_DEPTH = 6;

/** Writes a document. Every decision takes the next number of a list. */
class DocumentBuilder {
  readonly #schema: GraphQLSchema;
  readonly #choices: readonly number[];
  #position = 0;
  #aliases = 0;
  readonly #variables = new Map<string, string>();
  readonly #fragments: string[] = [];
  readonly #fragmentNames = new Map<string, string[]>();
  readonly #reusable = new Map<string, string[]>();

  constructor(schema: GraphQLSchema, choices: readonly number[]) {
    this.#schema = schema;
    this.#choices = choices;
  }

  build(): RandomOperation {
    const selection = this.#selection(this.#schema.getQueryType() as GraphQLNamedType, 0);
    const definitions = [...this.#variables].map(([name, type]) => `$${name}: ${type}`).join(', ');
    const head = definitions === '' ? 'query' : `query (${definitions})`;
    const variables = Array.from({ length: 2 + this.#choose(2) }, () => this.#values());
    return { query: [`${head} ${selection}`, ...this.#fragments].join('\n'), variables };
  }

  /** A number from 0 to `count - 1`. When all choices are taken, they are repeated, modified. */
  #choose(count: number): number {
    const { length } = this.#choices;
    const choice = this.#choices[this.#position % length] ?? 0;
    this.#position += 1;
    const round = Math.floor((this.#position - 1) / length);
    return (choice + round * (choice + 7)) % count;
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#choose(values.length)] as T;
  }

  #selection(type: GraphQLNamedType, depth: number): string {
    const count = 1 + this.#choose(depth === 0 ? 3 : 8);
    const selections = Array.from({ length: count }, () => this.#one(type, depth));
    return `{ ${selections.join(' ')} }`;
  }

  #one(type: GraphQLNamedType, depth: number): string {
    const isLast = depth >= MAX_DEPTH || this.#position > this.#choices.length;
    const fields = fieldsOf(type).filter(
      ({ type: fieldType }) => !isLast || !isCompositeType(getNamedType(fieldType)),
    );
    const kind = this.#choose(10);
    if (isLast || kind > 2) {
      const memberType = isAbstractType(type)
        ? this.#pick(this.#schema.getPossibleTypes(type))
        : type;
      if (memberType !== type && !isLast && (fields.length === 0 || kind < 9))
        return `... on ${memberType.name}${this.#directives()} ${this.#selection(memberType, depth + 1)}`;
      if (fields.length > 0) return this.#field(type.name, this.#pick(fields), depth);
    }
    if (isLast || kind === 0) return `${this.#alias(4)}__typename${this.#directives()}`;
    const condition = this.#typeWithin(type);
    if (kind === 1) return `...${this.#fragment(condition, depth)}${this.#directives()}`;
    const on = condition === type && this.#choose(2) === 0 ? '' : ` on ${condition.name}`;
    return `...${on}${this.#directives()} ${this.#selection(condition, depth + 1)}`;
  }

  #field(typeName: string, field: GraphQLField<unknown, unknown>, depth: number): string {
    const named = getNamedType(field.type);
    if (field.args.length === 0) {
      const selection = isCompositeType(named) ? ` ${this.#selection(named, depth + 1)}` : '';
      return `${this.#alias(3)}${field.name}${this.#directives()}${selection}`;
    }
    // The same alias and arguments once more: the selections are merged.
    const key = `${typeName}.${field.name} ${depth}`;
    const reusable = this.#reusable.get(key) ?? [];
    let head = this.#choose(3) === 0 ? this.#pick(reusable) : undefined;
    if (head === undefined) {
      this.#aliases += 1;
      head = `x${this.#aliases}: ${field.name}${this.#arguments(field)}`;
      this.#reusable.set(key, [...reusable, head]);
    }
    return `${head}${this.#directives()}${isCompositeType(named) ? ` ${this.#selection(named, depth + 1)}` : ''}`;
  }

  #alias(rarity: number): string {
    if (this.#choose(rarity) > 0) return '';
    this.#aliases += 1;
    return `x${this.#aliases}: `;
  }

  /** The type itself, one of its interfaces, or one of its possible types. */
  #typeWithin(type: GraphQLNamedType): GraphQLNamedType {
    if (isAbstractType(type)) return this.#pick([type, ...this.#schema.getPossibleTypes(type)]);
    return isObjectType(type) ? this.#pick([type, ...type.getInterfaces()]) : type;
  }

  #fragment(type: GraphQLNamedType, depth: number): string {
    const names = this.#fragmentNames.get(type.name) ?? [];
    if (names.length > 0 && this.#choose(2) === 0) return this.#pick(names);
    const selection = this.#selection(type, depth + 1);
    const name = `F${this.#fragments.length}`;
    this.#fragments.push(`fragment ${name} on ${type.name} ${selection}`);
    this.#fragmentNames.set(type.name, [...(this.#fragmentNames.get(type.name) ?? []), name]);
    return name;
  }

  #directives(): string {
    const kind = this.#choose(24);
    if (kind > 3) return '';
    const name = kind % 2 === 0 ? 'include' : 'skip';
    if (kind < 2) return ` @${name}(if: ${this.#pick(['true', 'false'])})`;
    return ` @${name}(if: ${this.#variable(this.#pick(FLAGS))})`;
  }

  #arguments(field: GraphQLField<unknown, unknown>): string {
    const given = field.args.flatMap(({ name, type }) => {
      const isCursor = name === 'after' || name === 'before';
      if (!isNonNullType(type) && this.#choose(isCursor ? 40 : 4) > 0) return [];
      return [`${name}: ${this.#argument(name, getNamedType(field.type).name)}`];
    });
    return given.length === 0 ? '' : `(${given.join(', ')})`;
  }

  #argument(name: string, typeName: string): string {
    const ids = idsOf(typeName);
    const id = () => JSON.stringify(this.#pick(ids));
    const isVariable = this.#choose(2) === 0;
    switch (name) {
      case 'id':
        return isVariable ? this.#variable(this.#pick(idVariables(typeName))) : id();
      case 'ids':
        if (isVariable) return this.#variable({ name: `ids${typeName}`, type: '[ID!]!' });
        return `[${id()}, ${this.#variable(this.#pick(idVariables(typeName)))}, ${id()}]`;
      case 'representations':
        if (isVariable) return this.#variable({ name: 'representations', type: '[_Any!]!' });
        return `[{ __typename: "${this.#pick(ENTITY_TYPES)}", id: ${id()} }]`;
      case 'first':
      case 'last':
        if (isVariable) return this.#variable(this.#pick(COUNTS));
        return this.#pick(['1', '2', '5', '3', '4', '0', 'null']);
      case 'statuses':
        if (isVariable) return this.#variable({ name: 'statuses', type: '[CallStatus!]' });
        return this.#pick(['[COMPLETED]', 'QUEUED_FOR_CALLING', '[UNRECOGNIZED]', 'null']);
      case 'result':
        return this.#pick(['ALL', 'NONE', 'null']);
      default:
        return this.#pick(['"Zo\\"e"', 'null', '"x"']);
    }
  }

  #variable({ name, type }: { readonly name: string; readonly type: string }): string {
    this.#variables.set(name, type);
    return `$${name}`;
  }

  #values(): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const [name, type] of this.#variables) {
      const kind = this.#choose(40);
      if (kind === 0) values[name] = null;
      else if (kind === 1) values[name] = this.#pick([{}, 'text', 1.5, [], ['x', {}]]);
      else if (kind > 2) values[name] = this.#value(type, name.replace(/^ids?\d?/, ''));
    }
    return values;
  }

  #value(type: string, typeName: string): unknown {
    if (type.startsWith('Boolean')) return this.#choose(2) === 0;
    if (type.startsWith('ID')) return this.#pick([...idsOf(typeName), 5]);
    if (type.startsWith('[ID')) return [this.#pick(idsOf(typeName)), this.#pick(idsOf(typeName))];
    if (type.startsWith('Int')) return this.#pick([1, 2, 4, 3, 5, 7, 0]);
    if (type.startsWith('[_Any'))
      return [
        { __typename: this.#pick(ENTITY_TYPES), id: this.#pick(idsOf('')) },
        this.#pick([{ __typename: 'Call', id: this.#pick(IDS.Call) }, {}, null, 5]),
      ];
    return this.#pick([['COMPLETED'], 'CANCELLED', [], ['UNRECOGNIZED']]);
  }
}

function fieldsOf(type: GraphQLNamedType): readonly GraphQLField<unknown, unknown>[] {
  return isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
}

const FLAGS = [
  { name: 'on', type: 'Boolean!' },
  { name: 'off', type: 'Boolean = false' },
];
const idVariables = (typeName: string) => [
  { name: `id1${typeName}`, type: 'ID!' },
  { name: `id2${typeName}`, type: 'ID! = "unknown"' },
];
/** Ids of the objects of a type, or of all types, and some that no object has. */
function idsOf(typeName: string): readonly string[] {
  const known = Object.entries(IDS).flatMap(([type, ids]) =>
    type === typeName || !(typeName in IDS) ? ids : [],
  );
  return [...known, ...known, ...known, 'unknown', '..'];
}
const COUNTS = [
  { name: 'count', type: 'Int' },
  { name: 'more', type: 'Int = 2' },
];
const ENTITY_TYPES = ['Call', 'Assistant', 'Campaign', 'CallAttempt', 'Other'];
