import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeaderReader } from '#http/message.ts';

/** Whether a request carries a router's secret. */
export type IsRouter = (headers: HeaderReader) => boolean;

/**
 * Compares `Router-Authorization` with the secrets in constant time, and always with all of them.
 * Without secrets, no request passes.
 */
export function createRouterCheck(secrets: readonly string[]): IsRouter {
  const digests = secrets.map(digest);
  return (headers) => {
    const given = digest(headers.get('router-authorization') ?? '');
    return digests.map((expected) => timingSafeEqual(expected, given)).includes(true);
  };
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Whether a router requests the timings of fields (`extensions.ftv1`), and carries its secret. */
export function isFederatedTraceRequested(headers: HeaderReader, isRouter: IsRouter): boolean {
  return headers.get('apollo-federation-include-trace') === 'ftv1' && isRouter(headers);
}
