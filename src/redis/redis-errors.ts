import { toReplyKind } from './error-reply.ts';
import { NoMasterError } from './sentinels.ts';

/** The server does not respond to `TIME` like Redis. */
export class NotRedisError extends Error {}

/** The server does not support `CLUSTER SLOTS`. */
export class NotClusterError extends Error {}

/**
 * The node reports no slots: its cluster is not created yet, or the node has not joined the
 * cluster.
 */
export class NoSlotsError extends Error {}

/** The code of a cluster in which a slot has no master. */
export const UNSERVED_SLOTS = 'UNSERVED_SLOTS';

/** Reasons in words, where the kind of an error does not say what to do. */
const REASONS = new Map([
  [NoMasterError.name, 'no Sentinel knows its master'],
  [NotRedisError.name, 'the server does not respond like Redis'],
  [
    NotClusterError.name,
    'the server is not a node of a Redis Cluster, as REDIS_CLUSTER=on requires',
  ],
  [UNSERVED_SLOTS, 'some slots have no master'],
  [NoSlotsError.name, 'no master serves the slots of the Redis Cluster'],
  ['MOVED', 'the server is a node of a Redis Cluster, which requires REDIS_CLUSTER=on'],
]);

/** The kind of an error, without its message, which may contain addresses. */
export function toErrorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return toReplyKind(error) ?? error.constructor.name;
}

/** What the log says about an error of this kind. */
export function toReason(code: string): string {
  return REASONS.get(code) ?? code;
}
