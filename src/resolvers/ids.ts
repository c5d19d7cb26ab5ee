import { countError, type ResponseBudget } from '#binding/response-budget.ts';
import { UserInputError } from '#errors/gateway-error.ts';

/** @throws UserInputError for what no URL can hold: it would be swallowed, and the request would reach another endpoint */
export function assertId(id: string): string {
  if (id !== '' && id !== '.' && id !== '..') return id;
  throw new UserInputError(`"${id}" cannot be an id: pass the id of an object as Revox gave it.`);
}

/**
 * Loads several objects so that the failure of one costs one item: GraphQL takes an `Error` in a list for that. No item rejects, so a list
 * that is dropped leaves no rejection behind. Loading stops once the answer is given up. The generated types know a promise of null only
 * for a whole list: GraphQL takes it for an item as well.
 * @param load what it throws at once costs the item, too
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
