import type {
  AttemptResult,
  Call,
  CallAttempt,
  CallStatus,
  DialError,
  EndedBy,
  Json,
  TranscriptMessage,
} from '#sandbox/api/wire.ts';
import { toTimestamp } from '#sandbox/api/wire.ts';

/** The outcome of an attempt. */
export interface Outcome {
  readonly result: AttemptResult | null;
  readonly dialError: DialError | null;
  readonly ringMs: number;
  /** 0 if the attempt was not answered. */
  readonly talkMs: number;
  readonly endedBy: EndedBy | null;
  readonly endReason: string | null;
  readonly lines: readonly TranscriptMessage[];
  readonly structuredOutput: { [key: string]: Json } | null;
  readonly recordingUrl: string | null;
}

/**
 * The story of a call's last attempt, generated once and evaluated for any moment. Static data
 * evaluates it at the start, live data at each request.
 */
export interface CallScript {
  readonly call: Call;
  readonly attempt: CallAttempt;
  readonly outcome: Outcome;
  readonly queuedAt: number;
  readonly dialAt: number;
  /** The stage at the last evaluation. */
  stage: Stage;
}

/**
 * The position of a script's attempt: not listed yet, among the queued attempts, or among the
 * started ones.
 */
export type Stage = 'waiting' | 'queued' | 'started' | 'finished';

/** The stage of a script at a moment. */
export function stageAt(script: CallScript, at: number): Stage {
  if (at < script.queuedAt) return 'waiting';
  if (at < script.dialAt) return 'queued';
  return at < endOf(script) ? 'started' : 'finished';
}

/** When the call of a script ends. */
export function endOf({ dialAt, outcome }: CallScript): number {
  return dialAt + outcome.ringMs + outcome.talkMs;
}

/**
 * Updates the call and its attempt to their state at this moment, which must not be before the
 * queueing.
 */
export function applyScript(script: CallScript, at: number): void {
  const { call, attempt, outcome } = script;
  const stage = stageAt(script, at);
  if (call.call_attempts[0] !== attempt) {
    call.call_attempts.unshift(attempt);
    call.last_call_attempt = attempt;
    call.calls_count = call.call_attempts.length;
  }
  if (stage === 'queued') {
    setStatus(call, 'queued_for_calling');
    return;
  }
  attempt.started_at = toTimestamp(script.dialAt);
  if (stage === 'finished') {
    setStatus(call, 'completed');
    finishAttempt(attempt, script.dialAt, outcome);
    return;
  }
  setStatus(call, 'calling');
  const answeredAt = script.dialAt + outcome.ringMs;
  if (outcome.talkMs === 0 || at < answeredAt) {
    attempt.status = 'ringing';
    return;
  }
  attempt.status = 'ongoing';
  attempt.answered_at = toTimestamp(answeredAt);
  // Lines arrive evenly, the first one at once: a transcript that is read while it grows is never
  // empty.
  const spoken = 1 + Math.floor(((at - answeredAt) / outcome.talkMs) * (outcome.lines.length - 1));
  attempt.transcript = outcome.lines.slice(0, spoken);
}

/** The script of a call that ends at this moment. */
export function endScript(script: CallScript, at: number): CallScript {
  const { attempt, outcome } = script;
  const dialAt = Math.min(script.dialAt, at);
  const answeredAt = dialAt + outcome.ringMs;
  const isAnswered = outcome.talkMs > 0 && at > answeredAt;
  return {
    ...script,
    queuedAt: Math.min(script.queuedAt, at),
    dialAt,
    outcome: isAnswered
      ? { ...outcome, talkMs: at - answeredAt, lines: attempt.transcript ?? outcome.lines }
      : { ...outcome, ringMs: at - dialAt, talkMs: 0, dialError: 'no_answer' },
  };
}

/** Sets the final state of an attempt that was dialled at this moment. */
export function finishAttempt(attempt: CallAttempt, dialledAt: number, outcome: Outcome): void {
  const answeredAt = dialledAt + outcome.ringMs;
  attempt.started_at = toTimestamp(dialledAt);
  attempt.ended_at = toTimestamp(answeredAt + outcome.talkMs);
  if (outcome.dialError !== null) {
    attempt.status = 'error';
    attempt.dial_error = outcome.dialError;
    // The data covers both forms of an optional key without a value: absent, and null.
    if (outcome.dialError === 'no_answer')
      Object.assign(attempt, {
        end_reason: null,
        ended_by: null,
        structured_output: null,
        transcript: null,
      });
    return;
  }
  attempt.status = 'completed';
  attempt.answered_at = toTimestamp(answeredAt);
  attempt.result = outcome.result;
  attempt.recording_url = outcome.recordingUrl;
  attempt.end_reason = outcome.endReason;
  attempt.ended_by = outcome.endedBy;
  attempt.structured_output = outcome.structuredOutput;
  // Deleted first: the transcript of a live call precedes the keys that the end adds, and the same
  // data must produce the same text.
  delete attempt.transcript;
  attempt.transcript = [...outcome.lines];
}

/** An attempt that is queued and has not been dialled. */
export function toQueuedAttempt(id: string, phoneNumber: string): CallAttempt {
  return {
    id,
    answered_at: null,
    dial_error: null,
    ended_at: null,
    phone_number: phoneNumber,
    recording_url: null,
    result: null,
    started_at: null,
    status: 'queued',
  };
}

/** Sets the order's status, and the two deprecated flags that are derived from it. */
export function setStatus(call: Call, status: CallStatus): void {
  call.status = status;
  call.is_cancelled = status === 'cancelled';
  call.is_completed = status === 'completed';
}
