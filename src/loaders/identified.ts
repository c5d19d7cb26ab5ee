import { UpstreamInvalidResponseError } from '#errors/upstream-error.ts';
import type { Page } from '#pagination/list.ts';
import type { ListAnswer } from '#rest/endpoints.ts';

/** The items of a list that can be known again. What is no object, or has no id, is left out; a number for an id becomes text. */
export function toIdentified<T extends { readonly id: string }>(items: readonly unknown[], onDropped: () => void): T[] {
  const identified: T[] = [];
  for (const item of items) {
    const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined;
    if (typeof id === 'string' && id !== '') identified.push(item as T);
    else if (typeof id === 'number') identified.push({ ...(item as T), id: String(id) });
    else onDropped();
  }
  return identified;
}

/**
 * @param path of the list, for the error
 * @throws UpstreamInvalidResponseError when nothing on a page can be known again: then no cursor can stand on it
 */
export function toPage<T extends { readonly id: string }>(
  { items, total }: ListAnswer,
  path: string,
  onDropped: () => void,
): Page<T> {
  const identified = toIdentified<T>(items, onDropped);
  if (items.length > 0 && identified.length === 0) {
    throw new UpstreamInvalidResponseError({ method: 'GET', path }, 'a list of which no item has an id');
  }
  return { items: identified, served: items.length, total };
}
