import type { EndpointFacts } from './endpoint-facts.ts';
import { Generation } from './generation.ts';
import type { Identified, ListSource } from './list.ts';
import type { ReadPage } from './numbered-pages.ts';
import { createTotalOnly } from './total-only.ts';

/**
 * Maximum number of further generations. After these the list moves faster than it can be read, and
 * the response uses the last generation as it is.
 */
const MAX_RENEWALS = 3;

/**
 * A page-numbered list. It determines the number of the first page, the real page size and the end
 * of the list on first use, and records the facts of the endpoint in `facts`.
 *
 * A page past the end is empty, a 400 or 404 (beyond the first page), or repeats the page before
 * it.
 * @param reportsTotal each page shows the length of the whole list
 */
export function createPagedList<T extends Identified>(
  readPage: ReadPage<T>,
  facts: EndpointFacts,
  { reportsTotal = false }: { readonly reportsTotal?: boolean } = {},
): ListSource<T> {
  let renewals = 0;
  let current = new Generation(readPage, facts, {
    isLast: false,
    pastEndFrom: Number.POSITIVE_INFINITY,
    newerThan: undefined,
  });
  return {
    ...(reportsTotal ? { totalOnly: createTotalOnly(readPage, facts) } : {}),
    current: () => current,
    renew(list) {
      if (list === current) {
        renewals += 1;
        const { nextPastEndFrom: pastEndFrom, latestVersion: newerThan } = current;
        current = new Generation(readPage, facts, {
          isLast: renewals >= MAX_RENEWALS,
          pastEndFrom,
          newerThan,
        });
      }
      return current;
    },
  };
}
