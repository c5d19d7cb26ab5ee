import DataLoader from 'dataloader';
import { nullIfNotFound, toKeyError } from './load-errors.ts';

export interface ListBackedLoader<T> {
  readonly byId: DataLoader<string, T | null>;
  /**
   * Looks up an id that may belong to an object of another type. If the ids are read from the list,
   * an id that the list lacks is null without a further request: otherwise a hundred ids of another
   * type would cost a hundred requests.
   */
  readonly findInList: DataLoader<string, T | null>;
  /** The complete list, requested once. */
  all(): Promise<readonly T[]>;
}

/**
 * Loads objects that the upstream serves both one by one and as one complete list. Two or more
 * distinct ids of one tick are read from the list; so is a single id if the list has already been
 * requested. An id that the list lacks is requested on its own before it counts as missing.
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
    // The list is requested again only after a failure: the next tick may succeed.
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
      if (only !== undefined && others.length === 0 && !listPromise)
        return [await getOneOrNull(only)];
      const listed = new Map((await all()).map((item) => [item.id, item]));
      return Promise.all(ids.map((id) => listed.get(id) ?? findUnlisted(id).catch(toKeyError)));
    });
  return { byId: createLoader(getOneOrNull), findInList: createLoader(async () => null), all };
}
