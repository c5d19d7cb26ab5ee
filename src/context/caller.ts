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

/**
 * @throws UnauthenticatedError (when called) for a request that brings none
 */
export function createIdentify({ apiKey, cacheSecret }: IdentifyOptions): Identify {
  if (apiKey !== undefined) {
    const own = new Credential(apiKey, cacheSecret);
    return () => own;
  }
  return (headers) => {
    const header = headers.get('authorization') ?? '';
    const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
    if (token) return new Credential(token, cacheSecret);
    throw new UnauthenticatedError(
      header === ''
        ? 'No API key: send your Revox API key as `Authorization: Bearer <key>`.'
        : 'The Authorization header is not of the form `Bearer <key>`.',
    );
  };
}
