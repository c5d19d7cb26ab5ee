import type { Identified, List, ListSource } from './list.ts';

/** A list that the upstream serves whole, as one page that never moves. */
export function createWholeList<T extends Identified>(items: readonly T[]): ListSource<T> {
  const list: List<T> = {
    pageSize: Math.max(items.length, 1),
    page: async (index) => (index === 0 ? items : []),
    loaded: (index) => (index === 0 ? items : []),
    total: items.length,
    isKnownEnd: () => true,
    count: async () => items.length,
    reportOverlap: () => {},
  };
  return { current: () => list, renew: () => list };
}
