import type { IsRouter } from '#http/auth/router-secret.ts';
import type { OpenSession, Session } from '#http/auth/session.ts';
import { toTokenExpiry } from '#http/auth/token-expiry.ts';
import type { RequestHead } from '#http/message.ts';

/** The credential of a socket. One socket has one. */
export interface SocketIdentity {
  readonly session: Session;
  /** The headers of its subscriptions, with the credential. */
  readonly headers: Headers;
  /** When the socket must be closed because its token has expired, in ms of the monotonic clock. */
  readonly expiresAt: number;
}

export interface SocketIdentityOptions {
  readonly openSession: OpenSession;
  readonly isRouter: IsRouter;
  /** Whether bearer tokens are those of an issuer, and expire. */
  readonly hasTokens: boolean;
  /** Current time, in ms. */
  readonly now: () => number;
  /** Monotonic clock, in ms and fractions of it. */
  readonly monotonicNow: () => number;
}

/**
 * Authenticates a socket like a request.
 * @throws GatewayError if the credential is missing or refused
 */
export async function openIdentity(
  { openSession, isRouter, hasTokens, now, monotonicNow }: SocketIdentityOptions,
  head: RequestHead & { readonly headers: Headers },
): Promise<SocketIdentity> {
  const { headers } = head;
  const session = await openSession(head);
  const expiry = hasTokens && !isRouter(headers) ? toTokenExpiry(headers) : undefined;
  const expiresAt =
    expiry === undefined ? Number.POSITIVE_INFINITY : monotonicNow() + expiry - now();
  return { session, headers, expiresAt };
}
