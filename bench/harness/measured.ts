import { GCProfiler } from 'node:v8';

/**
 * Loaded into a measured process before its program, with `--import`: reports the process's usage
 * to its parent, over the IPC channel. The measured program is not aware of it.
 */
export interface ProcessUsage {
  /** Processor time of all threads, in user and system mode, in ms. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Active timers that keep the process alive. */
  readonly timers: number;
}

/**
 * A message from the parent process. `live` is `usage` after a garbage collection, for a process
 * with `--expose-gc`.
 */
export type MeasureRequest = 'usage' | 'live' | 'promoted';

let collections: GCProfiler | undefined;

process.on('message', (request: MeasureRequest) => {
  if (request === 'live') {
    globalThis.gc?.();
    // The second collection frees what the first one has finalized.
    globalThis.gc?.();
  }
  process.send?.(request === 'promoted' ? takePromotedBytes() : measure());
});
// Without its parent no process would end this one.
process.on('disconnect', () => process.exit());
// The channel must not keep the process alive.
process.channel?.unref();

function measure(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed, timers };
}

/** Bytes that scavenges have moved to the old generation since the previous call. */
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
