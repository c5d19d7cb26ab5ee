/**
 * Loaded into a measured process before anything else, with `--import`: tells whoever started it, over the channel between them, what it has taken.
 * The program that is measured knows nothing of it.
 */
export interface Taken {
  /** Of all its threads, in user and system mode, ms. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

process.on('message', () => process.send?.(measure()));
// Whoever measures has gone; nobody else would end it.
process.on('disconnect', () => process.exit());
// It is no reason to stay alive.
process.channel?.unref();

function measure(): Taken {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed };
}
