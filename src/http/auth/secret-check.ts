import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Compares a text with secrets in constant time, and always with all of them. Without secrets, none
 * passes.
 */
export function createSecretCheck(secrets: readonly string[]): (given: string) => boolean {
  const digests = secrets.map(digest);
  return (given) => {
    const givenDigest = digest(given);
    return digests.map((expected) => timingSafeEqual(expected, givenDigest)).includes(true);
  };
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
