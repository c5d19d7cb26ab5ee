import type { Call, CallAttempt, CallStatus, CampaignRow } from '#sandbox/api/wire.ts';
import { toTimestamp } from '#sandbox/api/wire.ts';
import type { CallScript, Outcome } from './call-script.ts';
import { finishAttempt, toQueuedAttempt } from './call-script.ts';
import { COUNTRIES } from './contacts.ts';
import { setAttempts, toCall } from './generate-call.ts';
import type { Organization } from './organization.ts';
import { createRandom, toId } from './random.ts';

/** A small order with one finished attempt, for a test to insert into the list. */
export function generateInsertedCall(
  seed: number,
  organization: Organization,
  number: number,
  startedAt: number,
  status: CallStatus,
): { call: Call; attempt: CallAttempt } {
  const generated = generateOrder(seed, organization, number, startedAt - 1_000, status);
  finishAttempt(generated.attempt, startedAt, { ...SHORT_OUTCOME, ringMs: 3_000, talkMs: 12_000 });
  setAttempts(generated.call, [generated.attempt]);
  return generated;
}

/** A small order that a person answers, queued at this moment. */
export function generateStartedCall(
  seed: number,
  organization: Organization,
  number: number,
  queuedAt: number,
  { queueMs, ringMs, talkMs }: CallTimes,
): CallScript {
  return {
    ...generateOrder(seed, organization, number, queuedAt, 'initializing'),
    outcome: { ...SHORT_OUTCOME, ringMs, talkMs },
    queuedAt,
    dialAt: queuedAt + queueMs,
    stage: 'waiting',
  };
}

/** How long the stages of a call last, in ms. */
export interface CallTimes {
  readonly queueMs: number;
  readonly ringMs: number;
  /** The transcript grows meanwhile. */
  readonly talkMs: number;
}

const SHORT_OUTCOME = {
  result: 'human',
  dialError: null,
  endedBy: 'user',
  endReason: null,
  lines: [
    { content: 'Hello, is this a good time?', role: 'assistant' },
    { content: 'Not really, sorry.', role: 'user' },
  ],
  structuredOutput: null,
  recordingUrl: null,
} satisfies Partial<Outcome>;

function generateOrder(
  seed: number,
  organization: Organization,
  number: number,
  createdAt: number,
  status: CallStatus,
): { call: Call; attempt: CallAttempt } {
  const phone = `+1212555017${number % 10}`;
  const attempt = toQueuedAttempt(toId(seed, organization.key, 'inserted-attempt', number), phone);
  const call = toCall({
    id: toId(seed, organization.key, 'inserted-call', number),
    assistant: organization.assistants[0] ?? null,
    call_retry_config: null,
    campaign: null,
    created_at: toTimestamp(createdAt),
    direction: 'outbound',
    first_sentence_delay_ms: 400,
    from_phone_number: COUNTRIES.us.callerNumber,
    llm_model: { type: 'dedicated-instance', name: 'gpt-4.1' },
    metadata: { inserted: String(number) },
    organization_id: organization.id,
    scheduled_at: null,
    status,
    to_phone_number: phone,
  });
  return { call, attempt };
}

/** A row without a call, for a test to insert into a campaign. */
export function generateInsertedRow(
  seed: number,
  organization: Organization,
  number: number,
  rowIndex: number,
): CampaignRow {
  const random = createRandom(seed, organization.key, 'inserted-row', number);
  return {
    id: toId(seed, organization.key, 'inserted-row', number),
    input_data: { first_name: `Inserted ${number}` },
    phone_number: `+1212555018${random.between(0, 9)}`,
    row_index: rowIndex,
  };
}
