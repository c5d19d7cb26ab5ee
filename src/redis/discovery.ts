import { parseSlotRanges, SLOT_COUNT, type SlotRange } from './cluster-slots.ts';
import { queryServer } from './query-server.ts';
import type { RedisTls } from './redis-client.ts';
import { NoSlotsError, NotClusterError, toErrorCode } from './redis-errors.ts';

/**
 * Queries nodes of a cluster for the masters of all slots, one after the other until one of them
 * knows all. A node learns of new owners by gossip: one that knows fewer slots than the others may
 * just have joined the cluster, or its view is outdated.
 * @returns the ranges of the node that knows most slots
 * @throws the error of the last node, if no node knows a master
 */
export async function findSlotRanges(
  urls: readonly string[],
  tls: RedisTls | undefined,
): Promise<readonly SlotRange[]> {
  let ranges: readonly SlotRange[] = [];
  let lastError: unknown;
  for (const url of new Set(urls)) {
    try {
      // `CLUSTER SHARDS` requires Redis 7.
      const reply = await queryServer(url, tls, ['CLUSTER', 'SLOTS']);
      const known = parseSlotRanges(reply, new URL(url).hostname.replace(/^\[|\]$/g, ''));
      if (countSlots(known) > countSlots(ranges)) ranges = known;
      if (countSlots(ranges) === SLOT_COUNT) return ranges;
      lastError = new NoSlotsError();
    } catch (error) {
      lastError = isUnsupported(error) ? new NotClusterError() : error;
    }
  }
  if (ranges.length > 0) return ranges;
  throw lastError;
}

function countSlots(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/**
 * Redis replies `ERR This instance has cluster support disabled`, or `ERR` for an unknown command.
 * The reply to a failed login can also begin with `ERR`, and then contains `AUTH`.
 */
function isUnsupported(error: unknown): boolean {
  return toErrorCode(error) === 'ERR' && !/\bAUTH\b/.test(String(error));
}
