import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeaderReader } from './exchange.ts';

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
    return digests.map((known) => timingSafeEqual(known, given)).includes(true);
  };
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
