import type { Dependency } from '#cache/response-cache.ts';
import type { ResponseFreshness, UpstreamCall, UsageRecorder } from '#rest/upstream-context.ts';

/** Calls that are told one by one; the counts tell of all. */
const MAX_RECORDED_CALLS = 1000;

/** What one operation was told by the upstream, or by what is remembered of it. */
export interface UpstreamUsage extends UsageRecorder {
  readonly counts: Readonly<Record<UpstreamCall['source'], number>>;
  /** In the order they were answered, a thousand at most. */
  readonly calls: readonly UpstreamCall[];
  /** What is known of how long the answer may be passed on: the shortest of all that is in it. */
  readonly freshness: ResponseFreshness;
  /** In the order they were answered, a thousand at most. */
  readonly dependencies: readonly Dependency[];
  /** How long at least one question has waited for the upstream, ms: what is left of an operation's time is the gateway's own. */
  readonly waitedMs: number;
}

/** @param monotonicNow a monotonic clock for durations, in ms with fractions */
export function createUpstreamUsage(monotonicNow: () => number): UpstreamUsage {
  return new OperationUpstreamUsage(monotonicNow);
}

class OperationUpstreamUsage implements UpstreamUsage {
  readonly counts = { network: 0, cache: 0, stale: 0, coalesced: 0 };
  readonly calls: UpstreamCall[] = [];
  readonly dependencies: Dependency[] = [];
  readonly #monotonicNow: () => number;
  #freshUntil = Number.POSITIVE_INFINITY;
  #isLive = false;
  #openWaits = 0;
  #waitedMs = 0;
  #waitStartedAt = 0;

  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow;
  }

  get freshness(): ResponseFreshness {
    return { freshUntil: this.#freshUntil, isLive: this.#isLive };
  }

  get waitedMs(): number {
    return this.#waitedMs;
  }

  startWait(): () => void {
    if (this.#openWaits === 0) this.#waitStartedAt = this.#monotonicNow();
    this.#openWaits += 1;
    return () => {
      this.#openWaits -= 1;
      if (this.#openWaits === 0) this.#waitedMs += this.#monotonicNow() - this.#waitStartedAt;
    };
  }

  record(call: UpstreamCall, freshness: ResponseFreshness | undefined, endpoint: Dependency['endpoint']): void {
    this.counts[call.source] += 1;
    if (this.calls.length < MAX_RECORDED_CALLS) {
      this.calls.push(call);
      this.dependencies.push({ endpoint, key: call.path, serial: freshness?.serial });
    }
    if (!freshness) return;
    this.#freshUntil = Math.min(this.#freshUntil, freshness.freshUntil);
    this.#isLive ||= freshness.isLive;
  }
}
