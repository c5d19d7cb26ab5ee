import type { Story } from './call-plan.ts';
import { CALL_PLAN, CAMPAIGN_PLAN } from './call-plan.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { CATALOGUE } from './catalogue.ts';
import { COUNTRIES } from './contacts.ts';
import type { Organization } from './organization.ts';
import { advanceScripts, compareAttempts } from './organization.ts';
import { createRandom, toId } from './random.ts';
import { tellAssistant, tellCallsOwnAssistant } from './tell-assistants.ts';
import type { ToldCall } from './tell-call.ts';
import { tellCall } from './tell-call.ts';
import { tellCampaign, tellRows, toCampaignLabel } from './tell-campaigns.ts';
import type { Assistant } from './wire.ts';

/** An organisation as it is told: whoever changes it takes a copy of his own. */
export interface Told {
  readonly id: string;
  readonly name: string;
  readonly apiKey: string;
  copy(): Organization;
}

/** The two organisations; both are complete at the start, so that a request never waits for data to be made. */
export function tellOrganizations(seed: number, startedAt: number): readonly Told[] {
  if (told?.seed !== seed || told.startedAt !== startedAt) told = { seed, startedAt, organizations: tellBoth(seed, startedAt) };
  return told.organizations.map((organization) => {
    const { id, name, apiKey } = organization;
    return { id, name, apiKey, copy: () => copyOf(organization) };
  });
}

/** What was told last: the same seed and moment make the same story, and whoever makes many sandboxes at once need not wait for each. */
let told: { seed: number; startedAt: number; organizations: readonly Organization[] } | undefined;

function tellBoth(seed: number, startedAt: number): readonly Organization[] {
  return [tellOrganization(seed, 'a', 'Halcyon Contact', startedAt), tellOrganization(seed, 'b', 'Groupe Tilleuls', startedAt)];
}

/** What is one object in the original is one in the copy; none holds itself. Texts are shared: `structuredClone` would write each anew. */
function copyOf<T>(original: T, known = new Map<unknown, unknown>()): T {
  if (typeof original !== 'object' || original === null) return original;
  const copy = known.get(original) ?? copyInside(original, known);
  known.set(original, copy);
  return copy as T;
}

function copyInside(original: object, known: Map<unknown, unknown>): object {
  if (Array.isArray(original)) return original.map((item) => copyOf(item, known));
  if (original instanceof Map) return new Map([...original].map(([key, value]) => [key, copyOf(value, known)]));
  const copy: { [key: string]: unknown } = { ...original };
  for (const key in copy) copy[key] = copyOf(copy[key], known);
  return copy;
}

interface Slot {
  readonly index: number;
  readonly story: Story;
  readonly attempts: number;
}

function tellOrganization(seed: number, key: 'a' | 'b', name: string, startedAt: number): Organization {
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
  };
  const entries = new Map(
    CATALOGUE[key].map((entry) => [entry.key, { entry, assistant: tellAssistant(seed, organization, entry, startedAt) }]),
  );
  organization.assistants.push(...[...entries.values()].map(({ assistant }) => assistant));

  const slots = shareOut(seed, key);
  const tell = (slot: Slot, entry: CatalogueEntry, assistant: Assistant | null, campaign: ToldCall['call']['campaign']) => {
    const told = tellCall({
      seed,
      startedAt,
      organization,
      ...slot,
      entry,
      assistant,
      campaign,
      line: COUNTRIES[entry.market].line,
    });
    organization.calls.push(told.call);
    for (const attempt of told.call.call_attempts) {
      organization.attempts.push(attempt);
      organization.orderOf.set(attempt.id, told.call);
    }
    if (told.script !== undefined) organization.scripts.push(told.script);
    return told;
  };

  for (const plan of CAMPAIGN_PLAN[key]) {
    const found = entries.get(plan.assistant);
    if (found === undefined) throw new Error(`No assistant ${plan.assistant} for the campaign ${plan.key}`);
    const { entry, assistant } = found;
    const label = toCampaignLabel(seed, key, plan);
    const calls = (slots.byCampaign.get(plan.key) ?? []).map((slot) => tell(slot, entry, assistant, label));
    organization.campaigns.push(tellCampaign(seed, key, plan, assistant, calls, startedAt));
    organization.rows[label.id] = tellRows(seed, key, plan, entry, calls, startedAt);
  }
  const catalogue = [...entries.values()];
  for (const slot of slots.alone) {
    const { entry, assistant } = createRandom(seed, key, 'assistant-of', slot.index).pick(catalogue);
    tell(slot, entry, tellCallsOwnAssistant(seed, key, assistant, slot.index), null);
  }

  organization.attempts.sort(compareAttempts);
  advanceScripts(organization, startedAt);
  return organization;
}

/** Which orders belong to which campaign: what is over may be anywhere, what is not only where the campaign still runs. */
function shareOut(seed: number, key: 'a' | 'b'): { byCampaign: Map<string, Slot[]>; alone: Slot[] } {
  const all = CALL_PLAN[key].flatMap(({ story, attempts, orders }) =>
    Array.from({ length: orders }, () => ({ story, attempts })),
  );
  const slots: Slot[] = createRandom(seed, key, 'share-out').shuffle(all.map((line, index) => ({ index, ...line })));
  const isOver = ({ story }: Slot) => !['scheduled', 'queued', 'calling', 'initializing'].includes(story);
  const inbound = slots.filter(({ story }) => story === 'inbound');
  const over = slots.filter((slot) => isOver(slot) && slot.story !== 'inbound');
  const underWay = slots.filter((slot) => !isOver(slot));
  const initializing = underWay.filter(({ story }) => story === 'initializing');
  const goingOn = underWay.filter(({ story }) => story !== 'initializing');

  const byCampaign = new Map<string, Slot[]>();
  for (const plan of CAMPAIGN_PLAN[key]) {
    const current = plan.status === 'running' ? goingOn.splice(0, Math.ceil(goingOn.length / 2)) : [];
    const past = over.splice(0, plan.calls - current.length);
    byCampaign.set(plan.key, [...past, ...current]);
  }
  return { byCampaign, alone: [...inbound, ...initializing, ...goingOn, ...over] };
}
