interface Unrecognized {
  readonly type: string;
  readonly field: string;
  readonly value: string;
  readonly paths: readonly (readonly (string | number)[])[];
}

interface Result {
  readonly data?: unknown;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** By type and id of an object: `Call:<id>` → `{ status: 'on-hold' }`. */
export type RawValues = Map<string, Readonly<Record<string, string>>>;

/** Keeps the raw values of a result, except those of objects without an id. */
export function keepRawValues(rawValues: RawValues, { data, extensions }: Result): void {
  for (const { type, field, value, paths } of (extensions?.unrecognized ?? []) as Unrecognized[]) {
    for (const path of paths) {
      let object = data as Record<string | number, unknown>;
      for (const key of path.slice(0, -1)) object = object[key] as typeof object;
      const id = `${type}:${object.id}`;
      if (object.id) rawValues.set(id, { ...rawValues.get(id), [field]: value });
    }
  }
}
