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
  /** `auto` has to be found out; `known` (default) is the upstream's own. */
  readonly firstPage?: 'auto' | 'known' | 0 | 1;
  /** Of the gateway that reads; readers that share it share what their credentials agree on. */
  readonly factsOf?: ReturnType<typeof createEndpointFacts>;
  readonly owner?: FactOwner;
}

/** One endpoint's facts, and client pages read over it with nothing else remembered, or over one source that remembers. */
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
  const createSource = (): ListSource<Identified> => createPagedList(upstream.readPage, factsAt('/list'));

  /** One client page, and the page numbers it asked the upstream for. */
  async function read(args: ConnectionArguments, { wanted: selected = ALL_PARTS, source = createSource() } = {}) {
    upstream.takeLog();
    const connection = await readConnection(source, toPageRequest(args), SCOPE, selected);
    return { ...toPageSummary(connection), connection, requested: upstream.takeLog() };
  }

  return {
    facts,
    /** What is believed of the endpoint now. */
    currentFacts: () => ({
      firstPage: facts.firstPage,
      pageSize: facts.pageSize,
      leavesHoles: facts.leavesHoles,
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
