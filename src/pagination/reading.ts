import type { Reading } from './list.ts';

/** Nothing is known to have been sent after it: only the upstream itself can answer who asks for something newer. */
const NEWER_THAN_ANYTHING: Reading = Object.freeze({ process: '', number: Number.POSITIVE_INFINITY, isRemembered: false });

/** Whether one reading is known to have been sent after another. */
export function isSentAfter(one: Reading, other: Reading): boolean {
  return one.process === other.process && one.number > other.number;
}

/** The reading that is newer than neither: what is newer than it is newer than both. */
export function newest(one: Reading | undefined, other: Reading | undefined): Reading | undefined {
  if (!one || !other) return one ?? other;
  if (one.process !== other.process) return NEWER_THAN_ANYTHING;
  return isSentAfter(other, one) ? other : one;
}

/**
 * Whether a reading will do where one is wanted that is newer than another. What was read for this operation always will: whatever the
 * order, the two are as close as two reads of one operation are. What is only remembered has to be known to be newer.
 */
export function isRecent(reading: Reading | undefined, than: Reading | undefined): boolean {
  return !reading?.isRemembered || !than || isSentAfter(reading, than);
}

/**
 * Whether an answer is known to be older than was asked for: it stands in for an upstream that fails. Between two processes that is not
 * known of any.
 */
export function isTooOld(reading: Reading | undefined, newerThan: Reading | undefined): boolean {
  if (!reading?.isRemembered || !newerThan || isSentAfter(reading, newerThan)) return false;
  return reading.process === newerThan.process || newerThan === NEWER_THAN_ANYTHING;
}

/** Whether all that was read one after the other was sent for this operation, or after something that was. */
export function isFirsthand(readings: Iterable<Reading | undefined>): boolean {
  let first: Reading | undefined;
  for (const reading of readings) {
    if (!reading) continue;
    if (!reading.isRemembered) first ??= reading;
    else if (!first || !isSentAfter(reading, first)) return false;
  }
  return true;
}
