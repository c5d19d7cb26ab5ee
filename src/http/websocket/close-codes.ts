import { GatewayError } from '#errors/gateway-error.ts';
import type { EndReason } from '#live/live-events.ts';

/**
 * Close codes of RFC 6455 and of the protocol `graphql-transport-ws`. Clients decide by the code:
 * graphql-ws reconnects after 1001, 1012, 1013 and 4403, and gives up after 1011, 4400, 4401 and
 * 4429.
 */
export const CLOSE_CODES = {
  idle: 1001,
  tooManyBytes: 1009,
  bug: 1011,
  interrupted: 1012,
  tryAgainLater: 1013,
  badMessage: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
} as const;

/** Why a socket is closed, for its client. */
export interface Closing {
  readonly code: number;
  /** At most 123 bytes are sent. */
  readonly reason: string;
}

/**
 * How a socket is closed when one of its streams ends for a reason that is not the stream's own.
 * Absent: the stream ends, and the socket stays open.
 */
export const CLOSINGS: { readonly [reason in EndReason]?: Closing } = {
  expired: {
    code: CLOSE_CODES.forbidden,
    reason: 'The bearer token has expired: reconnect with a new one.',
  },
  drain: {
    code: CLOSE_CODES.interrupted,
    reason: 'This instance of the gateway is stopping: reconnect.',
  },
  lifetime: {
    code: CLOSE_CODES.interrupted,
    reason: 'The lifetime of a stream is over: reconnect.',
  },
  outage: {
    code: CLOSE_CODES.interrupted,
    reason: 'The Revox API has failed for a long time: reconnect later.',
  },
  slow: {
    code: CLOSE_CODES.tryAgainLater,
    reason: 'The client does not read its events fast enough.',
  },
  bug: { code: CLOSE_CODES.bug, reason: 'Something went wrong in the gateway.' },
};

export const LONG_ID: Closing = {
  code: CLOSE_CODES.badMessage,
  reason: 'The id of a subscription must have at most 256 characters.',
};

export const BUG: Closing = {
  code: CLOSE_CODES.bug,
  reason: 'Something went wrong in the gateway.',
};

/** How a socket is closed whose credential is refused. */
export function toClosing(error: unknown): Closing {
  if (!(error instanceof GatewayError)) return BUG;
  const { code, message } = error;
  if (code === 'UNAUTHENTICATED') return { code: CLOSE_CODES.unauthenticated, reason: message };
  if (code === 'FORBIDDEN') return { code: CLOSE_CODES.forbidden, reason: message };
  return { code: CLOSE_CODES.tryAgainLater, reason: message };
}

/** Maximum bytes of the reason in a close frame (RFC 6455, 5.5). */
const MAX_REASON_BYTES = 123;

/** Cuts a reason to what a close frame can hold. */
export function toBoundedReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return reason;
  let length = MAX_REASON_BYTES - Buffer.byteLength('…');
  while (Buffer.byteLength(reason.slice(0, length)) > MAX_REASON_BYTES - Buffer.byteLength('…'))
    length -= 1;
  return `${reason.slice(0, length)}…`;
}
