import type { Assistant, Call, CallAttempt, Campaign, CampaignRow } from '#sandbox/api/wire.ts';
import type { CallScript } from './call-script.ts';
import { applyScript, stageAt } from './call-script.ts';

/**
 * One organization's data, each object stored once: a call's assistant, a row's call and a page's
 * attempts are the same objects.
 */
export interface Organization {
  /** The half of the catalogue that the data is generated from. */
  readonly key: 'a' | 'b';
  readonly id: string;
  readonly name: string;
  readonly apiKey: string;
  readonly assistants: Assistant[];
  readonly campaigns: Campaign[];
  readonly rows: Record<string, CampaignRow[]>;
  readonly calls: Call[];
  /** In the order of GET /call. */
  readonly attempts: CallAttempt[];
  /** Attempt id → its order: the list shows attempts, but its filter is by the order's status. */
  readonly orderOf: Map<string, Call>;
  /** The calls with an unfinished story: in progress, or in the future. */
  readonly scripts: CallScript[];
  /** The calls that a test has started: they progress also in static data. */
  readonly startedScripts: CallScript[];
}

/**
 * The order of GET /call: unstarted attempts on top, then newest first. Ids break ties, so that the
 * order does not depend on the steps of the clock.
 */
export function compareAttempts(one: CallAttempt, other: CallAttempt): number {
  if (one.started_at === null || other.started_at === null) {
    return Number(one.started_at !== null) - Number(other.started_at !== null);
  }
  if (one.started_at !== other.started_at) return one.started_at > other.started_at ? -1 : 1;
  return one.id > other.id ? -1 : one.id === other.id ? 0 : 1;
}

/** Moves an attempt to its position in the list, or inserts it there. */
export function insertInOrder(organization: Organization, attempt: CallAttempt, order: Call): void {
  const { attempts } = organization;
  const before = attempts.indexOf(attempt);
  if (before !== -1) attempts.splice(before, 1);
  const position = attempts.findIndex((listed) => compareAttempts(attempt, listed) <= 0);
  attempts.splice(position === -1 ? attempts.length : position, 0, attempt);
  organization.orderOf.set(attempt.id, order);
}

/**
 * Updates every call with an unfinished story to its state at this moment. The calls are processed
 * in the order of queueing, so that one large step of the clock and many small ones have the same
 * result.
 * @returns the scripts that have finished
 */
export function advanceScripts(
  organization: Organization,
  at: number,
  scripts: CallScript[] = organization.scripts,
): CallScript[] {
  scripts.sort((one, other) => one.queuedAt - other.queuedAt);
  for (const script of scripts) {
    const before = script.stage;
    script.stage = stageAt(script, at);
    if (script.stage === 'waiting') continue;
    applyScript(script, at);
    const isInOrder = before === script.stage || before === 'started';
    if (!isInOrder) insertInOrder(organization, script.attempt, script.call);
  }
  const finished = scripts.filter((script) => script.stage === 'finished');
  retain(scripts, (script) => script.stage !== 'finished');
  return finished;
}

/** Removes calls with their attempts; a campaign's row of such a call remains, without a call. */
export function removeCalls(organization: Organization, ids: ReadonlySet<string>): void {
  if (ids.size === 0) return;
  const removed = organization.calls.filter(({ id }) => ids.has(id));
  retain(organization.calls, ({ id }) => !ids.has(id));
  for (const scripts of [organization.scripts, organization.startedScripts])
    retain(scripts, ({ call }) => !ids.has(call.id));
  removeAttempts(
    organization,
    new Set(removed.flatMap((call) => call.call_attempts.map((attempt) => attempt.id))),
  );
  for (const rows of Object.values(organization.rows)) {
    for (const row of rows) if (row.call !== undefined && ids.has(row.call.id)) delete row.call;
  }
}

/** Removes attempts from the list; the orders keep their attempts. */
export function removeAttempts(organization: Organization, ids: ReadonlySet<string>): void {
  retain(organization.attempts, (attempt) => !ids.has(attempt.id));
  for (const id of ids) organization.orderOf.delete(id);
}

/** Adds a call, or replaces the one with its id everywhere: list, rows, lookup. */
export function putCall(organization: Organization, call: Call): void {
  const index = organization.calls.findIndex(({ id }) => id === call.id);
  const replaced = organization.calls[index];
  if (replaced === undefined) organization.calls.push(call);
  else {
    organization.calls[index] = call;
    removeAttempts(organization, new Set(replaced.call_attempts.map((attempt) => attempt.id)));
    for (const rows of Object.values(organization.rows)) {
      for (const row of rows) if (row.call?.id === call.id) row.call = call;
    }
    for (const scripts of [organization.scripts, organization.startedScripts])
      retain(scripts, (script) => script.call !== replaced);
  }
  for (const attempt of [...call.call_attempts].reverse())
    insertInOrder(organization, attempt, call);
}

/** Filters in place: other objects reference these lists. */
function retain<T>(items: T[], shouldRetain: (item: T) => boolean): void {
  let length = 0;
  for (const item of items) if (shouldRetain(item)) items[length++] = item;
  items.length = length;
}
