import { UserInputError } from '#errors/gateway-error.ts';

/** Ids that one field takes at a time. */
export const MOST_IDS = 100;

/** @throws UserInputError for what no URL can hold: it would be swallowed, and the request would reach another endpoint */
export function checkedId(id: string): string {
  if (id !== '' && id !== '.' && id !== '..') return id;
  throw new UserInputError(`"${id}" cannot be an id: pass the id of an object as Revox gave it.`);
}

/** @throws UserInputError for more than 100 ids, or one that cannot be an id */
function checkedIds(ids: readonly string[]): readonly string[] {
  if (ids.length > MOST_IDS) {
    throw new UserInputError(`\`ids\` holds ${ids.length} ids: ask for at most ${MOST_IDS} at a time.`);
  }
  return ids.map(checkedId);
}

/**
 * Loads several objects so that the failure of one costs one item. The generated types know a promise of null only for a whole
 * list: GraphQL takes it for an item as well.
 */
export function loadEach<T>(ids: readonly string[], load: (id: string) => Promise<T | null>): readonly Promise<T>[] {
  return checkedIds(ids).map(load) as Promise<T>[];
}
