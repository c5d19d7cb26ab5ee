/**
 * The calls that subscribers follow, and the subscription they send. A field of each call contains
 * the time of the upstream's response: the client subtracts it from the time of the event.
 */
import type { Call, CallAttempt } from '#generated/revox-api.ts';
import { callIdOf, callOf } from '../fixture/data.ts';

/** The document of every subscriber: seven fields, and two attempts of three fields each. */
export const DOCUMENT =
  'subscription Live($id: ID!) { callUpdated(id: $id) { id status direction toPhoneNumber fromPhoneNumber createdAt callsCount callAttempts { id status startedAt } } }';

/** What stands before the time in an event, and in a response of the upstream. */
export const STAMP_MARK = '"toPhoneNumber":"+';
export const REST_STAMP_MARK = '"to_phone_number":"+';
/** Digits of a time: microseconds of the system's monotonic clock. */
export const STAMP_DIGITS = 16;

/** The time of the system's monotonic clock, which all processes share, in µs. */
export function toStamp(): string {
  return String(process.hrtime.bigint() / 1_000n).padStart(STAMP_DIGITS, '0');
}

/** The time since a stamp, in ms. */
export function sinceStamp(stamp: string): number {
  return (Number(process.hrtime.bigint() / 1_000n) - Number(stamp)) / 1_000;
}

/** A call whose second attempt rings: it stays live, and its polling interval stays the shortest. */
export function liveCallOf(index: number): Call {
  const call = callOf(index);
  const [newest, ...others] = call.call_attempts ?? [];
  const ringing: CallAttempt = {
    ...(newest as CallAttempt),
    answered_at: null,
    ended_at: null,
    recording_url: null,
    result: null,
    status: 'ringing',
    structured_output: null,
    transcript: null,
  };
  return {
    ...call,
    call_attempts: [ringing, ...others],
    // Calls of one campaign would be read from its rows, 50 with one request.
    campaign: null,
    is_completed: false,
    last_call_attempt: ringing,
    status: 'calling',
    to_phone_number: `+${'0'.repeat(STAMP_DIGITS)}`,
  };
}

export { callIdOf };
