import { type Connection, readConnection, type SelectedParts } from '#pagination/connection.ts';
import { createEndpointFacts, type FactOwner } from '#pagination/endpoint-facts.ts';
import type { Identified, ListSource } from '#pagination/list.ts';
import { type ConnectionArguments, toPageRequest } from '#pagination/page-request.ts';
import { createPagedList } from '#pagination/paged-list.ts';
import type { SimulatedList } from '../support/simulated-list.ts';

export const SCOPE = 'Query.things';
export const ALL_PARTS: SelectedParts = { page: true, hasNextPage: true };

export interface ReaderOptions {
  readonly pageSize: number;
  /** `auto` discovers the number; `known` (default) is the upstream's own. */
  readonly firstPage?: 'auto' | 'known' | 0 | 1;
  /** The facts of a gateway; readers with the same facts share what their credentials agree on. */
  readonly factsOf?: ReturnType<typeof createEndpointFacts>;
  readonly owner?: FactOwner;
}

/**
 * The facts of one endpoint, and client pages read over it with an empty cache, or over one caching
 * source.
 */
export function createListReader(upstream: SimulatedList, options: ReaderOptions) {
  const { pageSize, firstPage = 'known', owner = { fingerprint: 'ann' } } = options;
  const {
    factsOf = createEndpointFacts({
      firstPage: firstPage === 'known' ? upstream.behavior.firstPage : firstPage,
      pageSize,
      monotonicNow: () => 0,
    }),
  } = options;
  const factsAt = factsOf(owner);
  const facts = factsAt('/list');
  const createSource = (): ListSource<Identified> =>
    createPagedList(upstream.readPage, factsAt('/list'));

  /** One client page, and the page numbers that it requested from the upstream. */
  async function read(
    args: ConnectionArguments,
    { wanted: selected = ALL_PARTS, source = createSource() } = {},
  ) {
    upstream.takeLog();
    const connection = await readConnection(source, toPageRequest(args), SCOPE, selected);
    return { ...toPageSummary(connection), connection, requested: upstream.takeLog() };
  }

  return {
    facts,
    /** The current facts of the endpoint. */
    currentFacts: () => ({
      firstPage: facts.firstPage,
      pageSize: facts.pageSize,
      hasHoles: facts.hasHoles,
      repeatsLastPage: facts.repeatsLastPage,
    }),
    createSource,
    read,
  };
}

export function toPageSummary({ nodes, pageInfo, isCursorItemGone }: Connection<Identified>) {
  return {
    ids: nodes.map(({ id }) => id),
    hasNextPage: pageInfo.hasNextPage,
    hasPreviousPage: pageInfo.hasPreviousPage,
    startCursor: pageInfo.startCursor,
    endCursor: pageInfo.endCursor,
    isCursorItemGone,
  };
}
