import { UserInputError } from '#errors/gateway-error.ts';

/** @throws UserInputError for what no URL can hold: it would be swallowed, and the request would reach another endpoint */
export function checkedId(id: string): string {
  if (id !== '' && id !== '.' && id !== '..') return id;
  throw new UserInputError(`"${id}" cannot be an id: pass the id of an object as Revox gave it.`);
}

/**
 * Loads several objects so that the failure of one costs one item; how many there may be is checked before. The generated types know a
 * promise of null only for a whole list: GraphQL takes it for an item as well.
 */
export function loadEach<T>(ids: readonly string[], load: (id: string) => Promise<T | null>): readonly Promise<T>[] {
  return ids.map(checkedId).map(load) as Promise<T>[];
}
