import { toFailureDelay } from './pace.ts';

/** What the planning of list polls needs to know of a watched object. Times are in ms. */
export interface ListMember {
  readonly intervalMs: number;
  /** When its latest reading was requested. */
  readonly readAt: number;
}

export interface ListPlan {
  /** The watched objects that the list embeds, as far as their latest readings show. */
  readonly members: readonly ListMember[];
  /** Objects without a reading, of which some may be in the list, too. */
  readonly unread: number;
  /** Watched objects of the credential that have a reading and are not over: the members are. */
  readonly known: number;
  /** Pages of the list, as far as known. */
  readonly pages: number;
  readonly now: number;
}

/** Fewer objects of a list are polled singly. */
export const MIN_MEMBERS = 3;

/**
 * The single polls that reading the whole list replaces, as a fraction: an object that was read half
 * an interval ago costs half a poll until it is read again. Objects without a reading count by the
 * share of the list in those that have one.
 */
export function toReplacedPolls({ members, unread, known, now }: Omit<ListPlan, 'pages'>): number {
  const elapsed = members.reduce(
    (sum, { readAt, intervalMs }) => sum + Math.min(1, Math.max(0, now - readAt) / intervalMs),
    0,
  );
  return elapsed + (unread * members.length) / known;
}

/**
 * Whether the pages of a list cost no more requests than the single polls that they replace. As every
 * page is charged to time in which no other poll of its objects is due, list polls never send more
 * requests than single polls would.
 */
export function isListPollWorthwhile(plan: ListPlan): boolean {
  return plan.members.length >= MIN_MEMBERS && plan.pages <= toReplacedPolls(plan);
}

/** What the gateway knows of one list, with one credential. */
export interface ListState {
  /** The id of the campaign. */
  readonly key: string;
  /** As its latest poll has shown. */
  pages: number;
  /** Requests of its latest complete poll: other instances have read the other pages. */
  requests: number;
  /** When the number of pages is unknown again: then one page is read to count them. */
  recountAt: number;
  /** Polls in a row that had too many pages. */
  refusals: number;
  /** Failed polls in a row. */
  failures: number;
  /** After a failure, the objects are polled singly until then. */
  retryAt: number;
  /** When a complete poll began: older objects without a reading are not in the list. */
  searchedAt: number;
  isPolling: boolean;
}

export function createListState(key: string): ListState {
  return {
    key,
    pages: 1,
    requests: 1,
    recountAt: Number.NEGATIVE_INFINITY,
    refusals: 0,
    failures: 0,
    retryAt: Number.NEGATIVE_INFINITY,
    searchedAt: Number.NEGATIVE_INFINITY,
    isPolling: false,
  };
}

/** How long the pages of a list that is too long are not counted again: at first, and at most, in ms. */
const RECOUNT_MS = 60_000;
const MAX_RECOUNT_MS = 600_000;

/** The pages that a poll of the list is expected to cost. */
export function toExpectedPages({ pages, recountAt }: ListState, now: number): number {
  return now >= recountAt ? 1 : pages;
}

/** Whether the latest poll of the list has replaced single polls. */
export function isListUsed({ recountAt, failures }: ListState): boolean {
  return recountAt === Number.POSITIVE_INFINITY && failures === 0;
}

/** Records that the pages cost more than single polls. */
export function recordRefusal(list: ListState, pages: number, now: number): void {
  list.pages = pages;
  list.recountAt = now + Math.min(RECOUNT_MS * 2 ** list.refusals, MAX_RECOUNT_MS);
  list.refusals = Math.min(list.refusals + 1, 10);
  list.failures = 0;
}

/** Records that the pages were read, and how many of them this instance has requested. */
export function recordSuccess(
  list: ListState,
  { pages, requests, startedAt }: Pick<ListState, 'pages' | 'requests'> & { startedAt: number },
): void {
  list.pages = pages;
  list.requests = requests;
  list.recountAt = Number.POSITIVE_INFINITY;
  list.refusals = 0;
  list.failures = 0;
  list.searchedAt = startedAt;
}

/** The first delay after a failed poll is at most twice as long, in ms. */
const RETRY_MS = 2_000;

/**
 * Records that a page could not be read.
 * @param random a number from 0 to 1
 */
export function recordFailure(list: ListState, now: number, random: number): void {
  list.failures += 1;
  list.retryAt = now + toFailureDelay(RETRY_MS, list.failures, random);
}
