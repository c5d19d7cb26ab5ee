import { countError, type ResponseBudget } from '#binding/response-budget.ts';
import { UserInputError } from '#errors/gateway-error.ts';

/**
 * @throws UserInputError for a string that disappears from a URL path: the request would reach
 *   another endpoint
 */
export function assertId(id: string): string {
  if (id !== '' && id !== '.' && id !== '..') return id;
  throw new UserInputError(`"${id}" cannot be an id: pass the id of an object as Revox gave it.`);
}

/**
 * Loads several objects so that a failure affects one item only: graphql-js treats an `Error` in a
 * list as the failure of that item. No item rejects, so a dropped list leaves no unhandled
 * rejection. Loading stops once the response is abandoned. The generated types allow a promise of
 * null only for a whole list: graphql-js accepts it for an item as well.
 * @param load an error that it throws synchronously also affects that item only
 */
export function loadMany<K, T>(
  keys: readonly K[],
  load: (key: K) => Promise<T | null>,
  { responseBudget }: { readonly responseBudget: ResponseBudget },
): readonly Promise<T>[] {
  const items: Promise<T | null | Error>[] = [];
  for (const key of keys) {
    if (responseBudget.isExceeded) break;
    items.push(loadItem(key));
  }
  return items as Promise<T>[];

  async function loadItem(key: K): Promise<T | null | Error> {
    try {
      return await load(key);
    } catch (error) {
      return countError(error, responseBudget);
    }
  }
}
