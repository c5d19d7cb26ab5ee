import { parseSlotRanges, type SlotRange } from './cluster-slots.ts';
import { queryServer } from './query-server.ts';
import type { RedisTls } from './redis-client.ts';
import { NoSlotsError, NotClusterError, toErrorCode } from './redis-errors.ts';

/**
 * Queries nodes of a cluster for the masters of all slots, one after the other until one of them
 * knows a master.
 * @throws the error of the last node
 */
export async function findSlotRanges(
  urls: readonly string[],
  tls: RedisTls | undefined,
): Promise<readonly SlotRange[]> {
  let lastError: unknown;
  for (const url of new Set(urls)) {
    try {
      // `CLUSTER SHARDS` requires Redis 7.
      const reply = await queryServer(url, tls, ['CLUSTER', 'SLOTS']);
      const ranges = parseSlotRanges(reply, new URL(url).hostname.replace(/^\[|\]$/g, ''));
      if (ranges.length > 0) return ranges;
      lastError = new NoSlotsError();
    } catch (error) {
      lastError = isUnsupported(error) ? new NotClusterError() : error;
    }
  }
  throw lastError;
}

/**
 * Redis replies `ERR This instance has cluster support disabled`, or `ERR` for an unknown command.
 * The reply to a failed login can also begin with `ERR`, and then contains `AUTH`.
 */
function isUnsupported(error: unknown): boolean {
  return toErrorCode(error) === 'ERR' && !/\bAUTH\b/.test(String(error));
}
