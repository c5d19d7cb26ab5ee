import { CALLBACK_URL_FORM, type CallbackUrl, parseCallbackUrl } from '#config/callback-url.ts';
import {
  listOf,
  milliseconds,
  optionalVariable,
  SWITCH,
  type Values,
  type VariableGroup,
  variable,
  wholeNumber,
} from '#config/variable.ts';

/** The variables below state each meaning. */
export interface LiveSettings {
  readonly isEnabled: boolean;
  readonly maxSubscriptions: number;
  readonly maxSubscriptionsPerCaller: number;
  readonly maxSubscriptionsPerConnection: number;
  readonly maxObjects: number;
  readonly maxObjectsPerCredential: number;
  readonly maxCost: number;
  readonly maxUpstreamRequests: number;
  readonly pace: {
    readonly callMs: number;
    readonly waitingCallMs: number;
    readonly scheduledCallMs: number;
    readonly campaignMs: number;
    readonly feedMs: number;
  };
  readonly rate: number;
  readonly totalRate: number;
  readonly keepAliveMs: number;
  readonly lifetimeMs: number;
  readonly repeatMs: number;
  readonly giveUpMs: number;
  /** Where routers may receive events over HTTP callbacks. Empty: the protocol is off. */
  readonly callbackUrls: readonly CallbackUrl[];
  /** Any of them must end the path of a webhook. Empty: no webhooks are accepted. */
  readonly webhookSecrets: readonly string[];
}

const WEBHOOK_SECRET = /^[\w.~-]{32,}$/;
const WEBHOOK_SECRETS = {
  ...listOf('secrets, each of at least 32 of the characters A-Z a-z 0-9 - . _ ~', (secret) =>
    WEBHOOK_SECRET.test(secret),
  ),
  secret: 'list',
} as const;

const INTERVAL = wholeNumber(1_000, 60_000, 'milliseconds');
const SUBSCRIPTIONS = wholeNumber(1, 1_000_000, 'subscriptions');

const variables = {
  SUBSCRIPTIONS: variable(
    SWITCH,
    'on',
    '`off`: the schema has no subscriptions, and the gateway rejects them.',
  ),
  MAX_SUBSCRIPTIONS: optionalVariable(
    SUBSCRIPTIONS,
    'Maximum open subscriptions; further ones get 503, `RATE_LIMITED`. Each takes a connection, so three quarters of `MAX_CONNECTIONS` are the most.',
    '1000, or half of `MAX_CONNECTIONS` if that is less',
  ),
  MAX_SUBSCRIPTIONS_PER_CALLER: variable(
    SUBSCRIPTIONS,
    200,
    'Maximum open subscriptions of one caller: of the subject of a token, or of an API key in pass-through mode. Not for routers, nor where service mode does not distinguish callers.',
  ),
  MAX_SUBSCRIPTIONS_PER_CONNECTION: variable(
    wholeNumber(1, 10_000, 'subscriptions'),
    100,
    'Maximum open subscriptions on one WebSocket; a further one gets the error `RATE_LIMITED`.',
  ),
  MAX_LIVE_OBJECTS: variable(
    wholeNumber(2, 1_000_000, 'objects'),
    2_000,
    'Maximum calls, campaigns and lists of new attempts that the gateway polls for subscriptions; half of them for one API key.',
  ),
  MAX_SUBSCRIPTION_COST: variable(
    wholeNumber(1, 1_000_000_000, 'fields'),
    5_000,
    'Maximum [cost](../guides/query-limits.md#cost-analysis) of a subscription: each event costs it again.',
  ),
  MAX_UPSTREAM_REQUESTS_PER_EVENT: variable(
    wholeNumber(1, 1_000, 'requests'),
    10,
    'Maximum upstream requests of one event, besides its poll; fields beyond them are null, `UPSTREAM_BUDGET_EXCEEDED`.',
  ),
  LIVE_CALL_MS: variable(
    INTERVAL,
    2_000,
    'Interval of the polls of a call that rings or is in progress.',
  ),
  LIVE_WAITING_CALL_MS: variable(
    INTERVAL,
    10_000,
    'Longest interval of the polls of a call that waits for a line.',
  ),
  LIVE_SCHEDULED_CALL_MS: variable(
    INTERVAL,
    60_000,
    'Longest interval of the polls of a call whose next attempt is scheduled.',
  ),
  LIVE_CAMPAIGN_MS: variable(
    INTERVAL,
    15_000,
    'Interval of the polls of a running campaign. A campaign that is paused or not launched is polled once a minute.',
  ),
  LIVE_FEED_MS: variable(
    INTERVAL,
    5_000,
    'Interval of the polls for new call attempts; 15 s after a minute without one.',
  ),
  LIVE_RATE: variable(
    wholeNumber(1, 10_000, 'requests a second'),
    10,
    'Maximum polls of one API key in a second, in one instance. The upstream requests of its events count as polls. If its calls and campaigns need more, all of them are polled less often.',
  ),
  LIVE_RATE_TOTAL: variable(
    wholeNumber(1, 100_000, 'requests a second'),
    100,
    'Maximum polls of all API keys together in a second, in one instance.',
  ),
  LIVE_KEEPALIVE_MS: variable(
    wholeNumber(1_000, 300_000, 'milliseconds'),
    10_000,
    'Interval of the keepalives on a stream without events. Must be shorter than a proxy in front waits for a response.',
  ),
  LIVE_LIFETIME_MS: variable(
    wholeNumber(1_000, 86_400_000, 'milliseconds'),
    3_600_000,
    'Lifetime of a stream, 10 % more or less; the client then subscribes again.',
  ),
  LIVE_REPEAT_MS: variable(
    wholeNumber(1_000, 86_400_000, 'milliseconds'),
    30_000,
    'How often a router gets the present state again: routers share streams, and do not send their clients the last event.',
  ),
  LIVE_GIVE_UP_MS: variable(
    milliseconds(1),
    600_000,
    'After an outage of the upstream of this length, streams are interrupted.',
  ),
  SUBSCRIPTION_CALLBACK_URLS: variable(
    listOf(CALLBACK_URL_FORM, (url) => parseCallbackUrl(url) !== undefined),
    [],
    'Callback URLs of routers. A router may receive the events of a subscription at these URLs and below them ([HTTP callback](../guides/live-calls.md#http-callback)); without any, the protocol is off.',
  ),
  WEBHOOK_SECRETS: variable(
    WEBHOOK_SECRETS,
    [],
    'Secrets of the [webhooks](../guides/live-calls.md#webhooks) of Revox: a webhook to `/webhooks/revox/<one of them>` makes the next poll of its call due. Without any, the path does not exist.',
  ),
};

