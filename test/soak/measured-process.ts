/**
 * Loaded into the gateway's own process before anything else, with `node --expose-gc --import`: tells whoever started it, over the channel
 * between them, what the process holds when all that nobody can reach has been thrown away. The gateway knows nothing of it.
 */
import { setImmediate } from 'node:timers/promises';

export interface ResourceUsage {
  readonly heapBytes: number;
  /** Of buffers and the like, beside the heap. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** What keeps the process alive, by kind: sockets, servers, timers. */
  readonly resources: Readonly<Record<string, number>>;
}

process.on('message', async () => process.send?.(await measure()));
// It is no reason to stay alive.
process.channel?.unref();

async function measure(): Promise<ResourceUsage> {
  // Twice: what the first one finalises, the second one frees.
  globalThis.gc?.();
  await setImmediate();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const resources: Record<string, number> = {};
  // Immediates are of this moment.
  for (const kind of process.getActiveResourcesInfo())
    if (kind !== 'Immediate') resources[kind] = (resources[kind] ?? 0) + 1;
  return { heapBytes: heapUsed, externalBytes: external, rssBytes: rss, resources };
}
