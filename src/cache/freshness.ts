import { toDateTime } from '#rest/date-time.ts';
import type { Endpoint } from '#rest/upstream-request.ts';

/** How long a response of each kind is fresh, in ms. 0 disables caching. */
export interface FreshnessSettings {
  /** A call that ended a while ago. Its `recording_url` may be a signed link of unknown life. */
  readonly endedCallMs: number;
  /**
   * A settling call, which has just ended: its transcript and structured output may still arrive.
   */
  readonly justEndedCallMs: number;
  /** How long after its end a call is a settling call. */
  readonly settlingCallMs: number;
  /** A call that has not ended, and a list page with such a call or attempt on it. */
  readonly liveCallMs: number;
  readonly assistantMs: number;
  readonly campaignMs: number;
  readonly runningCampaignMs: number;
  /** A page of call attempts or of campaign rows. */
  readonly pageMs: number;
  /** A 404 or 410 of a single object. */
  readonly notFoundMs: number;
}

export interface Freshness {
  /** Time from the request to the end of freshness, in ms. */
  readonly freshForMs: number;
  /**
   * Whether the response contains a live call or attempt: then it is never served stale, unless the
   * upstream fails.
   */
  readonly isLive: boolean;
}

/**
 * Determines the freshness of a response from its content.
 * @param upstreamNow when the upstream responded, by its own clock, in ms: the timestamps in the
 *   response must not be compared with any other clock
 */
export type FreshnessOf = (endpoint: Endpoint, value: unknown, upstreamNow: number) => Freshness;

/**
 * Whether the endpoint is a paged list, which may change between two reads: its pages are never
 * served stale, unless the upstream fails.
 */
export function isListPage(endpoint: Endpoint): boolean {
  return endpoint === '/call' || endpoint === '/campaigns/{id}/rows';
}

/** Whether the settings permit any response of the endpoint to be fresh. */
export function canBeFresh(endpoint: Endpoint, settings: FreshnessSettings): boolean {
  switch (endpoint) {
    case '/call/{id}':
      return settings.endedCallMs + settings.justEndedCallMs + settings.liveCallMs > 0;
    case '/campaigns/{id}':
      return settings.campaignMs + settings.runningCampaignMs > 0;
    case '/campaigns':
      return settings.campaignMs > 0;
    case '/assistants/{id}':
    case '/assistants':
      return settings.assistantMs > 0;
    case '/call':
    case '/campaigns/{id}/rows':
      return settings.pageMs > 0;
  }
}

export function createFreshnessPolicy(settings: FreshnessSettings): FreshnessOf {
  return (endpoint, value, upstreamNow) => {
    switch (endpoint) {
      case '/call/{id}':
        return freshnessOfCall(value, upstreamNow, settings);
      case '/assistants/{id}':
        return { freshForMs: settings.assistantMs, isLive: false };
      case '/campaigns/{id}':
        return freshnessOfCampaign(value, settings);
      case '/assistants':
        return { freshForMs: settings.assistantMs, isLive: false };
      case '/campaigns':
        return leastFresh(
          settings.campaignMs,
          itemsOf(value).map((campaign) => freshnessOfCampaign(campaign, settings)),
        );
      case '/call':
        return leastFresh(
          settings.pageMs,
          itemsOf(value).map((attempt) => freshnessOfAttempt(attempt, settings)),
        );
      case '/campaigns/{id}/rows':
        return leastFresh(
          settings.pageMs,
          itemsOf(value).map((row) => freshnessOfRow(row, upstreamNow, settings)),
        );
    }
  };
}

/**
 * Whether a call has ended: its own status and the status of each of its attempts are final. A call
 * with an unknown status counts as live.
 */
export function isCallOver(call: unknown): boolean {
  return isOrderFinished(call) && everyAttempt(call, isAttemptFinished);
}

/** Without a list of all attempts, because this runs for each response. */
function everyAttempt(call: unknown, test: (attempt: unknown) => boolean): boolean {
  const last = propertyOf(call, 'last_call_attempt');
  return listAt(call, 'call_attempts').every(test) && (!isPresent(last) || test(last));
}

function freshnessOfCall(
  call: unknown,
  upstreamNow: number,
  settings: FreshnessSettings,
): Freshness {
  if (!isCallOver(call)) return { freshForMs: settings.liveCallMs, isLive: true };
  // A finished call with an empty list of attempts has settled: no transcript can arrive. A
  // response with neither an attempt nor the list is treated as a settling call, and so is a call
  // with an attempt whose end cannot be parsed.
  const isKnown =
    Array.isArray(propertyOf(call, 'call_attempts')) ||
    isPresent(propertyOf(call, 'last_call_attempt'));
  const hasSettled = (attempt: unknown) => {
    const ended = Date.parse(toDateTime(propertyOf(attempt, 'ended_at')) ?? '');
    return upstreamNow - ended >= settings.settlingCallMs;
  };
  return {
    freshForMs:
      isKnown && everyAttempt(call, hasSettled) ? settings.endedCallMs : settings.justEndedCallMs,
    isLive: false,
  };
}

/** One version of the API has `status`, another has the two flags. */
function isOrderFinished(call: unknown): boolean {
  const status = propertyOf(call, 'status');
  if (isPresent(status))
    return status === 'completed' || status === 'cancelled' || status === 'errored';
  return propertyOf(call, 'is_completed') === true || propertyOf(call, 'is_cancelled') === true;
}

function isAttemptFinished(attempt: unknown): boolean {
  const status = propertyOf(attempt, 'status');
  return status === 'completed' || status === 'error';
}

function freshnessOfCampaign(campaign: unknown, settings: FreshnessSettings): Freshness {
  const isRunning =
    propertyOf(campaign, 'status') === 'running' && propertyOf(campaign, 'is_cancelled') !== true;
  return {
    freshForMs: isRunning ? settings.runningCampaignMs : settings.campaignMs,
    isLive: false,
  };
}

function freshnessOfAttempt(attempt: unknown, settings: FreshnessSettings): Freshness {
  return isAttemptFinished(attempt)
    ? { freshForMs: settings.pageMs, isLive: false }
    : { freshForMs: settings.liveCallMs, isLive: true };
}

function freshnessOfRow(row: unknown, upstreamNow: number, settings: FreshnessSettings): Freshness {
  const call = propertyOf(row, 'call');
  return isPresent(call)
    ? freshnessOfCall(call, upstreamNow, settings)
    : { freshForMs: settings.pageMs, isLive: false };
}

/** A list is as fresh as its least fresh item. */
function leastFresh(freshForMs: number, items: readonly Freshness[]): Freshness {
  return {
    // Not `Math.min(...items)`: a list may have more items than a function can have arguments.
    freshForMs: items.reduce((least, item) => Math.min(least, item.freshForMs), freshForMs),
    isLive: items.some(({ isLive }) => isLive),
  };
}

function itemsOf(list: unknown): readonly unknown[] {
  return listAt(list, 'items');
}

function listAt(object: unknown, key: string): readonly unknown[] {
  const list = propertyOf(object, key);
  return Array.isArray(list) ? list : [];
}

function propertyOf(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null
    ? (object as { readonly [key: string]: unknown })[key]
    : undefined;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
