import type { ErrorExtensions } from 'revox-graphql-gateway/extensions';

/** Milliseconds to wait before the next attempt; undefined: a further attempt does not help. */
export function waitBeforeRetry(extensions: Partial<ErrorExtensions>): number | undefined {
  switch (extensions.code) {
    case 'RATE_LIMITED':
    case 'UPSTREAM_UNAVAILABLE':
    case 'UPSTREAM_TIMEOUT':
    case 'UPSTREAM_INVALID_RESPONSE':
    case 'SUBSCRIPTION_INTERRUPTED':
      return (extensions.retryAfter ?? 5) * 1_000;
    default:
      return undefined;
  }
}
