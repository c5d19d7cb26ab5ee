import type { EndpointFacts } from './endpoint-facts.ts';
import type { TotalOnly } from './list.ts';
import type { ReadPage } from './numbered-pages.ts';
import { hasStatus } from './page-content.ts';

/**
 * Reads a total from a page of one item: a whole page takes longer to produce for the upstream, and
 * longer to read for the gateway. A page of the list that another field reads shows the total, too,
 * so then no further request is sent.
 *
 * The number of the first page need not be known: page 1 shows the total whether pages are numbered
 * from 0 or from 1. A total that the page contradicts is not used, and the list's pages decide.
 */
export function createTotalOnly(readPage: ReadPage<unknown>, facts: EndpointFacts): TotalOnly {
  let readsPages = false;
  let reading: Promise<number | undefined> | undefined;
  return {
    expectPages() {
      readsPages = true;
    },
    async read() {
      if (readsPages || facts.totalsNeedWholePage) return undefined;
      reading ??= readTotal(readPage, facts).catch((error: unknown) => {
        reading = undefined;
        throw error;
      });
      return reading;
    },
  };
}

async function readTotal(
  readPage: ReadPage<unknown>,
  facts: EndpointFacts,
): Promise<number | undefined> {
  const { firstPage } = facts;
  try {
    const { total, served } = await readPage({ page: firstPage ?? 1, pageSize: 1 });
    if (total === undefined) facts.totalsNeedWholePage = true;
    // An empty page of a list that is not empty may be past the end, or have a wrong number.
    return total === undefined || total < served || (served === 0 && total > 0) ? undefined : total;
  } catch (error) {
    const isPageRefused = hasStatus(error, [400, 422]);
    if (isPageRefused) facts.totalsNeedWholePage = true;
    if (isPageRefused || (firstPage === undefined && hasStatus(error, [404]))) return undefined;
    throw error;
  }
}
