import type { Dependency } from '#cache/response-cache.ts';
import type { ResponseFreshness, UpstreamCall, UsageRecorder } from '#rest/upstream-context.ts';

/** Maximum calls recorded individually; `counts` includes all calls. */
const MAX_RECORDED_CALLS = 1000;

/** The upstream requests of one operation, and the sources of their responses. */
export interface UpstreamUsage extends UsageRecorder {
  readonly counts: Readonly<Record<UpstreamCall['source'], number>>;
  /** In the order of their responses, at most a thousand. */
  readonly calls: readonly UpstreamCall[];
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

  record(
    call: UpstreamCall,
    freshness: ResponseFreshness | undefined,
    endpoint: Dependency['endpoint'],
  ): void {
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
