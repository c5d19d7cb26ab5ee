import { createEndpointFacts, type SharedFacts } from '#pagination/endpoint-facts.ts';
import type { Identified, Page } from '#pagination/list.ts';
import { createClock } from '../support/clock.ts';
import {
  createSimulatedList,
  type PagingBehavior,
  type SimulatedList,
} from '../support/simulated-list.ts';
import { createListReader } from './list-reader.ts';

export interface TenantsOptions {
  readonly behavior: PagingBehavior;
  readonly pageSize: number;
  /** The length of each tenant's list. */
  readonly lengths: readonly number[];
  readonly instances?: number;
  /** @default 'auto' */
  readonly firstPage?: 'auto' | 0 | 1;
}

/**
 * A tenant of several instances: a credential with its own list at the endpoint that all tenants
 * share.
 */
export interface Tenant {
  readonly upstream: FlakyList;
  /** A reader for the tenant through one of the instances. */
  readonly at: (instance: number) => ReturnType<typeof createListReader>;
}

export interface FlakyList extends SimulatedList {
  /** The next request gets an empty page. */
  serveEmptyNext(): void;
  /** Cancels the changes that were scheduled for later requests. */
  cancelChanges(): void;
}

/**
 * Tenants of one upstream, and gateway instances that cache nothing of it but its paging behavior.
 */
export function createTenants({
  behavior,
  pageSize,
  lengths,
  instances = 1,
  firstPage = 'auto',
}: TenantsOptions) {
  const clock = createClock();
  const createSharedFacts = createSharedFactStore(clock.now);
  const factories = Array.from({ length: instances }, () =>
    createEndpointFacts({ firstPage, pageSize, monotonicNow: clock.now }),
  );
  const tenants = lengths.map((length, index): Tenant => {
    const fingerprint = `tenant ${index}`;
    const upstream = createFlakyList(length, behavior);
    const owner = { fingerprint, sharedFacts: createSharedFacts(fingerprint) };
    const readers = factories.map((factsOf) =>
      createListReader(upstream, { pageSize, factsOf, owner }),
    );
    return { upstream, at: (instance) => readers[instance]! };
  });
  return { clock, tenants };
}

function createFlakyList(length: number, behavior: PagingBehavior): FlakyList {
  const list = createSimulatedList(length, behavior);
  let isEmptyNext = false;
  return {
    ...list,
    serveEmptyNext() {
      isEmptyNext = true;
    },
    cancelChanges() {
      isEmptyNext = false;
      list.cancelChanges();
    },
    async readPage(pageFetch): Promise<Page<Identified>> {
      const isEmpty = isEmptyNext;
      isEmptyNext = false;
      const page = await list.readPage(pageFetch);
      return isEmpty ? { items: [], served: 0 } : page;
    },
  };
}

/** The facts that the instances share for a credential, each for as long as its writer asks. */
function createSharedFactStore(now: () => number) {
  const entries = new Map<
    string,
    {
      readonly note: { readonly value: 0 | 1; readonly trustMs: number };
      readonly at: number;
      readonly keepForMs: number;
    }
  >();
  return (fingerprint: string): SharedFacts => ({
    async readFirstPage(endpoint) {
      const noted = entries.get(`${fingerprint} ${endpoint}`);
      if (!noted || now() - noted.at >= noted.keepForMs) return undefined;
      return { ...noted.note, ageMs: now() - noted.at };
    },
    writeFirstPage(endpoint, note, keepForMs) {
      entries.set(`${fingerprint} ${endpoint}`, { note, at: now(), keepForMs });
    },
  });
}

/**
 * All items by client pages of this size, and whether each page reported the next one correctly.
 */
export async function walk({ upstream, at }: Tenant, instance: number, size: number) {
  const reader = at(instance);
  const ids: string[] = [];
  let isHonest = true;
  let requestCount = 0;
  for (let after: string | null = null; ; ) {
    const page = await reader.read({ first: size, after });
    ids.push(...page.ids);
    requestCount += page.requested.length;
    isHonest &&= page.hasNextPage === ids.length < upstream.ids.length;
    if (!page.hasNextPage || ids.length > 2 * upstream.ids.length)
      return { ids, isHonest, requestCount };
    after = page.endCursor;
  }
}
