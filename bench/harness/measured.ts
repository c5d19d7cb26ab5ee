import { GCProfiler } from 'node:v8';

/**
 * Loaded into a measured process before anything else, with `--import`: tells whoever started it, over the channel between them, what it has taken.
 * The program that is measured knows nothing of it.
 */
export interface ProcessUsage {
  /** Of all its threads, in user and system mode, ms. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

/** What it may be asked. */
export type MeasureRequest = 'taken' | 'promoted';

let collections: GCProfiler | undefined;

process.on('message', (inquiry: MeasureRequest) => process.send?.(inquiry === 'promoted' ? takePromotedBytes() : measure()));
// Whoever measures has gone; nobody else would end it.
process.on('disconnect', () => process.exit());
// It is no reason to stay alive.
process.channel?.unref();

function measure(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed };
}

/** What collections of the young generation have moved to the old one since this was asked last. */
function takePromotedBytes(): number {
  const { statistics = [] } = collections?.stop() ?? {};
  collections = new GCProfiler();
  collections.start();
  return statistics
    .filter(({ gcType }) => gcType === 'Scavenge')
    .reduce((sum, { beforeGC, afterGC }) => sum + oldBytes(afterGC) - oldBytes(beforeGC), 0);
}

function oldBytes({ heapSpaceStatistics }: HeapAround): number {
  return heapSpaceStatistics
    .filter(({ spaceName }) => spaceName === 'old_space' || spaceName === 'large_object_space')
    .reduce((sum, { spaceUsedSize }) => sum + spaceUsedSize, 0);
}

type HeapAround = NonNullable<ReturnType<GCProfiler['stop']>>['statistics'][number]['beforeGC'];
