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
  readonly all: () => Promise<readonly T[]>;
}

/**
 * Loads objects that the upstream serves both one by one and as one complete list. Two or more
 * distinct ids of one tick are read from the list; so is a single id if the list has already been
 * requested. An id that the list lacks is requested on its own before it counts as missing.
 */
export function createListBackedLoader<T extends { readonly id: string }>(
  requests: ListBackedRequests<T>,
): ListBackedLoader<T> {
  return new LazyListBackedLoader(requests);
}

interface ListBackedRequests<T> {
  readonly getOne: (id: string) => Promise<T>;
  readonly getAll: () => Promise<readonly T[]>;
}

/** Creates each `DataLoader` at its first use: most operations use at most one. */
class LazyListBackedLoader<T extends { readonly id: string }> implements ListBackedLoader<T> {
  readonly #requests: ListBackedRequests<T>;
  #byId: DataLoader<string, T | null> | undefined;
  #findInList: DataLoader<string, T | null> | undefined;
  #listPromise: Promise<readonly T[]> | undefined;

  constructor(requests: ListBackedRequests<T>) {
    this.#requests = requests;
  }

  get byId(): DataLoader<string, T | null> {
    this.#byId ??= this.#createLoader((id) => this.#getOneOrNull(id));
    return this.#byId;
  }

  get findInList(): DataLoader<string, T | null> {
    this.#findInList ??= this.#createLoader(async () => null);
    return this.#findInList;
  }

  readonly all = (): Promise<readonly T[]> => {
    // The list is requested again only after a failure: the next tick may succeed.
    this.#listPromise ??= this.#requests.getAll().catch((error: unknown) => {
      this.#listPromise = undefined;
      throw error;
    });
    return this.#listPromise;
  };

  #getOneOrNull(id: string): Promise<T | null> {
    return nullIfNotFound(this.#requests.getOne(id));
  }

  #createLoader(findUnlisted: (id: string) => Promise<T | null>): DataLoader<string, T | null> {
    return new DataLoader<string, T | null>(async (ids) => {
      const [only, ...others] = ids;
      if (only !== undefined && others.length === 0 && !this.#listPromise)
        return [await this.#getOneOrNull(only)];
      const listed = new Map((await this.all()).map((item) => [item.id, item]));
      return Promise.all(ids.map((id) => listed.get(id) ?? findUnlisted(id).catch(toKeyError)));
    });
  }
}
