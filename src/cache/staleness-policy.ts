import {
  QueueFullError,
  RateLimitedError,
  type UpstreamError,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { Endpoint, ReadVersion } from '#rest/upstream-request.ts';
import { isListPage } from './freshness.ts';
import { type Entry, isNotFound } from './memory-store.ts';

export interface StalenessPolicyOptions {
  readonly whileRevalidatingMs: number;
  readonly graceMs: number;
  /** Infinity where the credential is the gateway's own. */
  readonly credentialRecheckMs: number;
  /** When the upstream last took a credential, by our clock, ms. */
  readonly acceptedAt: (fingerprint: string) => number;
  readonly now: () => number;
}

/** When what is kept may be served. */
export interface StalenessPolicy {
  /** Whether it is fresh, or may be served once more while it is fetched anew; and newer than it has to be. */
  canServe(cached: Entry, endpoint: Endpoint, newerThan: ReadVersion | undefined): boolean;
  /** Whether the upstream has taken the credential lately. Until it has, nothing is read from memory. */
  isCredentialCurrent(fingerprint: string): boolean;
  /** Whether what was fresh once may be served because the upstream failed like this. */
  canServeOnError(stale: Entry, error: unknown, fingerprint: string): boolean;
  /** Whether it may be served because the upstream asks for patience. */
  canServeDuringCooldown(stale: Entry, fingerprint: string): boolean;
  /** Whether the upstream refuses the credential itself, and not just one object: by 401, or by 403 for what the credential could read before. */
  isCredentialRejection(error: UpstreamError, cached: Entry | undefined): boolean;
  /** Whether a moment is no longer ago. One that is yet to come is none that we know: the clock has been set back. */
  isWithin(moment: number, ms: number): boolean;
}

export function createStalenessPolicy(options: StalenessPolicyOptions): StalenessPolicy {
  const { whileRevalidatingMs, graceMs, credentialRecheckMs, acceptedAt, now } = options;
  const checksCredentials = Number.isFinite(credentialRecheckMs);
  const isWithin = (moment: number, ms: number) => moment <= now() && now() < moment + ms;
  const isCredentialCurrent = (fingerprint: string) =>
    !checksCredentials || isWithin(acceptedAt(fingerprint), credentialRecheckMs);

  const isWithinGrace = ({ status, freshUntil }: Entry) => !isNotFound(status) && now() < freshUntil + graceMs;

  return {
    isWithin,
    isCredentialCurrent,
    isCredentialRejection: ({ status }, cached) =>
      status === 401 || (status === 403 && cached !== undefined && isWithinGrace(cached)),
    canServe(cached, endpoint, newerThan) {
      const allowsRevalidation = !cached.isLive && !isNotFound(cached.status) && !isListPage(endpoint);
      const usableUntil = cached.freshUntil + (allowsRevalidation ? whileRevalidatingMs : 0);
      return isWithin(cached.requestedAt, usableUntil - cached.requestedAt) && isNewerVersion(cached.readVersion, newerThan);
    },
    canServeDuringCooldown: (stale, fingerprint) => isWithinGrace(stale) && isCredentialCurrent(fingerprint),
    canServeOnError(stale, error, fingerprint) {
      if (!isWithinGrace(stale)) return false;
      if (error instanceof RateLimitedError || error instanceof QueueFullError) return isCredentialCurrent(fingerprint);
      if (error instanceof UpstreamUnavailableError && error.status !== undefined) {
        return error.status >= 500 && isCredentialCurrent(fingerprint);
      }
      const isWithoutResponse = error instanceof UpstreamUnavailableError || error instanceof UpstreamTimeoutError;
      // Nobody can say whether the credential is still taken: so the last word on it counts a while longer.
      return isWithoutResponse && (!checksCredentials || isWithin(acceptedAt(fingerprint), credentialRecheckMs + graceMs));
    },
  };
}

/** Whether a reading is known to have been sent after another; of two processes nothing is known. */
export function isNewerVersion(version: ReadVersion, than: ReadVersion | undefined): boolean {
  return !than || (version.instance === than.instance && version.sequence > than.sequence);
}
