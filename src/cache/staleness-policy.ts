import {
  CredentialRejectedError,
  QueueFullError,
  RateLimitedError,
  type UpstreamError,
  UpstreamRejectedError,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
  WebPageError,
} from '#errors/upstream-error.ts';
import type { Endpoint, ReadVersion } from '#rest/upstream-request.ts';
import { isListPage } from './freshness.ts';
import { type Entry, isNotFound } from './memory-store.ts';

export interface StalenessPolicyOptions {
  readonly whileRevalidatingMs: number;
  readonly graceMs: number;
  /** Infinity if the credential is the gateway's own. */
  readonly credentialRecheckMs: number;
  /** When the upstream last accepted a credential, by the gateway's clock, in ms. */
  readonly acceptedAt: (fingerprint: string) => number;
  readonly now: () => number;
}

/** Decides when a cached response may be served. */
export interface StalenessPolicy {
  /** Whether the entry is fresh or within stale-while-revalidate, and newer than `newerThan`. */
  canServe(cached: Entry, endpoint: Endpoint, newerThan: ReadVersion | undefined): boolean;
  /**
   * Whether the upstream has accepted the credential recently. If not, a cached entry may be served
   * only after a request without a response (see `canServeOnError`).
   */
  isCredentialCurrent(fingerprint: string): boolean;
  /** Whether a stale entry may be served after this error (stale-if-error). */
  canServeOnError(stale: Entry, error: unknown, fingerprint: string): boolean;
  /** Whether a stale entry may be served during a rate-limit cooldown. */
  canServeDuringCooldown(stale: Entry, fingerprint: string): boolean;
  /**
   * Whether the error rejects the credential itself, and not only one object: a 401, or a 403 for
   * an object that the credential could read before.
   */
  isCredentialRejection(error: UpstreamError, cached: Entry | undefined): boolean;
  /**
   * Whether the moment is less than `ms` milliseconds ago. False for a moment in the future: the
   * clock was set back, so the age of the moment is unknown.
   */
  isWithin(moment: number, ms: number): boolean;
}

export function createStalenessPolicy(options: StalenessPolicyOptions): StalenessPolicy {
  const { whileRevalidatingMs, graceMs, credentialRecheckMs, acceptedAt, now } = options;
  const checksCredentials = Number.isFinite(credentialRecheckMs);
  const isWithin = (moment: number, ms: number) => moment <= now() && now() < moment + ms;
  const isCredentialCurrent = (fingerprint: string) =>
    !checksCredentials || isWithin(acceptedAt(fingerprint), credentialRecheckMs);

  const isWithinGrace = ({ status, freshUntil }: Entry) =>
    !isNotFound(status) && now() < freshUntil + graceMs;

  return {
    isWithin,
    isCredentialCurrent,
    isCredentialRejection: (error, cached) =>
      (error instanceof CredentialRejectedError || error instanceof UpstreamRejectedError) &&
      (error.status === 401 ||
        (error.status === 403 && cached !== undefined && isWithinGrace(cached))),
    canServe(cached, endpoint, newerThan) {
      const allowsRevalidation =
        !cached.isLive && !isNotFound(cached.status) && !isListPage(endpoint);
      const usableUntil = cached.freshUntil + (allowsRevalidation ? whileRevalidatingMs : 0);
      return (
        isWithin(cached.requestedAt, usableUntil - cached.requestedAt) &&
        isNewerVersion(cached.readVersion, newerThan)
      );
    },
    canServeDuringCooldown: (stale, fingerprint) =>
      isWithinGrace(stale) && isCredentialCurrent(fingerprint),
    canServeOnError(stale, error, fingerprint) {
      if (!isWithinGrace(stale)) return false;
      if (
        error instanceof RateLimitedError ||
        error instanceof QueueFullError ||
        error instanceof WebPageError
      )
        return isCredentialCurrent(fingerprint);
      if (error instanceof UpstreamUnavailableError && error.status !== undefined) {
        return error.status >= 500 && isCredentialCurrent(fingerprint);
      }
      const isWithoutResponse =
        error instanceof UpstreamUnavailableError || error instanceof UpstreamTimeoutError;
      // Without a response, the gateway cannot check the credential: its last acceptance holds for
      // the grace period, too.
      return (
        isWithoutResponse &&
        (!checksCredentials || isWithin(acceptedAt(fingerprint), credentialRecheckMs + graceMs))
      );
    },
  };
}

/**
 * Whether a read is known to have been sent after another; the order of reads by different
 * instances is unknown.
 */
export function isNewerVersion(version: ReadVersion, than: ReadVersion | undefined): boolean {
  return !than || (version.instance === than.instance && version.sequence > than.sequence);
}
