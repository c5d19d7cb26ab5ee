import { GatewayError } from '#errors/gateway-error.ts';

/** An outage of this length is shown in an event, in ms. */
export const STALE_AFTER_MS = 30_000;

/** In seconds. */
const RETRY_AFTER_S = 30;

/** The last event of a stream that is given up. */
export function createOutageError(): GatewayError {
  const message =
    'The Revox API cannot be reached or failed for a long time. Subscribe again later.';
  return new GatewayError('UPSTREAM_UNAVAILABLE', message, { retryAfter: RETRY_AFTER_S });
}
