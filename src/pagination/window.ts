import type { Identified, List } from './list.ts';

/** An item and the number of items before it. */
export interface PositionedItem<T> {
  readonly item: T;
  readonly position: number;
}

/**
 * Up to `size` items from `start` down, before `end`, each id once.
 * @param end exclusive; infinity: the end of the list
 */
export async function takeForward<T extends Identified>(
  list: List<T>,
  start: number,
  end: number,
  size: number,
): Promise<PositionedItem<T>[]> {
  const collector = createCollector(list);
  for (let index = Math.floor(start / list.pageSize); index * list.pageSize < end; index += 1) {
    const items = await list.page(index);
    for (const [offset, item] of items.entries()) {
      const position = index * list.pageSize + offset;
      if (position < start || position >= end) continue;
      collector.add({ item, position });
      if (collector.placed.length === size) return collector.placed;
    }
    if (list.isKnownEnd(index)) break;
  }
  return collector.placed;
}

/**
 * Up to `size` items from before `end` up, not before `start`, in the order of the list, each id once.
 * @param end exclusive, and not past the end of the list
 */
export async function takeBackward<T extends Identified>(
  list: List<T>,
  start: number,
  end: number,
  size: number,
): Promise<PositionedItem<T>[]> {
  const collector = createCollector(list);
  for (let index = Math.floor((end - 1) / list.pageSize); index >= 0 && (index + 1) * list.pageSize > start; index -= 1) {
    const items = await list.page(index);
    for (const [offset, item] of [...items.entries()].reverse()) {
      const position = index * list.pageSize + offset;
      if (position >= end || position < start) continue;
      collector.add({ item, position });
      if (collector.placed.length === size) return collector.placed.reverse();
    }
  }
  return collector.placed.reverse();
}

function createCollector<T extends Identified>(list: List<T>) {
  const collected: PositionedItem<T>[] = [];
  const pageById = new Map<string, number>();
  return {
    placed: collected,
    add(positioned: PositionedItem<T>): void {
      const page = Math.floor(positioned.position / list.pageSize);
      const firstPage = pageById.get(positioned.item.id);
      if (firstPage === undefined) {
        pageById.set(positioned.item.id, page);
        collected.push(positioned);
      } else if (firstPage !== page) {
        list.reportOverlap();
      }
    },
  };
}
