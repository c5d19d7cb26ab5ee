import { toDateTime } from '#rest/date-time.ts';

/** How far a call has come: what its polling interval and the order of its readings depend on. */
export interface CallProgress {
  /** The status of the order, in the upstream's words. */
  readonly status: string | undefined;
  readonly attempts: number;
  /** The status of the newest attempt, in the upstream's words. */
  readonly newestAttempt: string | undefined;
  /** The time for which the call is scheduled, in ms. */
  readonly scheduledAt: number | undefined;
  /** The end of its last attempt, in ms. Undefined if an attempt has no readable end. */
  readonly endedAt: number | undefined;
}

type Properties = { readonly [key: string]: unknown };

/** The order in which an attempt passes through its statuses. */
const ATTEMPT_RANKS: { readonly [status: string]: number } = {
  queued: 0,
  ringing: 1,
  ongoing: 2,
  completed: 3,
  error: 3,
};

/** Reads the progress of a call, of any version of the API. */
export function toCallProgress(call: unknown): CallProgress {
  const { status, call_attempts, last_call_attempt, scheduled_at, next_call_at } = toObject(call);
  const listed = Array.isArray(call_attempts) ? call_attempts.map(toObject) : [];
  const attempts =
    listed.length === 0 && last_call_attempt ? [toObject(last_call_attempt)] : listed;
  const newest = attempts[0];
  return {
    status: toText(status),
    attempts: attempts.length,
    newestAttempt: toText(newest?.status),
    scheduledAt: toTime(scheduled_at ?? next_call_at),
    endedAt: latestEnd(attempts),
  };
}

/** The assistant that speaks in a call. */
export function toAssistantId(call: unknown): string | undefined {
  return toText(toObject(toObject(call).assistant).id);
}

/** Orders the states of a call: by the number of attempts, then by the status of the newest one. */
export function toCallRank({ attempts, newestAttempt }: CallProgress): (number | undefined)[] {
  // Nothing can be said of the order of a status that the gateway does not know.
  const isKnown = newestAttempt !== undefined && Object.hasOwn(ATTEMPT_RANKS, newestAttempt);
  return [attempts, isKnown ? ATTEMPT_RANKS[newestAttempt] : undefined];
}

function latestEnd(attempts: readonly Properties[]): number | undefined {
  const ends = attempts.map(({ ended_at }) => toTime(ended_at));
  return ends.reduce(
    (latest, end) =>
      latest === undefined || end === undefined ? undefined : Math.max(latest, end),
    ends[0],
  );
}

function toTime(value: unknown): number | undefined {
  const time = Date.parse(toDateTime(value) ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function toObject(value: unknown): Properties {
  return typeof value === 'object' && value !== null ? (value as Properties) : {};
}
