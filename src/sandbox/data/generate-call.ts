import type { Assistant, Call, CallAttempt, CallStatus, DialError } from '#sandbox/api/wire.ts';
import { toTimestamp } from '#sandbox/api/wire.ts';
import type { CatalogueEntry } from '#sandbox/data/catalogue/catalogue.ts';
import type { Story } from './call-plan.ts';
import type { CallScript, Outcome } from './call-script.ts';
import { finishAttempt, toQueuedAttempt } from './call-script.ts';
import type { ContactFacts } from './contacts.ts';
import { COUNTRIES, generateContactFacts, snapToOpeningHours } from './contacts.ts';
import type { AnsweredBy } from './conversation.ts';
import { generateConversation, generateDialError } from './conversation.ts';
import type { Random } from './random.ts';
import { createRandom, toId } from './random.ts';
import { toRecordingUrl } from './recordings.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The specification of one order. */
export interface CallSpec {
  readonly seed: number;
  readonly startedAt: number;
  readonly organization: { readonly key: 'a' | 'b'; readonly id: string };
  readonly index: number;
  readonly story: Story;
  readonly attempts: number;
  readonly entry: CatalogueEntry;
  readonly assistant: Assistant | null;
  readonly campaign: Call['campaign'];
  readonly callerNumber: string;
}

export interface GeneratedCall {
  readonly call: Call;
  readonly facts: ContactFacts;
  /** Only for an unfinished story. */
  readonly script?: CallScript;
}

const ANSWERED_BY: Readonly<Partial<Record<Story, AnsweredBy>>> = {
  answered: 'human',
  inbound: 'human',
  ivr: 'IVR',
  screened: 'ios-screening-filter',
  silent: 'unknown',
};
const STATUS_OF_STORY: Readonly<Record<Story, CallStatus>> = {
  answered: 'completed',
  exhausted: 'completed',
  ivr: 'completed',
  screened: 'completed',
  silent: 'completed',
  inbound: 'completed',
  errored: 'errored',
  cancelled: 'cancelled',
  scheduled: 'scheduled',
  initializing: 'initializing',
  // The scripts of these two set the actual status.
  queued: 'initializing',
  calling: 'initializing',
};

/**
 * The failures of attempts: taken in turn rather than at random, so that the data contains each of
 * them.
 */
const FAILURES: readonly (DialError | AnsweredBy)[] = [
  'no_answer',
  'voicemail',
  'busy',
  'no_answer',
  'voicemail',
  'temporarily_unavailable',
  'no_answer',
  'voicemail',
  'too_many_calls',
  'no_answer',
  'voicemail',
  'busy',
  'non_classified_error',
];
const FINAL_ERRORS: readonly DialError[] = [
  'number_non_attributed',
  'no_international_permission',
  'precondition_failed',
  'non_classified_error',
];

/**
 * Generates one order from its first attempt to its last, or to the moment that the data is
 * generated for.
 */
export function generateCall(spec: CallSpec): GeneratedCall {
  const { seed, startedAt, organization, index, story, entry } = spec;
  const random = createRandom(seed, organization.key, 'call', index);
  const { market } = entry;
  const contactPhone = COUNTRIES[market].phone(random);
  const isInProgress = story === 'queued' || story === 'calling';
  const hasScript = isInProgress || story === 'scheduled' || story === 'initializing';
  const pastAttempts = isInProgress ? spec.attempts - 1 : spec.attempts;

  // Backwards from the last attempt, so that all retries are before it, whatever their number.
  const agoMs = hasScript
    ? random.between(2, 20) * HOUR_MS
    : random.between(12 * MINUTE_MS, 40 * DAY_MS);
  const dialledAt: number[] = [];
  for (let at = startedAt - agoMs, remaining = pastAttempts; remaining > 0; remaining--) {
    at = snapToOpeningHours(at, market, random.next());
    dialledAt.unshift(at);
    at -= random.pick([2, 3, 5, 20, 24, 26, 47]) * HOUR_MS + random.between(0, 40 * MINUTE_MS);
  }
  const firstAt =
    dialledAt[0] ??
    startedAt -
      (isInProgress
        ? random.between(95_000, 150_000)
        : hasScript
          ? random.between(2_000, 9_000)
          : random.between(HOUR_MS, 30 * DAY_MS));
  const createdAt =
    firstAt -
    (dialledAt.length === 0 && story !== 'scheduled' ? 0 : random.between(MINUTE_MS, 3 * HOUR_MS));
  const facts = generateContactFacts(random, market, dialledAt.at(-1) ?? startedAt, entry.amounts);

  const isInbound = story === 'inbound';
  const dueAt = startedAt + random.between(HOUR_MS, 6 * DAY_MS);
  const wasScheduled = random.chance(0.3);
  const call = toCall({
    id: toId(seed, organization.key, 'call', index),
    assistant: spec.assistant,
    call_retry_config: isInbound ? null : (spec.assistant?.call_retry_config ?? null),
    campaign: spec.campaign,
    created_at: toTimestamp(createdAt),
    direction: isInbound ? 'inbound' : 'outbound',
    first_sentence_delay_ms: entry.settings.first_sentence_delay_ms,
    from_phone_number: isInbound ? contactPhone : spec.callerNumber,
    llm_model: entry.settings.llm_model,
    metadata: generateMetadata(random, facts, spec),
    organization_id: organization.id,
    scheduled_at:
      story === 'scheduled'
        ? toTimestamp(dueAt)
        : !isInbound && wasScheduled
          ? toTimestamp(firstAt - 2_000)
          : null,
    status: STATUS_OF_STORY[story],
    to_phone_number: isInbound ? spec.callerNumber : contactPhone,
  });

  const attempts = dialledAt.map((at, number) => {
    const attempt = toAttempt(spec, call, number);
    finishAttempt(
      attempt,
      at,
      generateOutcome(
        random,
        spec,
        facts,
        attempt.id,
        number === spec.attempts - 1 ? 'last' : number,
      ),
    );
    return attempt;
  });
  setAttempts(call, attempts.reverse());
  return hasScript
    ? { call, facts, script: generateScript(random, spec, facts, call, dueAt) }
    : { call, facts };
}

