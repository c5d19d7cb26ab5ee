import { createHmac, timingSafeEqual } from 'node:crypto';
import type { LimitOwner } from '#rest/resilience/limit-sharing.ts';

/**
 * A signature that only an instance with the credential can make (HMAC-SHA-256). Redis may be
 * writable by others.
 * @param purpose texts for different purposes have different signatures
 */
export function sign(owner: LimitOwner, purpose: string, text: string): string {
  return createHmac('sha256', owner.deriveKey(purpose)).update(text).digest('base64url');
}

export function isSigned(
  owner: LimitOwner,
  purpose: string,
  text: string,
  signature: string,
): boolean {
  const [expected, given] = [Buffer.from(sign(owner, purpose, text)), Buffer.from(signature)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}
