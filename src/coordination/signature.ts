import { createHmac, timingSafeEqual } from 'node:crypto';
import type { LimitOwner } from '#rest/resilience/limit-sharing.ts';

/** A credential without its API key: the fingerprint, and a key that is derived from it. */
export interface Signer {
  readonly fingerprint: string;
  readonly key: Buffer;
}

export function toSigner(owner: LimitOwner): Signer {
  return { fingerprint: owner.fingerprint, key: owner.deriveKey('limits over instances') };
}

/**
 * A signature that only an instance with the credential can make (HMAC-SHA-256). Redis may be
 * writable by others.
 * @param text begins with its subject, so that no signature is valid for another subject
 */
export function sign({ key }: Signer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

export function isSigned(signer: Signer, text: string, signature: string): boolean {
  const [expected, given] = [Buffer.from(sign(signer, text)), Buffer.from(signature)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}
