import { describe, expect, test } from 'vitest';
import type { Entry } from '#cache/memory-store.ts';
import { createStalenessPolicy } from '#cache/staleness-policy.ts';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  CredentialRejectedError,
  QueueFullError,
  RateLimitedError,
  UpstreamInvalidResponseError,
  UpstreamNotFoundError,
  UpstreamRejectedError,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
  WebPageError,
} from '#errors/upstream-error.ts';

const LINE = { method: 'GET', path: '/call/x' } as const;
const NOW = 1_000_000;
const GRACE_MS = 10_000;
const RECHECK_MS = 1_000;

/** An entry whose freshness ended just now. */
function toStale(status: number): Entry {
  const readVersion = { instance: 'this', sequence: 1, isCached: false };
  return { value: {}, status, readVersion, requestedAt: 0, freshUntil: NOW, isLive: false };
}

/** Whether an entry may be served after an error, by the time since the credential was accepted. */
function canServe(error: unknown, status = 200, laterMs = 0): boolean[] {
  return [0, RECHECK_MS, RECHECK_MS + GRACE_MS].map((acceptedAgoMs) =>
    createStalenessPolicy({
      whileRevalidatingMs: 0,
      graceMs: GRACE_MS,
      credentialRecheckMs: RECHECK_MS,
      acceptedAt: () => NOW + laterMs - acceptedAgoMs,
      now: () => NOW + laterMs,
    }).canServeOnError(toStale(status), error, 'fingerprint'),
  );
}

const NEVER = [false, false, false];
/** Only with a credential that the upstream has accepted recently. */
const IF_CURRENT = [true, false, false];
/** Also during the grace period of the credential: the upstream did not respond. */
const WITHOUT_RESPONSE = [true, true, false];

const ERRORS: [name: string, error: unknown, expected: boolean[]][] = [
  ['no connection', new UpstreamUnavailableError(LINE), WITHOUT_RESPONSE],
  ['a timeout', new UpstreamTimeoutError(LINE), WITHOUT_RESPONSE],
  ['a 500', new UpstreamUnavailableError(LINE, { status: 500 }), IF_CURRENT],
  ['a 503', new UpstreamUnavailableError(LINE, { status: 503 }), IF_CURRENT],
  ['a redirect', new UpstreamUnavailableError(LINE, { status: 302 }), NEVER],
  ['a 429', new RateLimitedError(LINE, 1_000, 429), IF_CURRENT],
  ['a cooldown', new RateLimitedError(LINE, 1_000), IF_CURRENT],
  ['a full queue', new QueueFullError(LINE, 1_000), IF_CURRENT],
  ['a web page with 200', new WebPageError(LINE, 200), IF_CURRENT],
  ['a web page with 403', new WebPageError(LINE, 403), IF_CURRENT],
  ['an invalid response', new UpstreamInvalidResponseError(LINE, 'no JSON'), NEVER],
  ['a 400', new UpstreamRejectedError(LINE, 400), NEVER],
  ['a 404', new UpstreamNotFoundError(LINE, 404), NEVER],
  ['a 401 for the key of the caller', new CredentialRejectedError(LINE, 401), NEVER],
  ['a 403 for the key of the caller', new CredentialRejectedError(LINE, 403), NEVER],
  ['an exceeded budget', new BudgetExceededError('requests', 1), NEVER],
  ['an unexpected error', new Error('Why.'), NEVER],
  ['no error object', 'Why.', NEVER],
];

describe('Stale-if-error', () => {
  test.each(ERRORS)('a stale entry may be served after %s: %#', (_name, error, expected) => {
    expect(canServe(error)).toEqual(expected);
    expect(canServe(error, 200, GRACE_MS - 1)).toEqual(expected);
    expect(canServe(error, 200, GRACE_MS)).toEqual(NEVER);
  });

  test.each([
    [200, WITHOUT_RESPONSE],
    [206, WITHOUT_RESPONSE],
    [404, NEVER],
    [410, NEVER],
  ])('an entry with the status %i may be served without a response: %j', (status, expected) => {
    expect(canServe(new UpstreamTimeoutError(LINE), status)).toEqual(expected);
  });
});
