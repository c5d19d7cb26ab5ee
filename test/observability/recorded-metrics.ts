import type { CacheState } from '#cache/cache-events.ts';
import { createMetrics } from '#observability/metrics.ts';
import type { UpstreamState } from '#rest/upstream-events.ts';
import { parseMetrics, type Sample } from '../support/metrics.ts';

/** The series of one metric, without the buckets of histograms: labels and value. */
export function seriesOf(samples: readonly Sample[], name: string) {
  return samples
    .filter((sample) => sample.name === `revox_gateway_${name}`)
    .map(({ labels, value }) => ({ ...labels, value }));
}

export const ALL_CLOSED: UpstreamState['circuits'] = {
  connection: { state: 'closed', openCount: 0 },
  endpoint: { state: 'closed', openCount: 0 },
};

export function createRecordedMetrics(
  upstream: UpstreamState = {
    queued: 0,
    inFlight: 0,
    coolingDown: 0,
    reducedShares: 0,
    circuits: ALL_CLOSED,
  },
  cache: CacheState = { bytes: 0, entries: 0, inFlight: 0 },
) {
  const metrics = createMetrics({
    upstreamState: () => upstream,
    cacheState: () => cache,
  });
  return { metrics, read: async () => parseMetrics(await metrics.render()) };
}
