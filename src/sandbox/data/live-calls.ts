import { toTimestamp } from '#sandbox/api/wire.ts';
import { CATALOGUE } from '#sandbox/data/catalogue/catalogue.ts';
import type { CallScript } from './call-script.ts';
import { toQueuedAttempt } from './call-script.ts';
import { COUNTRIES, generateContactFacts } from './contacts.ts';
import { generateConversation, generateDialError } from './conversation.ts';
import { toAssistantId } from './generate-assistants.ts';
import { toCall } from './generate-call.ts';
import type { Organization } from './organization.ts';
import { advanceScripts, removeCalls } from './organization.ts';
import { createRandom, toId } from './random.ts';

/** Interval between new calls, in ms. */
export const LIVE_INTERVAL_MS: Readonly<Record<'a' | 'b', number>> = { a: 20_000, b: 45_000 };

/**
 * Maximum number of live calls: each further one evicts the oldest, so that the demo can run for
 * weeks.
 */
export const MAX_LIVE_CALLS = 360;

/**
 * Keeps an organization's data in step with a clock, without timers: its state depends only on the
 * time passed.
 */
export interface LiveCalls {
  /** Updates the data to its state at this moment; a clock that goes back has no effect. */
  advance(now: number): void;
}

/** New calls arrive and go through their stages, and calls in progress at the start continue. */
export function createLiveCalls(
  organization: Organization,
  seed: number,
  startedAt: number,
): LiveCalls {
  const intervalMs = LIVE_INTERVAL_MS[organization.key];
  const retained: { readonly number: number; readonly id: string }[] = [];
  let latest = startedAt;
  let lastNumber = 0;
  return {
    advance(now) {
      if (now <= latest) return;
      latest = now;
      const newestNumber = Math.floor((now - startedAt) / intervalMs);
      const oldestRetained = Math.max(1, newestNumber - MAX_LIVE_CALLS + 1);
      const recycled = retained.splice(
        0,
        retained.filter(({ number }) => number < oldestRetained).length,
      );
      removeCalls(organization, new Set(recycled.map(({ id }) => id)));
      for (
        let number = Math.max(lastNumber + 1, oldestRetained);
        number <= newestNumber;
        number++
      ) {
        const script = generateLiveCall(
          organization,
          seed,
          number,
          startedAt + number * intervalMs,
        );
        retained.push({ number, id: script.call.id });
        organization.calls.push(script.call);
        organization.scripts.push(script);
      }
      lastNumber = newestNumber;
      advanceScripts(organization, now);
    },
  };
}

function generateLiveCall(
  organization: Organization,
  seed: number,
  number: number,
  createdAt: number,
): CallScript {
  const random = createRandom(seed, organization.key, 'live', number);
  const entry = random.pick(CATALOGUE[organization.key]);
  const phone = COUNTRIES[entry.market].phone(random);
  const facts = generateContactFacts(random, entry.market, createdAt, entry.amounts);
  const attemptId = toId(seed, organization.key, 'live-attempt', number);
  const luck = random.next();
  const recordingUrl = `https://recordings.example/${organization.key}/${attemptId}.mp3`;
  const outcome =
    luck < 0.15
      ? generateDialError(random, 'no_answer')
      : generateConversation(
          random,
          entry,
          facts,
          luck < 0.3 ? 'voicemail' : 'human',
          recordingUrl,
        );
  const assistantId = toAssistantId(seed, organization.key, entry.key);
  const assistant = organization.assistants.find(({ id }) => id === assistantId) ?? null;
  const call = toCall({
    id: toId(seed, organization.key, 'live-call', number),
    assistant,
    call_retry_config: assistant?.call_retry_config ?? null,
    campaign: null,
    created_at: toTimestamp(createdAt),
    direction: 'outbound',
    first_sentence_delay_ms: entry.settings.first_sentence_delay_ms,
    from_phone_number: COUNTRIES[entry.market].callerNumber,
    llm_model: entry.settings.llm_model,
    metadata: { crm: 'hubspot', crm_id: `HU-${facts.ref}`, email: facts.email, origin: 'api' },
    organization_id: organization.id,
    scheduled_at: null,
    status: 'initializing',
    to_phone_number: phone,
  });
  return {
    call,
    attempt: toQueuedAttempt(attemptId, phone),
    outcome,
    queuedAt: createdAt,
    dialAt: createdAt + random.between(6_000, 15_000),
    stage: 'waiting',
  };
}
