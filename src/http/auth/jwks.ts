import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose';
import { explainFailure } from '#errors/describe-failure.ts';
import type { FailingServer } from '#errors/failing-server.ts';
import { type FailureCause, toStatusCause, toTransportCause } from '#errors/failure-cause.ts';
import { GatewayError } from '#errors/gateway-error.ts';

/** Maximum wait for the issuer's response. */
const MAX_WAIT_MS = 5_000;

/**
 * How long fetched keys are used before they are fetched again, unless a token names a key that is
 * not among them.
 */
const MAX_AGE_MS = 600_000;

/**
 * Minimum interval between a fetch and the next one for an unknown key id: a client can send any
 * key id.
 */
const MIN_REFETCH_INTERVAL_MS = 30_000;

/** How long after a failed fetch the gateway does not try again. */
const RETRY_DELAY_MS = 5_000;

/**
 * Maximum age of the last fetched keys that the gateway gives to jose again when it cannot fetch
 * newer keys. jose then uses them for `MAX_AGE_MS`.
 */
const MAX_STALE_AGE_MS = 3_600_000;

/**
 * A token cannot be verified, because the issuer's keys are unavailable. The gateway rejects the
 * request with HTTP 503: the caller is not at fault.
 */
export class KeysUnavailableError extends GatewayError {
  constructor() {
    super(
      'UPSTREAM_UNAVAILABLE',
      "Bearer tokens cannot be verified: the issuer's signing keys are unavailable. Try again later.",
    );
  }
}

export interface KeySourceOptions {
  /** Where the issuer publishes its keys (JWKS). */
  readonly url: string;
  /**
   * Fetches the keys. It must follow no redirect, and must stop when the request's signal is
   * aborted.
   */
  readonly fetchKeys: (request: Request) => Promise<Response>;
  /** Called when the keys cannot be fetched. The message contains nothing of a response. */
  readonly onFetchFailed: (cause: FailureCause, message: string) => void;
  readonly onFetched: () => void;
  /** Current time, in ms. */
  readonly now: () => number;
}

export interface KeySource {
  /**
   * Finds the key of a token.
   * @throws KeysUnavailableError if there are no keys
   */
  readonly findKey: JWTVerifyGetKey;
  /** Whether the last fetch failed, so that the issuer may have newer keys. */
  isStale(): boolean;
}

/**
 * The signing keys of an issuer: fetched on demand, once for all concurrent requests, and still
 * used while the issuer is down.
 */
export function createKeySource({
  url,
  fetchKeys,
  onFetchFailed,
  onFetched,
  now,
}: KeySourceOptions): KeySource {
  let lastKnown: { readonly text: string; readonly fetchedAt: number } | undefined;
  let failedAt: number | undefined;

  const fetchJwks: FetchImplementation = async (address, init) => {
    if (failedAt !== undefined && now() - failedAt < RETRY_DELAY_MS) return lastKnownResponse();
    try {
      const text = await readJwks(await fetchKeys(new Request(address, init)), url);
      lastKnown = { text, fetchedAt: now() };
    } catch (error) {
      const cause = toFailureCause(error);
      onFetchFailed(cause, describeFetchFailure(cause));
      failedAt = now();
      return lastKnownResponse();
    }
    onFetched();
    failedAt = undefined;
    return new Response(lastKnown.text);
  };

  function describeFetchFailure(cause: FailureCause): string {
    const consequence = hasUsableKeys()
      ? 'verifies bearer tokens with the last fetched keys until they are about an hour old'
      : 'rejects bearer tokens with 503 until it can fetch keys';
    const explanation = explainFailure(cause, toIssuerServer(url, `${MAX_WAIT_MS / 1_000} s`));
    return `The keys of JWT_JWKS_URL cannot be fetched: ${explanation} The gateway ${consequence}.`;
  }

  function hasUsableKeys(): boolean {
    return lastKnown !== undefined && now() - lastKnown.fetchedAt < MAX_STALE_AGE_MS;
  }

  function lastKnownResponse(): Response {
    if (lastKnown && hasUsableKeys()) return new Response(lastKnown.text);
    throw new KeysUnavailableError();
  }

  return {
    findKey: createRemoteJWKSet(new URL(url), {
      timeoutDuration: MAX_WAIT_MS,
      cooldownDuration: MIN_REFETCH_INTERVAL_MS,
      cacheMaxAge: MAX_AGE_MS,
      [customFetch]: fetchJwks,
    }),
    isStale: () => failedAt !== undefined,
  };
}

/** The server of the keys, for the description of a failure. */
export function toIssuerServer(url: string, timeout: string): FailingServer {
  return {
    url,
    urlSetting: 'JWT_JWKS_URL',
    timeouts: { response: timeout },
    pathAdvice:
      'The discovery document of the issuer (/.well-known/openid-configuration) names the URL as jwks_uri.',
  };
}

/** @throws InvalidJwksError with a cause that contains nothing of the response */
async function readJwks(response: Response, url: string): Promise<string> {
  const { status, headers } = response;
  if (status !== 200) {
    await response.body?.cancel();
    throw new InvalidJwksError(
      toStatusCause(status, headers.get('location') ?? undefined, url) ?? {
        kind: 'invalid-response',
        problem: `status ${status}`,
      },
    );
  }
  const text = await response.text();
  try {
    createLocalJWKSet(JSON.parse(text));
  } catch {
    throw new InvalidJwksError(NO_JWKS);
  }
  return text;
}

class InvalidJwksError extends Error {
  readonly failureCause: FailureCause;

  constructor(failureCause: FailureCause) {
    super(failureCause.kind);
    this.failureCause = failureCause;
  }
}

const NO_JWKS: FailureCause = { kind: 'invalid-response', problem: 'no JSON Web Key Set' };

/** The message of a network error may contain an address or more. Its code does not. */
function toFailureCause(error: unknown): FailureCause {
  if (error instanceof InvalidJwksError) return error.failureCause;
  // A body that is no JSON: `fetchKeys` may parse it.
  if (error instanceof SyntaxError) return NO_JWKS;
  return toTransportCause(error);
}
