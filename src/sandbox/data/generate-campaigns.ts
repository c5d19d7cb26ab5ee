import type { Assistant, Campaign, CampaignRow } from '#sandbox/api/wire.ts';
import { toTimestamp } from '#sandbox/api/wire.ts';
import type { CatalogueEntry } from '#sandbox/data/catalogue/catalogue.ts';
import type { CampaignPlan } from './call-plan.ts';
import type { ContactFacts } from './contacts.ts';
import { COUNTRIES, generateContactFacts } from './contacts.ts';
import { fillPlaceholders } from './conversation.ts';
import type { GeneratedCall } from './generate-call.ts';
import { createRandom, toId } from './random.ts';

const HOUR_MS = 3_600_000;

/** The id and name of a campaign, as its calls contain them. */
export function toCampaignLabel(
  seed: number,
  organizationKey: string,
  plan: CampaignPlan,
): { id: string; name: string } {
  return { id: toId(seed, organizationKey, 'campaign', plan.key), name: plan.name };
}

/** A campaign that is older than its first call. */
export function generateCampaign(
  seed: number,
  organizationKey: string,
  plan: CampaignPlan,
  assistant: Assistant,
  calls: readonly GeneratedCall[],
  startedAt: number,
): Campaign {
  const random = createRandom(seed, organizationKey, 'campaign', plan.key);
  const firstAt = calls.reduce(
    (earliest, { call }) => Math.min(earliest, Date.parse(call.created_at)),
    startedAt - 30 * HOUR_MS,
  );
  const createdAt = firstAt - random.between(HOUR_MS, 40 * HOUR_MS);
  const lastAt = calls.reduce(
    (latest, { call }) =>
      Math.max(latest, Date.parse(call.last_call_attempt?.ended_at ?? call.created_at)),
    createdAt,
  );
  return {
    ...toCampaignLabel(seed, organizationKey, plan),
    assistant_id: assistant.id,
    created_at: toTimestamp(createdAt),
    is_cancelled: plan.isCancelled,
    organization_id: assistant.organization_id,
    status: plan.status,
    updated_at: toTimestamp(lastAt),
    assistant,
  };
}

/** The rows of a campaign; the called rows are spread over its beginning, with gaps. */
export function generateRows(
  seed: number,
  organizationKey: string,
  plan: CampaignPlan,
  entry: CatalogueEntry,
  calls: readonly GeneratedCall[],
  startedAt: number,
): CampaignRow[] {
  const random = createRandom(seed, organizationKey, 'rows', plan.key);
  const calledRange = Math.min(plan.rows, Math.ceil(plan.calls * 1.25));
  const called = new Set(
    random.shuffle(Array.from({ length: calledRange }, (_, index) => index)).slice(0, plan.calls),
  );
  const remaining = [...calls];
  return Array.from({ length: plan.rows }, (_, index) => {
    const generated = called.has(index) ? remaining.shift() : undefined;
    const { facts, phone } = generated
      ? { facts: generated.facts, phone: generated.call.to_phone_number }
      : generateContact(seed, organizationKey, plan, entry, index, startedAt);
    return {
      id: toId(seed, organizationKey, 'row', plan.key, index),
      input_data: toInputData(entry, facts),
      phone_number: phone,
      row_index: index,
      ...(generated === undefined ? {} : { call: generated.call }),
    };
  });
}

/** The person of a row that has no call at the start. */
export function generateContact(
  seed: number,
  organizationKey: string,
  plan: CampaignPlan,
  entry: CatalogueEntry,
  rowIndex: number,
  startedAt: number,
): { facts: ContactFacts; phone: string } {
  const random = createRandom(seed, organizationKey, 'contact', plan.key, rowIndex);
  const facts = generateContactFacts(random, entry.market, startedAt, entry.amounts);
  return { facts, phone: COUNTRIES[entry.market].phone(random) };
}

function toInputData(entry: CatalogueEntry, facts: ContactFacts): { [key: string]: string } {
  return Object.fromEntries(
    Object.entries(entry.columns).map(([column, text]) => [column, fillPlaceholders(text, facts)]),
  );
}
