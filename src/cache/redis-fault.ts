/** It does not tell the time as Redis does. */
export class NotRedisError extends Error {}

/** What kind of fault it is, without its words: they tell addresses. */
export function toErrorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'for no reason given';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Redis' own begin with their kind: WRONGPASS, LOADING, OOM.
  return /^[A-Z]{2,}(?= )/.exec(error.message)?.[0] ?? error.constructor.name;
}
