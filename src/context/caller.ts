import { LRUCache } from 'lru-cache';
import { UnauthenticatedError } from '#errors/gateway-error.ts';
import { Credential } from '#rest/credential.ts';

/** Tells with whose key a request goes upstream. */
export type Identify = (headers: { get(name: string): string | null }) => Credential;

export interface IdentifyOptions {
  /** The gateway's own key (service mode); absent: each request brings its own in `Authorization: Bearer …`. */
  readonly apiKey?: string | undefined;
  /** Keys the fingerprints; absent: one that no other process knows. */
  readonly cacheSecret?: string | undefined;
}

/** Those who have come lately need not be fingerprinted again, which takes as long as to find their answer. */
const MOST_CREDENTIALS = 1_000;
const FORGOTTEN_AFTER_MS = 60_000;

/**
 * @throws UnauthenticatedError (when called) for a request that brings none
 */
export function createIdentify({ apiKey, cacheSecret }: IdentifyOptions): Identify {
  if (apiKey !== undefined) {
    const own = new Credential(apiKey, cacheSecret);
    return () => own;
  }
  const lately = new LRUCache<string, Credential>({ max: MOST_CREDENTIALS, ttl: FORGOTTEN_AFTER_MS, ttlAutopurge: true });
  return (headers) => {
    const header = headers.get('authorization') ?? '';
    const known = lately.get(header);
    if (known) return known;
    const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
    if (token) {
      const credential = new Credential(token, cacheSecret);
      lately.set(header, credential);
      return credential;
    }
    throw new UnauthenticatedError(
      header === ''
        ? 'No API key: send your Revox API key as `Authorization: Bearer <key>`.'
        : 'The Authorization header is not of the form `Bearer <key>`.',
    );
  };
}
