import { createSimulatedList, type Manners } from '../kit/simulated-list.ts';
import { createReader, type ReaderOptions } from './reader.ts';
import { createRemembering, type Remembering } from './remembering.ts';

export const PAGE = 10;

/** A list in pages of ten, behind a memory; what was read of it to build the scene is not in the log. */
export function createScene(length: number, manners: Manners = {}, options: Partial<ReaderOptions> = {}) {
  const upstream = createSimulatedList(length, manners);
  const memory = createRemembering(upstream);
  return { upstream, memory, ...createReader(memory, { pageSize: PAGE, ...options }) };
}

/** Has pages remembered by their numbers, read in this order. */
export async function remember(memory: Remembering, ...pages: number[]): Promise<void> {
  for (const page of pages) await memory.readPage({ page, pageSize: PAGE });
  memory.takeLog();
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

/** The cursor of the item at a place of the list as it is now, by somebody who remembers nothing. */
export async function cursorAt(
  { upstream }: { upstream: ReturnType<typeof createSimulatedList> },
  place: number,
): Promise<string> {
  const reader = createReader(upstream, { pageSize: PAGE });
  const first = await reader.read({ first: Math.min(100, upstream.ids.length) });
  upstream.takeLog();
  return first.connection.edges[place]!.cursor;
}
