import DataLoader from 'dataloader';
import { nullIfNotFound, toKeyError } from './load-errors.ts';

export interface ListBackedLoader<T> {
  readonly byId: DataLoader<string, T | null>;
  /**
   * Looks for an id of which it is not known whether it is one of these at all. Of several, what the list lacks is not asked for
   * singly: a hundred ids of another kind would be a hundred requests.
   */
  readonly probe: DataLoader<string, T | null>;
  /** The complete list, asked for once. */
  all(): Promise<readonly T[]>;
}

/**
 * Loads what the upstream serves singly and as one complete list. Two or more distinct ids of one tick are answered by the list;
 * so is a single one when the list is there anyway. An id that the list lacks is asked for singly before it is called missing.
 */
export function createListBackedLoader<T extends { readonly id: string }>({
  getOne,
  getAll,
}: {
  readonly getOne: (id: string) => Promise<T>;
  readonly getAll: () => Promise<readonly T[]>;
}): ListBackedLoader<T> {
  let listPromise: Promise<readonly T[]> | undefined;
  const all = () => {
    // Asked for again only after a failure, which the next tick may not share.
    listPromise ??= getAll().catch((error: unknown) => {
      listPromise = undefined;
      throw error;
    });
    return listPromise;
  };
  const getOneOrNull = (id: string) => nullIfNotFound(getOne(id));

  const createLoader = (findUnlisted: (id: string) => Promise<T | null>) =>
    new DataLoader<string, T | null>(async (ids) => {
      const [only, ...others] = ids;
      if (only !== undefined && others.length === 0 && !listPromise) return [await getOneOrNull(only)];
      const listed = new Map((await all()).map((item) => [item.id, item]));
      return Promise.all(ids.map((id) => listed.get(id) ?? findUnlisted(id).catch(toKeyError)));
    });
  return { byId: createLoader(getOneOrNull), probe: createLoader(async () => null), all };
}
