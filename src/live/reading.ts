import type { ReadVersion } from '#rest/upstream-request.ts';
import { MISSING_STATE, type ObjectState, type WatchKind } from './object-kind.ts';
import { isSameJson } from './same-json.ts';

/** A response with a watched object, or the observation that the object does not exist. */
export interface ObjectResponse {
  /** Null if the object does not exist. */
  readonly value: unknown;
  /** Undefined if the object does not exist. */
  readonly readVersion: ReadVersion | undefined;
  /** When the request was sent, by the gateway's clock, in ms. Undefined: just now. */
  readonly requestedAt?: number | undefined;
  /** When the upstream responded, by its own clock, in ms. */
  readonly upstreamNow?: number | undefined;
}

/** One reading of a watched object. */
export interface Reading {
  /** The object as the upstream sent it. Null if it does not exist. */
  readonly value: unknown;
  readonly readVersion: ReadVersion | undefined;
  readonly state: ObjectState;
  /** By the upstream's clock, in ms. */
  readonly upstreamNow: number;
  /** When the request was sent, by the monotonic clock, in ms. */
  readonly readAt: number;
}

export interface ReadingClock {
  /** The wall clock, in ms. */
  readonly now: () => number;
  /** Monotonic clock, in ms. */
  readonly monotonicNow: () => number;
}

/** @param known returned if it was made of the same response */
export function toReading(
  kind: WatchKind,
  response: ObjectResponse,
  { now, monotonicNow }: ReadingClock,
  known?: Reading,
): Reading {
  if (known && isSameRead(response, known)) return known;
  const { readVersion, requestedAt = now(), upstreamNow = requestedAt } = response;
  const value = response.value ?? null;
  return {
    value,
    readVersion,
    state: value === null ? MISSING_STATE : kind.toState(value),
    upstreamNow,
    readAt: monotonicNow() - Math.max(0, now() - requestedAt),
  };
}

/** Whether a reading shows the same state as the one before it. */
export function isSameValue(
  { isSameValue: isSame = isSameJson }: WatchKind,
  previous: Reading | undefined,
  { value }: Reading,
): boolean {
  if (!previous) return false;
  return previous.value === value || (value !== null && isSame(previous.value, value));
}

/**
 * Whether a reading was requested after another. Of the readings of two instances, only one that is
 * known to be older has an order: the age of a shared response is an upper limit.
 */
export function orderOf(reading: Reading, other: Reading): 'newer' | 'older' | 'unknown' {
  const { readVersion } = reading;
  if (!readVersion || !other.readVersion) return 'newer';
  if (readVersion.instance !== other.readVersion.instance)
    return reading.readAt < other.readAt ? 'older' : 'unknown';
  return readVersion.sequence > other.readVersion.sequence ? 'newer' : 'older';
}

/** Whether a response is the one that a reading was made of. */
export function isSameRead({ readVersion }: ObjectResponse, known: Reading | undefined): boolean {
  return (
    readVersion !== undefined &&
    readVersion.instance === known?.readVersion?.instance &&
    readVersion.sequence === known.readVersion.sequence
  );
}
