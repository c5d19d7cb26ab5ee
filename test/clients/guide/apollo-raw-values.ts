import { ApolloLink, type InMemoryCache, type StoreObject } from '@apollo/client';
import { map } from 'rxjs';

interface Unrecognized {
  readonly field: string;
  readonly value: string;
  readonly paths: readonly (readonly (string | number)[])[];
}

/** By the cache id of an object: `Call:<id>` → `{ status: 'on-hold' }`. */
export type RawValues = Map<string, Readonly<Record<string, string>>>;

export function createRawValueLink(cache: InMemoryCache, rawValues: RawValues): ApolloLink {
  return new ApolloLink((operation, forward) =>
    forward(operation).pipe(
      map((result) => {
        const data = 'data' in result ? result.data : undefined;
        const list = (result.extensions?.unrecognized ?? []) as readonly Unrecognized[];
        for (const { field, value, paths } of list) {
          for (const path of paths) {
            const id = cache.identify(objectAt(data, path));
            if (id) rawValues.set(id, { ...rawValues.get(id), [field]: value });
          }
        }
        return result;
      }),
    ),
  );
}

/** The object that contains the field at `path`. */
function objectAt(data: unknown, path: readonly (string | number)[]): StoreObject {
  let object = data as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) object = object[key] as typeof object;
  return object as StoreObject;
}
