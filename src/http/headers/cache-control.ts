import type { UpstreamUsage } from '#context/upstream-usage.ts';

/**
 * The request headers on which a cacheable response depends. Compression and CORS append their own
 * headers to `Vary`.
 */
export const VARY = 'Authorization, Router-Authorization, Accept';

/** For a response that no cache may store. */
export const NO_STORE = 'no-store';

/** For a response that is the same for all clients, and whose URL changes with its content. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';

/**
 * How long a browser or a router may cache a response for its caller: as long as the least fresh
 * part of the response is fresh. Not at all if the response contains a live call or anything stale.
 * @param now current time, in ms
 */
export function toCacheControl({ freshness, counts }: UpstreamUsage, now: number): string {
  if (freshness.isLive || counts.stale > 0) return NO_STORE;
  // `freshUntil` is infinite for a response without upstream data, such as introspection. Its
  // max-age is 0, because it changes with the gateway's next release.
  return toPrivateMaxAge(Number.isFinite(freshness.freshUntil) ? freshness.freshUntil - now : 0);
}

/** @param remainingMs remaining freshness */
export function toPrivateMaxAge(remainingMs: number): string {
  return `private, max-age=${Math.max(0, Math.floor(remainingMs / 1000))}`;
}
