/** The server does not respond to `TIME` like Redis. */
export class NotRedisError extends Error {}

/** The kind of an error, without its message, which may contain addresses. */
export function toErrorCode(error: unknown): string {
  if (error instanceof NotRedisError) return 'the server does not respond like Redis';
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Redis' own messages start with their kind: WRONGPASS, LOADING, OOM.
  return /^[A-Z]{2,}(?= )/.exec(error.message)?.[0] ?? error.constructor.name;
}
