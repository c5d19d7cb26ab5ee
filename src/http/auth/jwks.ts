import { createLocalJWKSet, createRemoteJWKSet, customFetch, type FetchImplementation, type JWTVerifyGetKey } from 'jose';
import { GatewayError } from '#errors/gateway-error.ts';

/** The longest that a request waits for the issuer. */
const TIMEOUT_MS = 5_000;

/** For so long keys are used without being fetched anew, unless a token names one that is not among them. */
const MAX_AGE_MS = 600_000;

/** After keys were fetched, a token that names an unknown one is no reason to fetch them again for so long: anybody can make one up. */
const COOLDOWN_MS = 30_000;

/** After they could not be fetched, nobody tries again for so long. */
const RETRY_DELAY_MS = 5_000;

/** While they cannot be fetched, the ones that were fetched last are used for so long. */
const GRACE_MS = 3_600_000;

/** Nobody can tell whether a token is good. Surfaces as the whole answer (HTTP 503): it is not the caller's fault. */
export class KeysUnavailableError extends GatewayError {
  constructor() {
    super('UPSTREAM_UNAVAILABLE', 'Bearer tokens cannot be checked: the keys of their issuer cannot be had. Try again later.');
  }
}

export interface KeySourceOptions {
  /** Where the issuer publishes its keys (JWKS). */
  readonly url: string;
  /** Asks the issuer. It follows no redirect, and gives up when the request's signal says so. */
  readonly fetchKeys: (request: Request) => Promise<Response>;
  readonly onStatusChange: (message: string) => void;
  /** The clock, ms. */
  readonly now: () => number;
}

export interface KeySource {
  /** Finds the key of a token. Throws `KeysUnavailableError` when there are none to look among. */
  readonly findKey: JWTVerifyGetKey;
  /** Whether the issuer may have keys that nobody could fetch. */
  isStale(): boolean;
}

/** The keys of an issuer: fetched when they are needed, once for all who wait, and used on while the issuer is down. */
export function createKeySource({ url, fetchKeys, onStatusChange, now }: KeySourceOptions): KeySource {
  let lastKnown: { readonly text: string; readonly fetchedAt: number } | undefined;
  let failedAt: number | undefined;

  const fetchJwks: FetchImplementation = async (address, init) => {
    if (failedAt !== undefined && now() - failedAt < RETRY_DELAY_MS) return useLastKnown();
    try {
      const text = await readJwks(await fetchKeys(new Request(address, init)));
      lastKnown = { text, fetchedAt: now() };
    } catch (error) {
      if (failedAt === undefined) onStatusChange(`The keys of JWT_JWKS_URL cannot be fetched: ${describeError(error)}.`);
      failedAt = now();
      return useLastKnown();
    }
    if (failedAt !== undefined) onStatusChange('The keys of JWT_JWKS_URL can be fetched again.');
    failedAt = undefined;
    return new Response(lastKnown.text);
  };

  function useLastKnown(): Response {
    if (lastKnown && now() - lastKnown.fetchedAt < GRACE_MS) return new Response(lastKnown.text);
    throw new KeysUnavailableError();
  }

  return {
    findKey: createRemoteJWKSet(new URL(url), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      cacheMaxAge: MAX_AGE_MS,
      [customFetch]: fetchJwks,
    }),
    isStale: () => failedAt !== undefined,
  };
}

/** @throws Error saying what is wrong, in words that can be logged: nothing of what the issuer sent is in them */
async function readJwks(response: Response): Promise<string> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new InvalidJwksError(`status ${response.status}`);
  }
  const text = await response.text();
  try {
    createLocalJWKSet(JSON.parse(text));
  } catch {
    throw new InvalidJwksError('the answer is no JSON Web Key Set');
  }
  return text;
}

class InvalidJwksError extends Error {}

/** What a network says of itself may hold an address or more: its code does not. */
function describeError(error: unknown): string {
  if (error instanceof InvalidJwksError) return error.message;
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
