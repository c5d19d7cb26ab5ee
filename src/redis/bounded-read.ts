import { toReplyKind } from './error-reply.ts';
import type { Command, Reply } from './redis-connection.ts';

/** Reads the values of one kind, none of which is longer than a maximum. */
export interface BoundedRead {
  toCommand(key: string): Command;
  /** @returns undefined if there is no value, or one that is longer than the maximum */
  toValue(reply: Reply): Buffer | undefined;
}

/**
 * A party that can write to the Redis can store 512 MB under any key, and a reply of that size can
 * exhaust the memory of the process. So the command reads one byte more than the maximum at most,
 * which is enough to recognize a longer value.
 *
 * Redis returns an empty string for a missing key, so an empty value counts as absent. So does a
 * value of another type.
 */
export function boundedRead(maxBytes: number): BoundedRead {
  // The end is included.
  const end = String(maxBytes);
  return {
    toCommand: (key) => ['GETRANGE', key, '0', end],
    toValue: (reply) =>
      Buffer.isBuffer(reply) && reply.length > 0 && reply.length <= maxBytes ? reply : undefined,
  };
}

/** Whether the command has read a key of another type. Only that command has failed. */
export function isWrongType(error: unknown): boolean {
  return toReplyKind(error) === 'WRONGTYPE';
}
