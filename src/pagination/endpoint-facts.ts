/**
 * What is known of how an endpoint pages: true of the upstream, not of any caller, so it is shared by all of them.
 * It holds no upstream data.
 */
export interface EndpointFacts {
  /** The number of the first page; undefined until it is found out. */
  firstPage: 0 | 1 | undefined;
  /** Items on a full page: as configured, until the upstream turns out to serve fewer, or more. */
  pageSize: number;
  /** Items asked for by one request: the page size, but never more than configured. */
  requestSize: number;
  /** Whether a short page has been seen between fuller ones: then a short page proves nothing, and no cap. */
  leavesHoles: boolean;
  /** Whether a page past the end has been seen to repeat the last one. */
  repeatsLastPage: boolean;
}

export type FactsByEndpoint = (endpoint: string) => EndpointFacts;

/**
 * Remembers facts for each endpoint (a path template such as `/campaigns/{id}/rows`, so there are few).
 * @param firstPage `auto`: find out; else it is so
 * @param pageSize items, as asked for until an endpoint turns out to serve fewer
 */
export function createEndpointFacts({
  firstPage,
  pageSize,
}: {
  readonly firstPage: 'auto' | 0 | 1;
  readonly pageSize: number;
}): FactsByEndpoint {
  const facts = new Map<string, EndpointFacts>();
  return (endpoint) => {
    let known = facts.get(endpoint);
    if (!known) {
      known = {
        firstPage: firstPage === 'auto' ? undefined : firstPage,
        pageSize,
        requestSize: pageSize,
        leavesHoles: false,
        repeatsLastPage: false,
      };
      facts.set(endpoint, known);
    }
    return known;
  };
}
