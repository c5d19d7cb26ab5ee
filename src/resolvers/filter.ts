import { UNRECOGNIZED } from '#binding/names.ts';

/**
 * Normalizes a filter, so that equivalent filters are equal: sorted, each value once. Null and an
 * empty list filter nothing. The binding has already rejected `UNRECOGNIZED`.
 */
export function toFilter<T extends string>(
  values: readonly (T | typeof UNRECOGNIZED)[] | null | undefined,
): readonly Exclude<T, typeof UNRECOGNIZED>[] {
  return [...new Set(values ?? [])].filter((value) => value !== UNRECOGNIZED).sort() as Exclude<
    T,
    typeof UNRECOGNIZED
  >[];
}