function generateOutcome(
  random: Random,
  spec: CallSpec,
  facts: ContactFacts,
  attemptId: string,
  turn: number | 'last',
): Outcome {
  const end = turn === 'last' ? ANSWERED_BY[spec.story] : undefined;
  const failure =
    FAILURES[(spec.index * 5 + (turn === 'last' ? 7 : turn)) % FAILURES.length] ?? 'no_answer';
  const result =
    spec.story === 'errored'
      ? (FINAL_ERRORS[spec.index % FINAL_ERRORS.length] ?? 'busy')
      : (end ?? failure);
  const recordingUrl = random.chance(0.04)
    ? null
    : toRecordingUrl(spec.organization.key, attemptId);
  return isAnswered(result)
    ? generateConversation(random, spec.entry, facts, result, recordingUrl)
    : generateDialError(random, result);
}

function isAnswered(result: DialError | AnsweredBy): result is AnsweredBy {
  return (
    result === 'human' ||
    result === 'voicemail' ||
    result === 'IVR' ||
    result === 'ios-screening-filter' ||
    result === 'unknown'
  );
}

function generateScript(
  random: Random,
  spec: CallSpec,
  facts: ContactFacts,
  call: Call,
  dueAt: number,
): CallScript {
  const { startedAt, story, index } = spec;
  const attempt = toAttempt(spec, call, spec.attempts);
  const outcome = generateConversation(
    random,
    spec.entry,
    facts,
    'human',
    toRecordingUrl(spec.organization.key, attempt.id),
  );
  const waitMs = random.between(8_000, 60_000);
  const queuedAt =
    story === 'scheduled'
      ? dueAt
      : story === 'initializing'
        ? startedAt + random.between(3_000, 90_000)
        : startedAt - waitMs;
  // Calls in progress at the start alternate: one rings, the next one has been talking for a while.
  const sinceDialMs =
    index % 2 === 0
      ? Math.floor(outcome.ringMs / 2)
      : outcome.ringMs + Math.floor(outcome.talkMs * (0.2 + 0.4 * random.next()));
  const dialAt =
    story === 'calling' ? startedAt - sinceDialMs : Math.max(queuedAt, startedAt) + waitMs;
  return {
    call,
    attempt,
    outcome,
    queuedAt: Math.min(queuedAt, dialAt - 1_000),
    dialAt,
    stage: 'waiting',
  };
}

function toAttempt(
  { seed, organization, index }: CallSpec,
  call: Call,
  number: number,
): CallAttempt {
  return toQueuedAttempt(
    toId(seed, organization.key, 'attempt', index, number),
    call.to_phone_number,
  );
}

function generateMetadata(
  random: Random,
  facts: ContactFacts,
  { story, campaign, index }: CallSpec,
): Call['metadata'] {
  const crm = random.pick(['hubspot', 'salesforce', 'pipedrive']);
  if (story === 'silent' || index % 7 === 6) return null;
  return {
    crm,
    crm_id: `${crm.slice(0, 2).toUpperCase()}-${facts.ref}`,
    email: facts.email,
    ...(campaign === null ? { origin: story === 'inbound' ? 'callback' : 'api' } : {}),
  };
}

/** A call with all its keys, created from the keys that are not derived. */
export function toCall(
  fields: Omit<
    Call,
    'call_attempts' | 'calls_count' | 'is_cancelled' | 'is_completed' | 'last_call_attempt'
  >,
): Call {
  return {
    ...fields,
    call_attempts: [],
    calls_count: 0,
    is_cancelled: fields.status === 'cancelled',
    is_completed: fields.status === 'completed',
    last_call_attempt: null,
  };
}

/** Sets a call's attempts, newest first, and the two keys that are derived from them. */
export function setAttempts(call: Call, attempts: CallAttempt[]): void {
  call.call_attempts = attempts;
  call.last_call_attempt = attempts[0] ?? null;
  call.calls_count = attempts.length;
}
