import type { Identified, Page } from './list.ts';
import type { NumberedPages } from './numbered-pages.ts';
import { sharedShare } from './page-content.ts';

/**
 * Finds out why a page is short although more follows: the list has moved, the upstream caps its pages, or it has left a hole in this
 * one.
 */
export async function explainShortness<T extends Identified>(
  pages: Pick<NumberedPages<T>, 'fetchAgain'>,
  index: number,
  page: Page<T>,
): Promise<'move' | 'cap' | 'hole'> {
  const again = await pages.fetchAgain(index, page.reading);
  if (again.served !== page.served) return 'move';
  const first = index === 0 ? again : await pages.fetchAgain(0, again.reading);
  if (first.served !== page.served) return 'hole';
  // Capped, the second page shares nothing with the first when no more is asked for. Where a hole or a filter made the page short, it
  // would stand within the first.
  const second = await pages.fetchAgain(1, first.reading, page.served);
  return second.served > 0 && sharedShare(first, second) === 0 ? 'cap' : 'hole';
}
