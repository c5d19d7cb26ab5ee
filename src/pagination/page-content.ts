import { UpstreamRejectedError } from '#errors/upstream-error.ts';
import type { Identified, Page } from './list.ts';

export const EMPTY_PAGE: Page<never> = Object.freeze({ items: Object.freeze([]), served: 0 });

/**
 * Whether two pages hold the same items in the same order. An upstream that clamps page numbers
 * repeats its last page for each number past the end.
 */
export function hasSameItems(page: Page<Identified>, other: Page<Identified>): boolean {
  return (
    page.items.length > 0 &&
    page.items.length === other.items.length &&
    page.items.every(({ id }, offset) => id === other.items[offset]?.id)
  );
}

/** Whether two pages are identical: items, number of items served and total. */
export function isIdenticalPage(page: Page<Identified>, other: Page<Identified>): boolean {
  return (
    page.served === other.served &&
    page.total === other.total &&
    (page.items.length + other.items.length === 0 || hasSameItems(page, other))
  );
}

/** The share of the smaller page's items that are also on the other page, 0 to 1. */
export function overlapRatio(a: Page<Identified>, b: Page<Identified>): number {
  const smaller = Math.min(a.items.length, b.items.length);
  if (smaller === 0) return 0;
  const known = new Set(a.items.map(({ id }) => id));
  return b.items.filter(({ id }) => known.has(id)).length / smaller;
}

/**
 * Whether the API itself has rejected the request with one of these statuses; a web page with the
 * status says nothing about the list.
 */
export function hasStatus(error: unknown, statuses: readonly number[]): boolean {
  return (
    error instanceof UpstreamRejectedError &&
    error.status !== undefined &&
    statuses.includes(error.status)
  );
}
