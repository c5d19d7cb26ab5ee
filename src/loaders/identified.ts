import type { Page } from '#pagination/list.ts';
import type { PageAnswer } from '#rest/endpoints.ts';

/** What may be odd of the items of a list: they cannot be known again, or their ids are numbers. */
export type OddItem = 'dropped' | 'coerced';

/** The items of a list that can be known again. What is no object, or has no id, is left out; a number for an id becomes text. */
export function toIdentified<T extends { readonly id: string }>(items: readonly unknown[], onOdd: (how: OddItem) => void): T[] {
  const identified: T[] = [];
  for (const item of items) {
    const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined;
    if (typeof id === 'string' && id !== '') {
      identified.push(item as T);
    } else if (typeof id === 'number') {
      onOdd('coerced');
      identified.push({ ...(item as T), id: String(id) });
    } else {
      onOdd('dropped');
    }
  }
  return identified;
}

export function toPage<T extends { readonly id: string }>(
  { items, total, reading }: PageAnswer,
  onOdd: (how: OddItem) => void,
): Page<T> {
  return { items: toIdentified(items, onOdd), served: items.length, reading, ...(total === undefined ? {} : { total }) };
}