export const live = {
  title: 'Live calls',
  introduction: '[Live calls](../guides/live-calls.md) explains the behaviour.',
  variables,
} satisfies VariableGroup;

/** Maximum share of the connections that subscriptions may take. */
export const MAX_CONNECTION_SHARE = 3 / 4;

const DEFAULT_SUBSCRIPTIONS = 1_000;

export function toLiveSettings(
  values: Values<typeof variables> & { readonly MAX_CONNECTIONS: number },
): LiveSettings {
  return {
    isEnabled: values.SUBSCRIPTIONS === 'on',
    maxSubscriptions:
      values.MAX_SUBSCRIPTIONS ??
      Math.min(DEFAULT_SUBSCRIPTIONS, Math.ceil(values.MAX_CONNECTIONS / 2)),
    maxSubscriptionsPerCaller: values.MAX_SUBSCRIPTIONS_PER_CALLER,
    maxSubscriptionsPerConnection: values.MAX_SUBSCRIPTIONS_PER_CONNECTION,
    maxObjects: values.MAX_LIVE_OBJECTS,
    maxObjectsPerCredential: Math.ceil(values.MAX_LIVE_OBJECTS / 2),
    maxCost: values.MAX_SUBSCRIPTION_COST,
    maxUpstreamRequests: values.MAX_UPSTREAM_REQUESTS_PER_EVENT,
    pace: {
      callMs: values.LIVE_CALL_MS,
      campaignMs: values.LIVE_CAMPAIGN_MS,
      feedMs: values.LIVE_FEED_MS,
      waitingCallMs: values.LIVE_WAITING_CALL_MS,
      scheduledCallMs: values.LIVE_SCHEDULED_CALL_MS,
    },
    rate: values.LIVE_RATE,
    totalRate: values.LIVE_RATE_TOTAL,
    keepAliveMs: values.LIVE_KEEPALIVE_MS,
    lifetimeMs: values.LIVE_LIFETIME_MS,
    repeatMs: values.LIVE_REPEAT_MS,
    giveUpMs: values.LIVE_GIVE_UP_MS,
    webhookSecrets: values.WEBHOOK_SECRETS,
    callbackUrls: values.SUBSCRIPTION_CALLBACK_URLS.flatMap((url) => parseCallbackUrl(url) ?? []),
  };
}
