import type { ReadVersion } from './list.ts';

/** Nothing is known to have been sent after it: only the upstream itself can answer who asks for something newer. */
const NEWER_THAN_ANYTHING: ReadVersion = Object.freeze({ instance: '', sequence: Number.POSITIVE_INFINITY, isCached: false });

/** Whether one reading is known to have been sent after another. */
export function isAfter(one: ReadVersion, other: ReadVersion): boolean {
  return one.instance === other.instance && one.sequence > other.sequence;
}

/** The reading that is newer than neither: what is newer than it is newer than both. */
export function latestVersion(one: ReadVersion | undefined, other: ReadVersion | undefined): ReadVersion | undefined {
  if (!one || !other) return one ?? other;
  if (one.instance !== other.instance) return NEWER_THAN_ANYTHING;
  return isAfter(other, one) ? other : one;
}

/**
 * Whether a reading will do where one is wanted that is newer than another. What was read for this operation always will: whatever the
 * order, the two are as close as two reads of one operation are. What is only remembered has to be known to be newer.
 */
export function isRecentEnough(version: ReadVersion | undefined, than: ReadVersion | undefined): boolean {
  return !version?.isCached || !than || isAfter(version, than);
}

/**
 * Whether an answer is known to be older than was asked for: it stands in for an upstream that fails. Between two processes that is not
 * known of any.
 */
export function isTooOld(version: ReadVersion | undefined, newerThan: ReadVersion | undefined): boolean {
  if (!version?.isCached || !newerThan || isAfter(version, newerThan)) return false;
  return version.instance === newerThan.instance || newerThan === NEWER_THAN_ANYTHING;
}

/** Whether all that was read one after the other was sent for this operation, or after something that was. */
export function isUncached(versions: Iterable<ReadVersion | undefined>): boolean {
  let first: ReadVersion | undefined;
  for (const version of versions) {
    if (!version) continue;
    if (!version.isCached) first ??= version;
    else if (!first || !isAfter(version, first)) return false;
  }
  return true;
}
