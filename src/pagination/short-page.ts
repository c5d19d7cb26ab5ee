import type { Identified, Page } from './list.ts';
import type { NumberedPages } from './numbered-pages.ts';
import { hasSameItems, isIdenticalPage, overlapRatio } from './page-content.ts';

export interface ShortPage<T> {
  readonly index: number;
  readonly page: Page<T>;
  /** The next page holds items, so the total is not the only sign that more items follow. */
  readonly isFollowed: boolean;
  /** Neither a full page nor a longer next page has been served: the upstream may cap its pages. */
  readonly canBeCapped: boolean;
}

/**
 * Determines why a page is short although more items follow: the list has moved, the upstream caps
 * its pages, or it has left items out of this page (a hole).
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
  // If the upstream caps its pages, the second page at the capped size shares no item with the
  // first. If a hole or a filter made the page short, the second page at that size would overlap
  // the first.
  let secondIndex = 1;
  let second = await pages.fetchAgain(secondIndex, first.readVersion, page.served);
  // If the number of the first page is unknown, the upstream may serve the same page for numbers 0
  // and 1.
  if (hasSameItems(second, first))
    second = await pages.fetchAgain(++secondIndex, second.readVersion, page.served);
  if (second.served > 0 && overlapRatio(first, second) === 0) return 'cap';
  // A hole is concluded only from a list that has not moved: the conclusion outlives this operation.
  if (again.total !== page.total) return 'move';
  if (page.items.length > 0 && overlapRatio(again, page) === 0) return 'move';
  // By now the list ends with the first page, and numbers past the end are empty or repeat it.
  if (isFollowed && (second.served === 0 || hasSameItems(second, first))) return 'move';
  // A rejection of a number past the end counts as an empty page, without a version.
  const newerThan = second.readVersion ?? first.readVersion;
  if (second.served === 0) {
    const secondAgain = await pages.fetchAgain(secondIndex, newerThan, page.served);
    if (secondAgain.served > 0) return 'move';
  }
  const firstAgain = await pages.fetchAgain(0, newerThan);
  return isIdenticalPage(firstAgain, first) ? 'hole' : 'move';
}
