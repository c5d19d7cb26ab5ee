import { UNRECOGNIZED } from '#binding/names.ts';

/**
 * A filter that means the same is the same: sorted, each value once; null, like nothing, filters nothing.
 * `UNRECOGNIZED` has been refused before, by the binding.
 */
export function toFilter<T extends string>(
  values: readonly (T | typeof UNRECOGNIZED)[] | null | undefined,
): readonly Exclude<T, typeof UNRECOGNIZED>[] {
  return [...new Set(values ?? [])].filter((value) => value !== UNRECOGNIZED).sort() as Exclude<T, typeof UNRECOGNIZED>[];
}
