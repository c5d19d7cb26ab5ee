import { type CallbackUrl, isBelow, parseCallbackUrl } from '#config/callback-url.ts';
import { GatewayError, UserInputError } from '#errors/gateway-error.ts';

/** Where the events of a subscription are sent, and how. */
export interface Callback {
  readonly url: CallbackUrl;
  readonly id: string;
  /** Shows the router that a message is from this gateway. A secret. */
  readonly verifier: string;
  /** The router ends the subscription after about this time without a check, in ms. 0: never. */
  readonly heartbeatMs: number;
}

/** Maximum characters of the id, and of the verifier. Apollo Router sends 36 and 64. */
const MAX_LENGTH = 1_024;

/** Checks that are more frequent serve no purpose, and cost as much as events. */
const MIN_HEARTBEAT_MS = 1_000;
const MAX_HEARTBEAT_MS = 86_400_000;

/**
 * Reads `extensions.subscription` of a request.
 * @param isFromRouter whether the request carries a router's secret
 * @throws GatewayError
 */
export function readCallback(
  extension: object,
  isFromRouter: boolean,
  permittedUrls: readonly CallbackUrl[],
): Callback {
  if (!isFromRouter)
    throw new GatewayError(
      'FORBIDDEN',
      'HTTP callbacks are for routers: the request must carry a secret in Router-Authorization.',
    );
  const { callbackUrl, subscriptionId, verifier, heartbeatIntervalMs } = extension as {
    readonly [name: string]: unknown;
  };
  return {
    url: toPermittedUrl(callbackUrl, permittedUrls),
    id: toText('subscriptionId', subscriptionId),
    verifier: toText('verifier', verifier),
    heartbeatMs: toHeartbeatMs(heartbeatIntervalMs),
  };
}

function toPermittedUrl(value: unknown, permittedUrls: readonly CallbackUrl[]): CallbackUrl {
  const url = parseCallbackUrl(toText('callbackUrl', value));
  if (!url)
    throw new UserInputError(
      'extensions.subscription.callbackUrl must be an http or https URL without user, query and fragment, whose path has only letters, digits and . _ ~ - between single slashes.',
    );
  if (!permittedUrls.some((permitted) => isBelow(url, permitted)))
    throw new GatewayError(
      'FORBIDDEN',
      'extensions.subscription.callbackUrl must be a URL of SUBSCRIPTION_CALLBACK_URLS, or below one.',
    );
  return url;
}

function toText(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_LENGTH) return value;
  throw new UserInputError(
    `extensions.subscription.${name} must be a string of 1 to ${MAX_LENGTH} characters.`,
  );
}

function toHeartbeatMs(value: unknown): number {
  const isInRange =
    Number.isInteger(value) &&
    (value === 0 || (Number(value) >= MIN_HEARTBEAT_MS && Number(value) <= MAX_HEARTBEAT_MS));
  if (isInRange) return Number(value);
  throw new UserInputError(
    `extensions.subscription.heartbeatIntervalMs must be 0, or a whole number of milliseconds from ${MIN_HEARTBEAT_MS} to ${MAX_HEARTBEAT_MS}.`,
  );
}
