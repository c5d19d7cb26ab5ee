import type { Assistant } from '#sandbox/api/wire.ts';
import type { CatalogueEntry } from '#sandbox/data/catalogue/catalogue.ts';
import { CATALOGUE } from '#sandbox/data/catalogue/catalogue.ts';
import type { Story } from './call-plan.ts';
import { CALL_PLAN, CAMPAIGN_PLAN } from './call-plan.ts';
import { COUNTRIES } from './contacts.ts';
import { generateAssistant, generateEmbeddedAssistant } from './generate-assistants.ts';
import type { GeneratedCall } from './generate-call.ts';
import { generateCall } from './generate-call.ts';
import { generateCampaign, generateRows, toCampaignLabel } from './generate-campaigns.ts';
import type { Organization } from './organization.ts';
import { advanceScripts, compareAttempts } from './organization.ts';
import { createRandom, toId } from './random.ts';

/** A generated organization; each sandbox changes only its own copy. */
export interface GeneratedOrganization {
  readonly id: string;
  readonly name: string;
  readonly apiKey: string;
  copy(): Organization;
}

/**
 * The two organizations; both are complete at the start, so a request never waits for the
 * generation of data.
 */
export function generateOrganizations(
  seed: number,
  startedAt: number,
): readonly GeneratedOrganization[] {
  if (lastGenerated?.seed !== seed || lastGenerated.startedAt !== startedAt)
    lastGenerated = { seed, startedAt, organizations: generateBoth(seed, startedAt) };
  return lastGenerated.organizations.map((organization) => {
    const { id, name, apiKey } = organization;
    return { id, name, apiKey, copy: () => copyOf(organization) };
  });
}

/**
 * The most recently generated data: the same seed and moment produce the same data, so further
 * sandboxes reuse it.
 */
let lastGenerated:
  | { seed: number; startedAt: number; organizations: readonly Organization[] }
  | undefined;

function generateBoth(seed: number, startedAt: number): readonly Organization[] {
  return [
    generateOrganization(seed, 'a', 'Halcyon Contact', startedAt),
    generateOrganization(seed, 'b', 'Groupe Tilleuls', startedAt),
  ];
}

/** Freezes what no call changes while it progresses, and most objects are: the copies share it. */
function freezeContents({ calls, rows, scripts }: Organization): void {
  for (const { metadata, call_attempts } of calls) {
    freezeAll(metadata);
    for (const { transcript } of call_attempts) freezeAll(transcript);
  }
  for (const { input_data } of Object.values(rows).flat()) freezeAll(input_data);
  for (const { outcome } of scripts) freezeAll(outcome.lines);
}

/** Freezes an object and the objects in it. */
function freezeAll(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const item of Object.values(value)) freezeAll(item);
}

/**
 * Deep copy: an object that the original references several times is also one object in the copy.
 * The data has no cycles. Frozen objects and strings are shared: `structuredClone` would copy each
 * of them.
 */
function copyOf<T>(original: T, known = new Map<unknown, unknown>()): T {
  if (typeof original !== 'object' || original === null || Object.isFrozen(original))
    return original;
  const copy = known.get(original) ?? copyContents(original, known);
  known.set(original, copy);
  return copy as T;
}

function copyContents(original: object, known: Map<unknown, unknown>): object {
  if (Array.isArray(original)) return original.map((item) => copyOf(item, known));
  if (original instanceof Map)
    return new Map([...original].map(([key, value]) => [key, copyOf(value, known)]));
  const copy: { [key: string]: unknown } = { ...original };
  for (const key in copy) copy[key] = copyOf(copy[key], known);
  return copy;
}

interface Slot {
  readonly index: number;
  readonly story: Story;
  readonly attempts: number;
}

