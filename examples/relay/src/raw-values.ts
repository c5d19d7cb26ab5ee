/** An entry of `extensions.unrecognized`. */
interface Unrecognized {
  readonly field: string;
  readonly value: string;
  readonly paths: readonly (readonly (string | number)[])[];
}

interface Result {
  readonly data?: unknown;
  readonly extensions?: { readonly unrecognized?: readonly Unrecognized[] };
}

const rawValues = new Map<string, string>();

/** Keeps the raw values of enum values that are newer than the schema. */
export function keepRawValues({ data, extensions }: Result): void {
  for (const { field, value, paths } of extensions?.unrecognized ?? [])
    for (const path of paths) {
      let object: unknown = data;
      for (const key of path.slice(0, -1)) object = (object as Record<string, unknown>)[key];
      // The compiler of Relay selects the id of each object that has one.
      rawValues.set(`${(object as { id?: string }).id}.${field}`, value);
    }
}

/**
 * An enum value in words. A value that is newer than the schema is shown as the upstream sent it for
 * the field of the object with this id.
 */
export function toWords(value: string | null | undefined, id?: string, field?: string): string {
  if (!value) return '–';
  const raw = value === 'UNRECOGNIZED' ? (rawValues.get(`${id}.${field}`) ?? 'new value') : value;
  const words = raw.toLowerCase().replaceAll(/[_-]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
