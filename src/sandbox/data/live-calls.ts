import { toTimestamp } from '#sandbox/api/wire.ts';
import { CATALOGUE } from '#sandbox/data/catalogue/catalogue.ts';
import type { CallScript } from './call-script.ts';
import { toQueuedAttempt } from './call-script.ts';
import type { CampaignPlace } from './campaign-places.ts';
import { findCampaignPlaces } from './campaign-places.ts';
import { COUNTRIES, generateContactFacts } from './contacts.ts';
import { generateConversation, generateDialError } from './conversation.ts';
import { toAssistantId } from './generate-assistants.ts';
import { toCall } from './generate-call.ts';
import type { Organization } from './organization.ts';
import { advanceScripts, removeCalls } from './organization.ts';
import { createRandom, toId } from './random.ts';
import { toRecordingUrl } from './recordings.ts';

/** Interval between new calls, in ms. */
export const LIVE_INTERVAL_MS: Readonly<Record<'a' | 'b', number>> = { a: 20_000, b: 45_000 };

/**
 * Maximum number of live calls: each further one evicts the oldest, so that the demo can run for
 * weeks.
 */
export const MAX_LIVE_CALLS = 720;

/** One live call of this number belongs to no campaign. */
const STANDALONE_EVERY = 3;

/**
 * Keeps an organization's data in step with a clock, without timers: its state depends only on the
 * time passed.
 */
export interface LiveCalls {
  /**
   * Updates the data to its state at this moment; a clock that goes back has no effect.
   * @returns the scripts of the calls that have ended
   */
  advance(now: number): CallScript[];
}

/**
 * New calls arrive and go through their stages, and calls in progress at the start continue. Two of
 * three new calls are the next calls of running campaigns, so these progress for hours.
 */
export function createLiveCalls(
  organization: Organization,
  seed: number,
  startedAt: number,
): LiveCalls {
  const intervalMs = LIVE_INTERVAL_MS[organization.key];
  const retained: { readonly number: number; readonly id: string }[] = [];
  const places = findCampaignPlaces(organization, seed, startedAt);
  /** A row is called again when its live call is evicted. */
  const placeOf = (number: number): CampaignPlace | undefined => {
    if (number % STANDALONE_EVERY === 0) return undefined;
    const campaignCalls = number - Math.floor(number / STANDALONE_EVERY) - 1;
    return places[campaignCalls % Math.max(places.length, MAX_LIVE_CALLS)];
  };
  let latest = startedAt;
  let lastNumber = 0;
  return {
    advance(now) {
      if (now <= latest) return [];
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
          placeOf(number),
        );
        retained.push({ number, id: script.call.id });
        organization.calls.push(script.call);
        organization.scripts.push(script);
      }
      lastNumber = newestNumber;
      return advanceScripts(organization, now);
    },
  };
}

function generateLiveCall(
  organization: Organization,
  seed: number,
  number: number,
  createdAt: number,
  place: CampaignPlace | undefined,
): CallScript {
  const random = createRandom(seed, organization.key, 'live', number);
  const entry = place?.entry ?? random.pick(CATALOGUE[organization.key]);
  const phone = place?.row.phone_number ?? COUNTRIES[entry.market].phone(random);
  const facts =
    place?.facts ?? generateContactFacts(random, entry.market, createdAt, entry.amounts);
  const attemptId = toId(seed, organization.key, 'live-attempt', number);
  const luck = random.next();
  const recordingUrl = toRecordingUrl(organization.key, attemptId);
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
    campaign: place ? { id: place.campaign.id, name: place.campaign.name } : null,
    created_at: toTimestamp(createdAt),
    direction: 'outbound',
    first_sentence_delay_ms: entry.settings.first_sentence_delay_ms,
    from_phone_number: COUNTRIES[entry.market].callerNumber,
    llm_model: entry.settings.llm_model,
    metadata: {
      crm: 'hubspot',
      crm_id: `HU-${facts.ref}`,
      email: facts.email,
      ...(place ? {} : { origin: 'api' }),
    },
    organization_id: organization.id,
    scheduled_at: null,
    status: 'initializing',
    to_phone_number: phone,
  });
  if (place) {
    place.row.call = call;
    place.campaign.updated_at = call.created_at;
  }
  return {
    call,
    attempt: toQueuedAttempt(attemptId, phone),
    outcome,
    queuedAt: createdAt,
    dialAt: createdAt + random.between(6_000, 15_000),
    stage: 'waiting',
  };
}
