import { UserInputError } from '#errors/gateway-error.ts';

/** The arguments of every connection, as graphql-js passes them: null means absent. */
export interface ConnectionArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** The part of a list that a client requests: `size` items from one end, between two cursors. */
export interface PageRequest {
  readonly from: 'start' | 'end';
  /** 1 to 100. */
  readonly size: number;
  readonly after: string | undefined;
  readonly before: string | undefined;
}

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/**
 * Converts the arguments of a connection. `before` alone requests the last items before its cursor;
 * no arguments request the start of the list.
 * @throws UserInputError if both `first` and `last` are given, or one of them is not 1 to 100
 */
export function toPageRequest({ first, after, last, before }: ConnectionArguments): PageRequest {
  const cursors = { after: after ?? undefined, before: before ?? undefined };
  if (first != null && last != null) {
    throw new UserInputError(
      '`first` and `last` cannot be given together: `first` pages forward, `last` backward.',
    );
  }
  if (last != null) return { from: 'end', size: assertPageSize('last', last), ...cursors };
  if (first != null) return { from: 'start', size: assertPageSize('first', first), ...cursors };
  const isOnlyBefore = before != null && after == null;
  return { from: isOnlyBefore ? 'end' : 'start', size: DEFAULT_PAGE_SIZE, ...cursors };
}

/**
 * The maximum number of items that these arguments can return. An invalid size is rejected later,
 * and counts as a whole page until then.
 */
export function maxItems({ first, last }: ConnectionArguments): number {
  const size = last ?? first ?? DEFAULT_PAGE_SIZE;
  return isPageSize(size) ? size : MAX_PAGE_SIZE;
}

function assertPageSize(name: 'first' | 'last', size: number): number {
  if (isPageSize(size)) return size;
  throw new UserInputError(`\`${name}\` is ${size}: it must be 1 to ${MAX_PAGE_SIZE}.`);
}

function isPageSize(size: number): boolean {
  return Number.isInteger(size) && size >= 1 && size <= MAX_PAGE_SIZE;
}
