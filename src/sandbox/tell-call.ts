import type { Story } from './call-plan.ts';
import type { CallScript, Outcome } from './call-script.ts';
import { finishAttempt, toQueuedAttempt } from './call-script.ts';
import type { CatalogueEntry } from './catalogue.ts';
import type { Facts } from './contacts.ts';
import { COUNTRIES, snapToOpening, tellFacts } from './contacts.ts';
import type { Reached } from './conversation.ts';
import { tellConversation, tellDialError } from './conversation.ts';
import type { Random } from './random.ts';
import { createRandom, toId } from './random.ts';
import type { Assistant, Call, CallAttempt, CallStatus, DialError } from './wire.ts';
import { toTimestamp } from './wire.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** One order to be told. */
export interface CallBrief {
  readonly seed: number;
  readonly startedAt: number;
  readonly organization: { readonly key: 'a' | 'b'; readonly id: string };
  readonly index: number;
  readonly story: Story;
  readonly attempts: number;
  readonly entry: CatalogueEntry;
  readonly assistant: Assistant | null;
  readonly campaign: Call['campaign'];
  readonly line: string;
}

export interface ToldCall {
  readonly call: Call;
  readonly facts: Facts;
  /** Only for a story that is not over. */
  readonly script?: CallScript;
}

const END: Readonly<Partial<Record<Story, Reached>>> = {
  answered: 'human',
  inbound: 'human',
  ivr: 'IVR',
  screened: 'ios-screening-filter',
  silent: 'unknown',
};
const STATUS: Readonly<Record<Story, CallStatus>> = {
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
  // These two are what they are by their script.
  queued: 'initializing',
  calling: 'initializing',
};

