import {
  QueueFullError,
  RateLimitedError,
  type UpstreamError,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { Endpoint, Reading } from '#rest/question.ts';
import { isListPage } from './freshness.ts';
import { type Entry, isMissing } from './memory.ts';

export interface ServingRulesOptions {
  readonly whileRevalidatingMs: number;
  readonly graceMs: number;
  /** Infinity where the credential is the gateway's own. */
  readonly credentialRecheckMs: number;
  /** When the upstream last took a credential, by our clock, ms. */
  readonly acceptedAt: (fingerprint: string) => number;
  readonly now: () => number;
}

/** When what is kept may be served. */
export interface ServingRules {
  /** Whether it is fresh, or may be served once more while it is fetched anew; and newer than it has to be. */
  isUsable(kept: Entry, endpoint: Endpoint, newerThan: Reading | undefined): boolean;
  /** Whether the upstream has taken the credential lately. Until it has, nothing is read from memory. */
  isTrusted(fingerprint: string): boolean;
  /** Whether what was fresh once may be served because the upstream failed like this. */
  mayStandIn(stale: Entry, error: unknown, fingerprint: string): boolean;
  /** Whether it may be served because the upstream asks for patience. */
  mayStandInForPause(stale: Entry, fingerprint: string): boolean;
  /** Whether the upstream refuses the credential itself, and not just one object: by 401, or by 403 for what the credential could read before. */
  isRefusal(error: UpstreamError, kept: Entry | undefined): boolean;
  /** Whether a moment is no longer ago. One that is yet to come is none that we know: the clock has been set back. */
  isWithin(moment: number, ms: number): boolean;
}

export function createServingRules(options: ServingRulesOptions): ServingRules {
  const { whileRevalidatingMs, graceMs, credentialRecheckMs, acceptedAt, now } = options;
  const isRechecked = Number.isFinite(credentialRecheckMs);
  const isWithin = (moment: number, ms: number) => moment <= now() && now() < moment + ms;
  const isTrusted = (fingerprint: string) => !isRechecked || isWithin(acceptedAt(fingerprint), credentialRecheckMs);

  const isWithinGrace = ({ status, freshUntil }: Entry) => !isMissing(status) && now() < freshUntil + graceMs;

  return {
    isWithin,
    isTrusted,
    isRefusal: ({ status }, kept) => status === 401 || (status === 403 && kept !== undefined && isWithinGrace(kept)),
    isUsable(kept, endpoint, newerThan) {
      const isServedOnceMore = !kept.isLive && !isMissing(kept.status) && !isListPage(endpoint);
      const usableUntil = kept.freshUntil + (isServedOnceMore ? whileRevalidatingMs : 0);
      return isWithin(kept.askedAt, usableUntil - kept.askedAt) && isKnownNewer(kept.reading, newerThan);
    },
    mayStandInForPause: (stale, fingerprint) => isWithinGrace(stale) && isTrusted(fingerprint),
    mayStandIn(stale, error, fingerprint) {
      if (!isWithinGrace(stale)) return false;
      if (error instanceof RateLimitedError || error instanceof QueueFullError) return isTrusted(fingerprint);
      if (error instanceof UpstreamUnavailableError && error.status !== undefined) {
        return error.status >= 500 && isTrusted(fingerprint);
      }
      const isWithoutAnswer = error instanceof UpstreamUnavailableError || error instanceof UpstreamTimeoutError;
      // Nobody can say whether the credential is still taken: so the last word on it counts a while longer.
      return isWithoutAnswer && (!isRechecked || isWithin(acceptedAt(fingerprint), credentialRecheckMs + graceMs));
    },
  };
}

/** Whether a reading is known to have been sent after another; of two processes nothing is known. */
export function isKnownNewer(reading: Reading, than: Reading | undefined): boolean {
  return !than || (reading.process === than.process && reading.number > than.number);
}
