import {
  defaultFieldResolver,
  type FieldNode,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  getNamedType,
  isCompositeType,
  isNonNullType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/** Counts what goes into the answer of one operation: bytes and errors. An answer that is over a limit is given up. */
export interface ResponseBudget {
  /** Nothing of the answer will be sent: no field does any more work. */
  readonly isExceeded: boolean;
  addBytes(bytes: number): void;
  /** Counts a text as JSON writes it: with escapes, in UTF-8. */
  addText(text: string): void;
  /** Counts an error: of a field, or of an item of a list. */
  addError(error: unknown): void;
}

interface BudgetedContext {
  readonly responseBudget: ResponseBudget;
}

/** What a field, or an item of a list, takes while an answer is made, besides its name and its text: as measured, with the object it stands in. */
export const FIELD_OVERHEAD_BYTES = 128;

/**
 * What every field throws once the answer is given up. One for all, and with a path: GraphQL passes on what has one as it is, where it
 * makes an error with a stack of any other (30 µs each, as measured).
 */
const BUDGET_EXCEEDED = new GraphQLError('The answer is given up.', { path: [] });

/**
 * Counts what a field brings, and ends its work once the answer is given up. The size of an answer is not known before: what the
 * upstream embeds may be long, and one object that is asked for many times is written out each time.
 */
export function withResponseBudget<T, C extends BudgetedContext>(
  type: GraphQLOutputType,
  resolve: GraphQLFieldResolver<T, C> = defaultFieldResolver,
): GraphQLFieldResolver<T, C> {
  const named = getNamedType(type);
  const isRequired = isNonNullType(type);
  const add = isCompositeType(named) ? addObjects : named.name === 'JSON' ? addJson : addLeaves;
  return (parent, args, context, info) => {
    const { responseBudget } = context;
    if (responseBudget.isExceeded) throw BUDGET_EXCEEDED;
    let value: unknown;
    try {
      value = resolve(parent, args, context, info);
    } catch (error) {
      throw countError(error, responseBudget);
    }
    if (!(value instanceof Promise)) return countValue(value, responseBudget, info);
    return value.then(
      (resolved) => countValue(resolved, responseBudget, info),
      (error: unknown) => {
        throw countError(error, responseBudget);
      },
    );
  };

  function countValue(value: unknown, answer: ResponseBudget, info: GraphQLResolveInfo): unknown {
    if (isRequired && (value === null || value === undefined)) {
      const { parentType, fieldName } = info;
      throw countError(new Error(`Cannot return null for non-nullable field ${parentType.name}.${fieldName}.`), answer);
    }
    answer.addBytes(FIELD_OVERHEAD_BYTES + String(info.path.key).length);
    add(value, answer, info);
    if (answer.isExceeded) throw BUDGET_EXCEEDED;
    return value;
  }
}

/** Counts an error and returns what takes its place: the error itself as long as the answer is not given up. */
export function countError(error: unknown, responseBudget: ResponseBudget): Error {
  responseBudget.addError(error);
  if (responseBudget.isExceeded) return BUDGET_EXCEEDED;
  return error instanceof Error ? error : new Error('Something other than an Error was thrown.', { cause: error });
}

function addLeaves(value: unknown, responseBudget: ResponseBudget): void {
  if (typeof value === 'string') responseBudget.addText(value);
  else if (Array.isArray(value)) {
    for (const item of value) {
      responseBudget.addBytes(FIELD_OVERHEAD_BYTES);
      addLeaves(item, responseBudget);
    }
  }
}

function addJson(value: unknown, responseBudget: ResponseBudget): void {
  responseBudget.addBytes(Buffer.byteLength(JSON.stringify(value) ?? ''));
}

/** Objects count by their fields, each when it is resolved. `__typename` is the exception: GraphQL resolves it alone. */
function addObjects(value: unknown, responseBudget: ResponseBudget, info: GraphQLResolveInfo): void {
  if (value === null || value === undefined) return;
  const bytes = typenameBytes(info);
  responseBudget.addBytes(Array.isArray(value) ? value.length * (FIELD_OVERHEAD_BYTES + bytes) : bytes);
}

const typenameBytesByField = new WeakMap<FieldNode, number>();

/** What each object of a field takes for its type's name, as often as it is selected. */
function typenameBytes({ fieldNodes, fragments }: GraphQLResolveInfo): number {
  let sum = 0;
  for (const node of fieldNodes) {
    let bytes = typenameBytesByField.get(node);
    if (bytes === undefined) {
      bytes = node.selectionSet ? typenameBytesIn(node.selectionSet, fragments, new Set()) : 0;
      typenameBytesByField.set(node, bytes);
    }
    sum += bytes;
  }
  return sum;
}

/** @param countedFragments the fragments that are counted already: spread again they bring the same names */
function typenameBytesIn(
  { selections }: SelectionSetNode,
  fragments: GraphQLResolveInfo['fragments'],
  countedFragments: Set<string>,
): number {
  let bytes = 0;
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      if (selection.name.value === '__typename') bytes += FIELD_OVERHEAD_BYTES + (selection.alias ?? selection.name).value.length;
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      bytes += typenameBytesIn(selection.selectionSet, fragments, countedFragments);
    } else if (!countedFragments.has(selection.name.value)) {
      countedFragments.add(selection.name.value);
      const fragment = fragments[selection.name.value];
      if (fragment) bytes += typenameBytesIn(fragment.selectionSet, fragments, countedFragments);
    }
  }
  return bytes;
}
