import { createSimulatedList, type PagingBehavior } from '../support/simulated-list.ts';
import { type CachedUpstream, createCachedUpstream } from './cached-upstream.ts';
import { createListReader, type ReaderOptions } from './list-reader.ts';

export const PAGE_SIZE = 10;

/**
 * A list in pages of ten behind a caching client. The log leaves out the requests that build the
 * scene.
 */
export function createCachedList(
  length: number,
  behavior: PagingBehavior = {},
  options: Partial<ReaderOptions> = {},
) {
  const upstream = createSimulatedList(length, behavior);
  const cachedUpstream = createCachedUpstream(upstream);
  return {
    upstream,
    memory: cachedUpstream,
    ...createListReader(cachedUpstream, { pageSize: PAGE_SIZE, ...options }),
  };
}

/** Caches the pages of these numbers, read in this order. */
export async function warmPages(cachedUpstream: CachedUpstream, ...pages: number[]): Promise<void> {
  for (const page of pages) await cachedUpstream.readPage({ page, pageSize: PAGE_SIZE });
  cachedUpstream.takeLog();
}

export async function passMicrotasks(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

/** The cursor of the item at a position of the current list, from a reader without a cache. */
export async function cursorAt(
  { upstream }: { upstream: ReturnType<typeof createSimulatedList> },
  position: number,
): Promise<string> {
  const reader = createListReader(upstream, { pageSize: PAGE_SIZE });
  const first = await reader.read({ first: Math.min(100, upstream.ids.length) });
  upstream.takeLog();
  return first.connection.edges[position]!.cursor;
}
