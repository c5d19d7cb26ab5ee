import type { Identified, Page } from './list.ts';
import type { NumberedPages } from './numbered-pages.ts';
import { repeats, sharedShare } from './page-content.ts';

/**
 * Finds out why a page is short although more follows: the list has moved, the upstream caps its pages, or it has left a hole in this
 * one.
 * @param mayBeCapped no longer page has been seen
 */
export async function explainShortness<T extends Identified>(
  pages: Pick<NumberedPages<T>, 'fetchAgain'>,
  index: number,
  page: Page<T>,
  { mayBeCapped }: { readonly mayBeCapped: boolean },
): Promise<'move' | 'cap' | 'hole'> {
  const again = await pages.fetchAgain(index, page.reading);
  if (again.served !== page.served) return 'move';
  if (!mayBeCapped) return 'hole';
  const first = index === 0 ? again : await pages.fetchAgain(0, again.reading);
  if (first.served !== page.served) return 'hole';
  // Capped, the second page shares nothing with the first when no more is asked for. Where a hole or a filter made the page short, it
  // would stand within the first.
  const second = await pages.fetchAgain(1, first.reading, page.served);
  // Where the number of the first page is not known yet, its number may be both 0 and 1.
  const other = repeats(second, first) ? await pages.fetchAgain(2, second.reading, page.served) : second;
  return other.served > 0 && sharedShare(first, other) === 0 ? 'cap' : 'hole';
}