/** What an attempt that fails runs into, in turn: drawn in a circle, so that each of them is surely met. */
const FAILURES: readonly (DialError | Reached)[] = [
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

/** Tells one order from its first attempt to its last, or to the moment where the data is told. */
export function tellCall(brief: CallBrief): ToldCall {
  const { seed, startedAt, organization, index, story, entry } = brief;
  const random = createRandom(seed, organization.key, 'call', index);
  const { market } = entry;
  const contactPhone = COUNTRIES[market].phone(random);
  const isUnderWay = story === 'queued' || story === 'calling';
  const hasScript = isUnderWay || story === 'scheduled' || story === 'initializing';
  const told = isUnderWay ? brief.attempts - 1 : brief.attempts;

  // Backwards from the last attempt: so the retries lie before it, however many there were.
  const agoMs = hasScript ? random.between(2, 20) * HOUR_MS : random.between(12 * MINUTE_MS, 40 * DAY_MS);
  const dialledAt: number[] = [];
  for (let at = startedAt - agoMs, left = told; left > 0; left--) {
    at = snapToOpening(at, market, random.next());
    dialledAt.unshift(at);
    at -= random.pick([2, 3, 5, 20, 24, 26, 47]) * HOUR_MS + random.between(0, 40 * MINUTE_MS);
  }
  const firstAt =
    dialledAt[0] ??
    startedAt -
      (isUnderWay
        ? random.between(95_000, 150_000)
        : hasScript
          ? random.between(2_000, 9_000)
          : random.between(HOUR_MS, 30 * DAY_MS));
  const createdAt = firstAt - (dialledAt.length === 0 && story !== 'scheduled' ? 0 : random.between(MINUTE_MS, 3 * HOUR_MS));
  const facts = tellFacts(random, market, dialledAt.at(-1) ?? startedAt, entry.amounts);

  const isInbound = story === 'inbound';
  const dueAt = startedAt + random.between(HOUR_MS, 6 * DAY_MS);
  const wasPlanned = random.chance(0.3);
  const call = toCall({
    id: toId(seed, organization.key, 'call', index),
    assistant: brief.assistant,
    call_retry_config: isInbound ? null : (brief.assistant?.call_retry_config ?? null),
    campaign: brief.campaign,
    created_at: toTimestamp(createdAt),
    direction: isInbound ? 'inbound' : 'outbound',
    first_sentence_delay_ms: entry.settings.first_sentence_delay_ms,
    from_phone_number: isInbound ? contactPhone : brief.line,
    llm_model: entry.settings.llm_model,
    metadata: tellMetadata(random, facts, brief),
    organization_id: organization.id,
    scheduled_at: story === 'scheduled' ? toTimestamp(dueAt) : !isInbound && wasPlanned ? toTimestamp(firstAt - 2_000) : null,
    status: STATUS[story],
    to_phone_number: isInbound ? brief.line : contactPhone,
  });

  const attempts = dialledAt.map((at, number) => {
    const attempt = toAttempt(brief, call, number);
    finishAttempt(attempt, at, tellOutcome(random, brief, facts, attempt.id, number === brief.attempts - 1 ? 'last' : number));
    return attempt;
  });
  setAttempts(call, attempts.reverse());
  return hasScript ? { call, facts, script: tellScript(random, brief, facts, call, dueAt) } : { call, facts };
}

function tellOutcome(random: Random, brief: CallBrief, facts: Facts, attemptId: string, turn: number | 'last'): Outcome {
  const end = turn === 'last' ? END[brief.story] : undefined;
  const failure = FAILURES[(brief.index * 5 + (turn === 'last' ? 7 : turn)) % FAILURES.length] ?? 'no_answer';
  const met = brief.story === 'errored' ? (FINAL_ERRORS[brief.index % FINAL_ERRORS.length] ?? 'busy') : (end ?? failure);
  const recordingUrl = random.chance(0.04) ? null : `https://recordings.example/${brief.organization.key}/${attemptId}.mp3`;
  return isReached(met) ? tellConversation(random, brief.entry, facts, met, recordingUrl) : tellDialError(random, met);
}

function isReached(met: DialError | Reached): met is Reached {
  return met === 'human' || met === 'voicemail' || met === 'IVR' || met === 'ios-screening-filter' || met === 'unknown';
}

function tellScript(random: Random, brief: CallBrief, facts: Facts, call: Call, dueAt: number): CallScript {
  const { startedAt, story, index } = brief;
  const attempt = toAttempt(brief, call, brief.attempts);
  const outcome = tellConversation(
    random,
    brief.entry,
    facts,
    'human',
    `https://recordings.example/${brief.organization.key}/${attempt.id}.mp3`,
  );
  const waitMs = random.between(8_000, 60_000);
  const queuedAt =
    story === 'scheduled' ? dueAt : story === 'initializing' ? startedAt + random.between(3_000, 90_000) : startedAt - waitMs;
  // Of those that are calling at the start, one rings and the next has been talking for a while, in turn.
  const sinceDialMs =
    index % 2 === 0 ? Math.floor(outcome.ringMs / 2) : outcome.ringMs + Math.floor(outcome.talkMs * (0.2 + 0.4 * random.next()));
  const dialAt = story === 'calling' ? startedAt - sinceDialMs : Math.max(queuedAt, startedAt) + waitMs;
  return { call, attempt, outcome, queuedAt: Math.min(queuedAt, dialAt - 1_000), dialAt, stage: 'waiting' };
}

function toAttempt({ seed, organization, index }: CallBrief, call: Call, number: number): CallAttempt {
  return toQueuedAttempt(toId(seed, organization.key, 'attempt', index, number), call.to_phone_number);
}

function tellMetadata(random: Random, facts: Facts, { story, campaign, index }: CallBrief): Call['metadata'] {
  const crm = random.pick(['hubspot', 'salesforce', 'pipedrive']);
  if (story === 'silent' || index % 7 === 6) return null;
  return {
    crm,
    crm_id: `${crm.slice(0, 2).toUpperCase()}-${facts.ref}`,
    email: facts.email,
    ...(campaign === null ? { origin: story === 'inbound' ? 'callback' : 'api' } : {}),
  };
}

/** A call with all its keys, from those that are not derived. */
export function toCall(
  fields: Omit<Call, 'call_attempts' | 'calls_count' | 'is_cancelled' | 'is_completed' | 'last_call_attempt'>,
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

/** Gives a call its attempts, newest first, with the two keys that follow from them. */
export function setAttempts(call: Call, attempts: CallAttempt[]): void {
  call.call_attempts = attempts;
  call.last_call_attempt = attempts[0] ?? null;
  call.calls_count = attempts.length;
}
