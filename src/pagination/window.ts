import type { Identified, List } from './list.ts';

/** An item and the number of items before it. */
export interface Placed<T> {
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
): Promise<Placed<T>[]> {
  const taken = createTaking(list);
  for (let index = Math.floor(start / list.pageSize); index * list.pageSize < end; index += 1) {
    const items = await list.page(index);
    for (const [offset, item] of items.entries()) {
      const position = index * list.pageSize + offset;
      if (position < start || position >= end) continue;
      taken.take({ item, position });
      if (taken.placed.length === size) return taken.placed;
    }
    if (list.isKnownEnd(index)) break;
  }
  return taken.placed;
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
): Promise<Placed<T>[]> {
  const taken = createTaking(list);
  for (let index = Math.floor((end - 1) / list.pageSize); index >= 0 && (index + 1) * list.pageSize > start; index -= 1) {
    const items = await list.page(index);
    for (const [offset, item] of [...items.entries()].reverse()) {
      const position = index * list.pageSize + offset;
      if (position >= end || position < start) continue;
      taken.take({ item, position });
      if (taken.placed.length === size) return taken.placed.reverse();
    }
  }
  return taken.placed.reverse();
}

function createTaking<T extends Identified>(list: List<T>) {
  const placed: Placed<T>[] = [];
  const pageById = new Map<string, number>();
  return {
    placed,
    take(one: Placed<T>): void {
      const page = Math.floor(one.position / list.pageSize);
      const seenOn = pageById.get(one.item.id);
      if (seenOn === undefined) {
        pageById.set(one.item.id, page);
        placed.push(one);
      } else if (seenOn !== page) {
        list.reportOverlap();
      }
    },
  };
}
