/**
 * Loaded before the gateway with `node --expose-gc --import`. It reports the resources of the
 * process after a garbage collection to the parent process. The gateway does not know of it.
 */
import { setImmediate } from 'node:timers/promises';

/**
 * Immediates exist only during this iteration of the event loop, and a request of the file system is
 * over in the next one: a log line is written at any time.
 */
const TRANSIENT: ReadonlySet<string> = new Set(['Immediate', 'FSReqCallback']);

export interface ResourceUsage {
  readonly heapBytes: number;
  /** Memory outside the heap, such as buffers. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** Active resources by kind: sockets, servers, timers. */
  readonly resources: Readonly<Record<string, number>>;
}

process.on('message', async () => process.send?.(await measure()));
// The channel must not keep the process alive.
process.channel?.unref();

async function measure(): Promise<ResourceUsage> {
  // The second collection frees what the first one has finalised.
  globalThis.gc?.();
  await setImmediate();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo())
    if (!TRANSIENT.has(kind)) resources[kind] = (resources[kind] ?? 0) + 1;
  return { heapBytes: heapUsed, externalBytes: external, rssBytes: rss, resources };
}
