import { ApolloLink, type InMemoryCache, makeVar, type StoreObject } from '@apollo/client';
import { useReactiveVar } from '@apollo/client/react';
import { map } from 'rxjs';

/** An entry of `extensions.unrecognized`. */
interface Unrecognized {
  readonly field: string;
  readonly value: string;
  readonly paths: readonly (readonly (string | number)[])[];
}

type RawValues = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** By the cache id of an object and the name of the field: `Call:<id>` → `{ status: 'on-hold' }`. */
const rawValues = makeVar<RawValues>({});

/** Keeps the raw values of enum values that are newer than the schema. */
export function rawValueLink(cache: InMemoryCache): ApolloLink {
  return new ApolloLink((operation, forward) =>
    forward(operation).pipe(
      map((result) => {
        const data = 'data' in result ? result.data : undefined;
        const list = (result.extensions?.unrecognized ?? []) as readonly Unrecognized[];
        for (const { field, value, paths } of list)
          for (const path of paths) keep(cache.identify(objectAt(data, path)), field, value);
        return result;
      }),
    ),
  );
}

function objectAt(data: unknown, path: readonly (string | number)[]): StoreObject {
  return path
    .slice(0, -1)
    .reduce<unknown>(
      (parent, key) => (parent as Record<string, unknown>)[key],
      data,
    ) as StoreObject;
}

function keep(id: string | undefined, field: string, value: string): void {
  if (!id) return;
  const known = rawValues();
  if (known[id]?.[field] !== value) rawValues({ ...known, [id]: { ...known[id], [field]: value } });
}

/** The value that the upstream sent for an enum value that the schema lacks. */
export function useRawValue(object: { __typename?: string; id: string }, field: string) {
  const values = useReactiveVar(rawValues);
  return values[`${object.__typename}:${object.id}`]?.[field];
}
