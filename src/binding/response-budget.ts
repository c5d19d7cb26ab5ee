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

/**
 * Counts the bytes and errors of one operation's response. A response that exceeds a limit is
 * abandoned.
 */
export interface ResponseBudget {
  /** The gateway will not send the response: no further field does any work. */
  readonly isExceeded: boolean;
  addBytes(bytes: number): void;
  /** Counts a string in its JSON form: with escapes, in UTF-8. */
  addString(value: string): void;
  /** Counts the error of a field or of a list item. */
  addError(error: unknown): void;
}

interface BudgetedContext {
  readonly responseBudget: ResponseBudget;
}

/**
 * Memory that a field or a list item takes during execution, in addition to its name and its
 * string: as measured, including its share of the object that contains it.
 */
export const FIELD_OVERHEAD_BYTES = 128;

/**
 * The error that every field throws once the response is abandoned. It is a single object with a
 * path: graphql-js passes an error with a path on unchanged, and wraps any other in a new error
 * with a stack (30 µs each, as measured).
 */
const BUDGET_EXCEEDED = new GraphQLError('The response is abandoned: it exceeds a limit.', {
  path: [],
});

/**
 * Counts the output of a field, and stops its work once the response is abandoned. The size of a
 * response is not known in advance: embedded upstream objects may be long, and an object that is
 * selected many times is serialized each time.
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

  function countValue(
    value: unknown,
    responseBudget: ResponseBudget,
    info: GraphQLResolveInfo,
  ): unknown {
    if (isRequired && (value === null || value === undefined)) {
      const { parentType, fieldName } = info;
      throw countError(
        new Error(`Cannot return null for non-nullable field ${parentType.name}.${fieldName}.`),
        responseBudget,
      );
    }
    responseBudget.addBytes(FIELD_OVERHEAD_BYTES + String(info.path.key).length);
    add(value, responseBudget, info);
    if (responseBudget.isExceeded) throw BUDGET_EXCEEDED;
    return value;
  }
}

/** Counts an error and returns it, or `BUDGET_EXCEEDED` once the response is abandoned. */
export function countError(error: unknown, responseBudget: ResponseBudget): Error {
  responseBudget.addError(error);
  if (responseBudget.isExceeded) return BUDGET_EXCEEDED;
  return error instanceof Error
    ? error
    : new Error('Something other than an Error was thrown.', { cause: error });
}

function addLeaves(value: unknown, responseBudget: ResponseBudget): void {
  if (typeof value === 'string') responseBudget.addString(value);
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

/**
 * An object counts through its fields, as each is resolved. `__typename` is the exception: GraphQL
 * resolves it itself, without a bound resolver.
 */
function addObjects(
  value: unknown,
  responseBudget: ResponseBudget,
  info: GraphQLResolveInfo,
): void {
  if (value === null || value === undefined) return;
  const bytes = typenameBytes(info);
  responseBudget.addBytes(
    Array.isArray(value) ? value.length * (FIELD_OVERHEAD_BYTES + bytes) : bytes,
  );
}

const typenameBytesByField = new WeakMap<FieldNode, number>();

/** Bytes that the `__typename` selections of a field add to each of its objects. */
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

/** @param countedFragments fragments already counted: another spread adds the same response keys */
function typenameBytesIn(
  { selections }: SelectionSetNode,
  fragments: GraphQLResolveInfo['fragments'],
  countedFragments: Set<string>,
): number {
  let bytes = 0;
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      if (selection.name.value === '__typename')
        bytes += FIELD_OVERHEAD_BYTES + (selection.alias ?? selection.name).value.length;
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
