import type { Identified, List, ListSource } from './list.ts';

/**
 * A list that the upstream serves whole, as one page that never moves.
 * @param load resolves with the list, each id once; it must cache its own result
 */
export function createCompleteList<T extends Identified>(
  load: () => Promise<readonly T[]>,
): ListSource<T> {
  return { current: async () => toList(await load()), renew: (list) => list };
}

function toList<T extends Identified>(items: readonly T[]): List<T> {
  return {
    // Not the list's length: every position that a cursor can contain is on the single page,
    // however much the list has shrunk.
    pageSize: Number.MAX_SAFE_INTEGER,
    page: async (index) => (index === 0 ? items : []),
    loaded: (index) => (index === 0 ? items : []),
    total: items.length,
    isKnownEnd: () => true,
    count: async () => items.length,
    repeatedItems: 0,
    measure: async () => items.length,
    rejectGeneration: () => {},
    rereadCached: async () => {},
  };
}
