/** Redis does not reply, or it rejects writes. */
export type RedisCondition = 'redis' | 'redis-writes';

/**
 * Called once when a condition begins, with its reason, and once when it ends, without one. Neither
 * the message nor the reason contains an address or a password.
 */
export type OnRedisStatusChange = (
  message: string,
  condition: RedisCondition,
  reason?: string,
) => void;

export const AVAILABLE_AGAIN = 'Redis is available again. The gateway uses it as the shared cache.';
export const WRITABLE_AGAIN =
  'Redis accepts writes again. The gateway stores new responses in Redis, too.';

export function toUnavailable(reason: string): string {
  return `Redis is unavailable: ${reason}. The gateway caches in its own memory only until Redis responds again.`;
}

export function toUnwritable(code: string): string {
  return `Redis rejects writes: ${code}. The gateway still reads from Redis, and stores new responses in its own memory only.`;
}
