import type { ReadVersion } from '#rest/upstream-request.ts';

/** No version is newer than this one: a request for a newer version must go to the upstream. */
const NEWER_THAN_ANYTHING: ReadVersion = Object.freeze({
  instance: '',
  sequence: Number.POSITIVE_INFINITY,
  isCached: false,
});

/** Whether one read is known to have been sent after another. */
export function isAfter(one: ReadVersion, other: ReadVersion): boolean {
  return one.instance === other.instance && one.sequence > other.sequence;
}

/**
 * A version newer than the result is newer than both arguments: the result is the later of the two
 * or, if they come from different instances, `NEWER_THAN_ANYTHING`.
 */
export function latestVersion(
  one: ReadVersion | undefined,
  other: ReadVersion | undefined,
): ReadVersion | undefined {
  if (!one || !other) return one ?? other;
  if (one.instance !== other.instance) return NEWER_THAN_ANYTHING;
  return isAfter(other, one) ? other : one;
}

/**
 * Whether a version is acceptable where one newer than `than` is required. A version that is not
 * cached always is: the operation has read it, or has joined a request that was sent at most one
 * second earlier. Whatever their order, two such reads are close together. A cached version must be
 * known to be newer.
 */
export function isRecentEnough(
  version: ReadVersion | undefined,
  than: ReadVersion | undefined,
): boolean {
  return !version?.isCached || !than || isAfter(version, than);
}

/**
 * Whether a cached response is known to be older than requested: the upstream has failed, and the
 * cache has served a stale response (stale-if-error). Versions of two instances cannot be compared.
 */
export function isTooOld(
  version: ReadVersion | undefined,
  newerThan: ReadVersion | undefined,
): boolean {
  if (!version?.isCached || !newerThan || isAfter(version, newerThan)) return false;
  return version.instance === newerThan.instance || newerThan === NEWER_THAN_ANYTHING;
}

/**
 * Whether all versions count as uncached. A cached version counts as uncached if an uncached
 * version comes before it in the sequence, and it is known to have been read after the first of
 * these.
 */
export function isUncached(versions: Iterable<ReadVersion | undefined>): boolean {
  let first: ReadVersion | undefined;
  for (const version of versions) {
    if (!version) continue;
    if (!version.isCached) first ??= version;
    else if (!first || !isAfter(version, first)) return false;
  }
  return true;
}
