import type { Identified, List } from './list.ts';

/** An item and the number of items before it. */
export interface PositionedItem<T> {
  readonly item: T;
  readonly position: number;
}

/**
 * Collects up to `size` items forward from `start`, before `end`, each id once.
 * @param end exclusive; infinity means the end of the list
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
      if (collector.items.length === size) return collector.items;
    }
    if (list.isKnownEnd(index)) break;
  }
  return collector.items;
}

/**
 * Collects up to `size` items backward from `end`, not before `start`, in list order, each id once.
 * @param end exclusive, and not past the end of the list
 */
export async function takeBackward<T extends Identified>(
  list: List<T>,
  start: number,
  end: number,
  size: number,
): Promise<PositionedItem<T>[]> {
  const collector = createCollector(list);
  for (
    let index = Math.floor((end - 1) / list.pageSize);
    index >= 0 && (index + 1) * list.pageSize > start;
    index -= 1
  ) {
    const items = await list.page(index);
    for (const [offset, item] of [...items.entries()].reverse()) {
      const position = index * list.pageSize + offset;
      if (position >= end || position < start) continue;
      collector.add({ item, position });
      if (collector.items.length === size) return collector.items.reverse();
    }
  }
  return collector.items.reverse();
}

function createCollector<T extends Identified>(list: List<T>) {
  const collected: PositionedItem<T>[] = [];
  const pageById = new Map<string, number>();
  return {
    items: collected,
    add(positioned: PositionedItem<T>): void {
      const page = Math.floor(positioned.position / list.pageSize);
      const firstPage = pageById.get(positioned.item.id);
      if (firstPage === undefined) {
        pageById.set(positioned.item.id, page);
        collected.push(positioned);
      } else if (firstPage !== page) {
        list.rejectGeneration();
      }
    },
  };
}
