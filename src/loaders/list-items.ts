import type { Page } from '#pagination/list.ts';
import type { PageResponse } from '#rest/revox-api.ts';
import { toNumericId } from '#rest/transport/exact-number.ts';

/** Drift of list items: an item has no id and is dropped, or its id is a number. */
export type ItemDrift = 'dropped' | 'coerced';

/**
 * The items that have an id. Items that are not objects or have no id are dropped; an id that is a
 * number becomes a string.
 */
export function withIds<T extends { readonly id: string }>(
  items: readonly unknown[],
  onDrift: (kind: ItemDrift) => void,
): T[] {
  const identified: T[] = [];
  for (const item of items) {
    const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined;
    const numericId = toNumericId(id);
    if (typeof id === 'string' && id !== '') {
      identified.push(item as T);
    } else if (numericId !== undefined) {
      onDrift('coerced');
      identified.push({ ...(item as T), id: numericId });
    } else {
      onDrift('dropped');
    }
  }
  return identified;
}

/** Each id once: of several items with one id, the first counts. */
export function uniqueById<T extends { readonly id: string }>(items: readonly T[]): T[] {
  const byId = new Map<string, T>();
  for (const item of items) if (!byId.has(item.id)) byId.set(item.id, item);
  return [...byId.values()];
}

export function toPage<T extends { readonly id: string }>(
  { items, total, readVersion }: PageResponse,
  onDrift: (kind: ItemDrift) => void,
): Page<T> {
  return {
    items: withIds(items, onDrift),
    served: items.length,
    readVersion,
    ...(total === undefined ? {} : { total }),
  };
}
