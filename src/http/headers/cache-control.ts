import type { UpstreamUsage } from '#context/upstream-usage.ts';

/** What an answer depends on besides the request's URL and body. */
export const VARY = 'Authorization, Router-Authorization, Accept';

/** An answer that nobody may keep. */
export const NO_STORE = 'no-store';

/**
 * Says how long a browser or a router may keep an answer for the one who asked: as long as the least fresh thing in it is fresh. Not at
 * all, if a live call is in it, or anything stale.
 * @param now our clock, ms
 */
export function toCacheControl({ freshness, counts }: UpstreamUsage, now: number): string {
  if (freshness.isLive || counts.stale > 0) return NO_STORE;
  // Nothing of the upstream is in it: what the gateway says of itself changes with its next release.
  return toPrivateMaxAge(Number.isFinite(freshness.freshUntil) ? freshness.freshUntil - now : 0);
}

/** @param remainingMs how long it is fresh yet, ms */
export function toPrivateMaxAge(remainingMs: number): string {
  return `private, max-age=${Math.max(0, Math.floor(remainingMs / 1000))}`;
}
