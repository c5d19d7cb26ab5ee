import type { Call, CallAttempt } from '#generated/revox-api.ts';
import { createExpiringMap, type ExpiringMap } from '#rest/resilience/expiring-map.ts';

type Properties = { readonly [name: string]: unknown };

/** The names of the properties that objects always have. */
type Names<T> = {
  readonly [name in keyof T as object extends Pick<T, name> ? never : name]: true;
};

/** The properties of every call, as they are documented. */
const CALL_NAMES: Names<Call> = {
  id: true,
  assistant: true,
  call_attempts: true,
  call_retry_config: true,
  calls_count: true,
  campaign: true,
  created_at: true,
  direction: true,
  first_sentence_delay_ms: true,
  from_phone_number: true,
  is_cancelled: true,
  is_completed: true,
  last_call_attempt: true,
  llm_model: true,
  metadata: true,
  organization_id: true,
  scheduled_at: true,
  status: true,
  to_phone_number: true,
};

/** The properties of every attempt, as they are documented. */
const ATTEMPT_NAMES: Names<CallAttempt> = {
  id: true,
  answered_at: true,
  dial_error: true,
  ended_at: true,
  phone_number: true,
  recording_url: true,
  result: true,
  started_at: true,
  status: true,
};

const MAX_CREDENTIALS = 10_000;
const IDLE_MS = 3_600_000;

/** The properties that all calls of a credential have had, and all attempts. */
interface CommonNames {
  readonly call: ReadonlySet<string>;
  /** Undefined: no attempt was read. */
  readonly attempt: ReadonlySet<string> | undefined;
}

/**
 * Distinguishes calls that rows embed whole from calls that they embed in part. A part must not answer
 * `GET /call/{id}`: the properties that it lacks would be null.
 */
export class WholeCalls {
  /** By the fingerprint of the credential. */
  readonly #namesOf: ExpiringMap<CommonNames>;

  /** @param monotonicNow in ms */
  constructor(monotonicNow: () => number) {
    this.#namesOf = createExpiringMap({
      idleMs: IDLE_MS,
      maxEntries: MAX_CREDENTIALS,
      monotonicNow,
    });
  }

  /** Records the properties of a call that the upstream has sent in response to `GET /call/{id}`. */
  record(fingerprint: string, call: Call): void {
    const known = this.#namesOf.get(fingerprint);
    const callNames = commonNames(known?.call, call);
    let attemptNames = known?.attempt;
    for (const attempt of attemptsOf(call)) attemptNames = commonNames(attemptNames, attempt);
    if (callNames === known?.call && attemptNames === known.attempt) return;
    this.#namesOf.set(fingerprint, { call: callNames, attempt: attemptNames });
  }

  /**
   * Whether an embedded call and its attempts have the properties of all recorded ones. Until one is
   * recorded, the documented properties count.
   */
  isWhole(fingerprint: string, call: Call): boolean {
    const known = this.#namesOf.get(fingerprint);
    const attemptNames = known?.attempt ?? Object.keys(ATTEMPT_NAMES);
    return (
      hasNames(call, known?.call ?? Object.keys(CALL_NAMES)) &&
      attemptsOf(call).every((attempt) => hasNames(attempt, attemptNames))
    );
  }
}

/**
 * Whether an embedded call is less than a whole one: it lacks properties of another reading, of the
 * call itself or of one of its attempts.
 */
export function isPartialCall(call: unknown, whole: unknown): boolean {
  if (!hasNames(call, Object.keys(toProperties(whole)))) return true;
  const attempts = attemptsOf(call);
  return attemptsOf(whole).some((attempt) => {
    const { id } = toProperties(attempt);
    const embedded = attempts.find((other) => toProperties(other).id === id);
    return embedded !== undefined && !hasNames(embedded, Object.keys(toProperties(attempt)));
  });
}

/** The names that a value has of those that others have. */
function commonNames(names: ReadonlySet<string> | undefined, value: unknown): ReadonlySet<string> {
  if (names && hasNames(value, names)) return names;
  return new Set(
    Object.keys(toProperties(value)).filter((name) => names === undefined || names.has(name)),
  );
}

function hasNames(value: unknown, names: Iterable<string>): boolean {
  const properties = toProperties(value);
  for (const name of names) if (!Object.hasOwn(properties, name)) return false;
  return true;
}

function attemptsOf(call: unknown): readonly unknown[] {
  const { call_attempts } = toProperties(call);
  return Array.isArray(call_attempts) ? call_attempts : [];
}

function toProperties(value: unknown): Properties {
  return typeof value === 'object' && value !== null ? (value as Properties) : {};
}
