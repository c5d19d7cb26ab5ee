import { LRUCache } from 'lru-cache';
import { UnauthenticatedError } from '#errors/gateway-error.ts';
import { Credential } from '#rest/credential.ts';

/** Determines the API key for the upstream requests of an incoming request. */
export type ResolveCredential = (headers: { get(name: string): string | null }) => Credential;

export interface CredentialResolverOptions {
  /**
   * The gateway's own key (service mode). Without it, each request must bring its own in
   * `Authorization: Bearer …`.
   */
  readonly apiKey?: string | undefined;
  /**
   * The HMAC key of the credential fingerprints.
   * @default a secret of this process
   */
  readonly cacheSecret?: string | undefined;
}

/**
 * Caches recent credentials: computing a fingerprint takes as long as looking up a cached response.
 */
const MAX_CREDENTIALS = 1_000;
const CREDENTIAL_TTL_MS = 60_000;

/** Creates the resolver, which throws an `UnauthenticatedError` for a request without a key. */
export function createCredentialResolver({
  apiKey,
  cacheSecret,
}: CredentialResolverOptions): ResolveCredential {
  if (apiKey !== undefined) {
    const gatewayCredential = new Credential(apiKey, cacheSecret);
    return () => gatewayCredential;
  }
  const recentCredentials = new LRUCache<string, Credential>({
    max: MAX_CREDENTIALS,
    ttl: CREDENTIAL_TTL_MS,
    ttlAutopurge: true,
  });
  return (headers) => {
    const header = headers.get('authorization') ?? '';
    const cached = recentCredentials.get(header);
    if (cached) return cached;
    const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
    if (token) {
      const credential = new Credential(token, cacheSecret);
      recentCredentials.set(header, credential);
      return credential;
    }
    throw new UnauthenticatedError(
      header === ''
        ? 'The request has no API key: send your Revox API key as `Authorization: Bearer <key>`.'
        : 'The Authorization header must have the form `Bearer <key>`, and the key must not contain spaces.',
    );
  };
}

/**
 * The HMAC key of the credential fingerprints. Undefined means a random key of this process.
 * Instances with a shared cache need the same key: the configured secret, otherwise a constant. The
 * base URL is part of it, so that one credential has different fingerprints for two upstreams.
 */
export function toFingerprintSecret(
  { secret, redisUrl }: { readonly [name in 'secret' | 'redisUrl']: string | undefined },
  baseUrl: string,
): string | undefined {
  if (secret === undefined && redisUrl === undefined) return undefined;
  return `${secret ?? ''} ${baseUrl}`;
}
