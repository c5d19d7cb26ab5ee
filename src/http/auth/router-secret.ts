import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeaderReader } from '#http/message.ts';

/** Whether a request has proved that a router sent it. */
export type IsRouter = (headers: HeaderReader) => boolean;

/**
 * Compares `Router-Authorization` with the secrets, in constant time; with all of them, whichever fits. Where there are none, nobody can
 * prove that he is a router.
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

/** Whether a router asks how long each field takes (`extensions.ftv1`), and has the right to know. */
export function isFederatedTraceRequested(headers: HeaderReader, isRouter: IsRouter): boolean {
  return headers.get('apollo-federation-include-trace') === 'ftv1' && isRouter(headers);
}
