import type { Dependency } from '#cache/response-cache.ts';
import type { UpstreamLookup } from '#extensions.ts';
import type { ResponseFreshness, UsageRecorder } from '#rest/upstream-context.ts';

/** Maximum lookups recorded individually; `counts` includes all of them. */
const MAX_RECORDED_LOOKUPS = 1000;

/** The lookups of upstream responses of one operation, and their sources. */
export interface UpstreamUsage extends UsageRecorder {
  readonly counts: Readonly<Record<UpstreamLookup['source'], number>>;
  /** In the order in which the lookups ended, at most a thousand. */
  readonly lookups: readonly UpstreamLookup[];
  /** How long the response may be cached: the minimum over all upstream responses in it. */
  readonly freshness: ResponseFreshness;
  /** In the order of their responses, at most a thousand. */
  readonly dependencies: readonly Dependency[];
  /**
   * Time during which at least one request waited for the upstream, in ms: the rest of the
   * operation's time is the gateway's own.
   */
  readonly waitedMs: number;
}

/** @param monotonicNow a monotonic clock for durations, in ms with fractions */
export function createUpstreamUsage(monotonicNow: () => number): UpstreamUsage {
  return new OperationUpstreamUsage(monotonicNow);
}

class OperationUpstreamUsage implements UpstreamUsage {
  readonly counts = { network: 0, cache: 0, stale: 0, coalesced: 0 };
  readonly lookups: UpstreamLookup[] = [];
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

  record(
    lookup: UpstreamLookup,
    freshness: ResponseFreshness | undefined,
    endpoint: Dependency['endpoint'],
  ): void {
    this.counts[lookup.source] += 1;
    if (this.lookups.length < MAX_RECORDED_LOOKUPS) {
      this.lookups.push(lookup);
      this.dependencies.push({ endpoint, key: lookup.path, serial: freshness?.serial });
    }
    if (!freshness) return;
    this.#freshUntil = Math.min(this.#freshUntil, freshness.freshUntil);
    this.#isLive ||= freshness.isLive;
  }
}
