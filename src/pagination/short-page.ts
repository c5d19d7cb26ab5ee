import type { Identified, Page } from './list.ts';
import type { NumberedPages } from './numbered-pages.ts';
import { hasSameItems, isIdenticalPage, overlapRatio } from './page-content.ts';

export interface ShortPage<T> {
  readonly index: number;
  readonly page: Page<T>;
  /** The next page holds items, so the total is not the only sign that more follows. */
  readonly isFollowed: boolean;
  /** No longer page has been seen. */
  readonly canBeCapped: boolean;
}

/**
 * Finds out why a page is short although more follows: the list has moved, the upstream caps its pages, or it has left a hole in this
 * one.
 */
export async function classifyShortPage<T extends Identified>(
  pages: Pick<NumberedPages<T>, 'fetchAgain'>,
  { index, page, isFollowed, canBeCapped }: ShortPage<T>,
): Promise<'move' | 'cap' | 'hole'> {
  const again = await pages.fetchAgain(index, page.readVersion);
  if (again.served !== page.served) return 'move';
  if (!canBeCapped) return 'hole';
  const first = index === 0 ? again : await pages.fetchAgain(0, again.readVersion);
  if (first.served !== page.served) return 'hole';
  // Capped, the second page shares nothing with the first when no more is asked for. Where a hole or a filter made the page short, it
  // would stand within the first.
  let secondIndex = 1;
  let second = await pages.fetchAgain(secondIndex, first.readVersion, page.served);
  // Where the number of the first page is not known yet, its number may be both 0 and 1.
  if (hasSameItems(second, first)) second = await pages.fetchAgain(++secondIndex, second.readVersion, page.served);
  if (second.served > 0 && overlapRatio(first, second) === 0) return 'cap';
  if (second.served === 0 && isFollowed) return 'move';
  const [one, other] = second.served > 0 ? [0, first] : [secondIndex, second];
  return isIdenticalPage(await pages.fetchAgain(one, second.readVersion, page.served), other) ? 'hole' : 'move';
}