function generateOrganization(
  seed: number,
  key: 'a' | 'b',
  name: string,
  startedAt: number,
): Organization {
  const organization: Organization = {
    key,
    id: toId(seed, key, 'organization'),
    name,
    apiKey: `sk_demo_${key}`,
    assistants: [],
    campaigns: [],
    rows: {},
    calls: [],
    attempts: [],
    orderOf: new Map(),
    scripts: [],
    startedScripts: [],
  };
  const entries = new Map(
    CATALOGUE[key].map((entry) => [
      entry.key,
      { entry, assistant: generateAssistant(seed, organization, entry, startedAt) },
    ]),
  );
  organization.assistants.push(...[...entries.values()].map(({ assistant }) => assistant));

  const slots = assignToCampaigns(seed, key);
  const addCall = (
    slot: Slot,
    entry: CatalogueEntry,
    assistant: Assistant | null,
    campaign: GeneratedCall['call']['campaign'],
  ) => {
    const generated = generateCall({
      seed,
      startedAt,
      organization,
      ...slot,
      entry,
      assistant,
      campaign,
      callerNumber: COUNTRIES[entry.market].callerNumber,
    });
    organization.calls.push(generated.call);
    for (const attempt of generated.call.call_attempts) {
      organization.attempts.push(attempt);
      organization.orderOf.set(attempt.id, generated.call);
    }
    if (generated.script !== undefined) organization.scripts.push(generated.script);
    return generated;
  };

  for (const plan of CAMPAIGN_PLAN[key]) {
    const found = entries.get(plan.assistant);
    if (found === undefined)
      throw new Error(`No assistant ${plan.assistant} for the campaign ${plan.key}`);
    const { entry, assistant } = found;
    const label = toCampaignLabel(seed, key, plan);
    const calls = (slots.byCampaign.get(plan.key) ?? []).map((slot) =>
      addCall(slot, entry, assistant, label),
    );
    organization.campaigns.push(generateCampaign(seed, key, plan, assistant, calls, startedAt));
    organization.rows[label.id] = generateRows(seed, key, plan, entry, calls, startedAt);
  }
  const catalogue = [...entries.values()];
  for (const slot of slots.standalone) {
    const { entry, assistant } = createRandom(seed, key, 'assistant-of', slot.index).pick(
      catalogue,
    );
    addCall(slot, entry, generateEmbeddedAssistant(seed, key, assistant, slot.index), null);
  }

  organization.attempts.sort(compareAttempts);
  advanceScripts(organization, startedAt);
  freezeContents(organization);
  return organization;
}

/**
 * Assigns orders to campaigns: finished orders to any campaign, unfinished ones only to running
 * campaigns.
 */
function assignToCampaigns(
  seed: number,
  key: 'a' | 'b',
): { byCampaign: Map<string, Slot[]>; standalone: Slot[] } {
  const all = CALL_PLAN[key].flatMap(({ story, attempts, orders }) =>
    Array.from({ length: orders }, () => ({ story, attempts })),
  );
  const slots: Slot[] = createRandom(seed, key, 'share-out').shuffle(
    all.map((line, index) => ({ index, ...line })),
  );
  const isFinished = ({ story }: Slot) =>
    !['scheduled', 'queued', 'calling', 'initializing'].includes(story);
  const inbound = slots.filter(({ story }) => story === 'inbound');
  const finished = slots.filter((slot) => isFinished(slot) && slot.story !== 'inbound');
  const unfinished = slots.filter((slot) => !isFinished(slot));
  const initializing = unfinished.filter(({ story }) => story === 'initializing');
  const ongoing = unfinished.filter(({ story }) => story !== 'initializing');

  const byCampaign = new Map<string, Slot[]>();
  for (const plan of CAMPAIGN_PLAN[key]) {
    const current =
      plan.status === 'running' ? ongoing.splice(0, Math.ceil(ongoing.length / 2)) : [];
    const past = finished.splice(0, plan.calls - current.length);
    byCampaign.set(plan.key, [...past, ...current]);
  }
  return { byCampaign, standalone: [...inbound, ...initializing, ...ongoing, ...finished] };
}
