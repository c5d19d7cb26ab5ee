import type { Ingredient } from '#cache/answers.ts';
import type { Account, Lasting, UpstreamCall } from '#rest/errand.ts';

/** Calls that are told one by one; the counts tell of all. */
const MOST_TOLD = 1000;

/** What one operation was told by the upstream, or by what is remembered of it. */
export interface OperationAccount extends Account {
  readonly counts: Readonly<Record<UpstreamCall['source'], number>>;
  /** In the order they were answered, a thousand at most. */
  readonly calls: readonly UpstreamCall[];
  /** What is known of how long the answer may be passed on: the shortest of all that is in it. */
  readonly lasting: Lasting;
  /** In the order they were answered, a thousand at most. */
  readonly madeOf: readonly Ingredient[];
  /** How long at least one question has waited for the upstream, ms: what is left of an operation's time is the gateway's own. */
  readonly waitedMs: number;
}

/** @param elapsed a clock for durations, ms and parts of it */
export function createAccount(elapsed: () => number): OperationAccount {
  return new OneAccount(elapsed);
}

class OneAccount implements OperationAccount {
  readonly counts = { network: 0, cache: 0, stale: 0, coalesced: 0 };
  readonly calls: UpstreamCall[] = [];
  readonly madeOf: Ingredient[] = [];
  readonly #elapsed: () => number;
  #freshUntil = Number.POSITIVE_INFINITY;
  #isLive = false;
  #waiting = 0;
  #waitedMs = 0;
  #waitsSince = 0;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  get lasting(): Lasting {
    return { freshUntil: this.#freshUntil, isLive: this.#isLive };
  }

  get waitedMs(): number {
    return this.#waitedMs;
  }

  wait(): () => void {
    if (this.#waiting === 0) this.#waitsSince = this.#elapsed();
    this.#waiting += 1;
    return () => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#waitedMs += this.#elapsed() - this.#waitsSince;
    };
  }

  note(call: UpstreamCall, lasting: Lasting | undefined, endpoint: Ingredient['endpoint']): void {
    this.counts[call.source] += 1;
    if (this.calls.length < MOST_TOLD) {
      this.calls.push(call);
      this.madeOf.push({ endpoint, key: call.path, serial: lasting?.serial });
    }
    if (!lasting) return;
    this.#freshUntil = Math.min(this.#freshUntil, lasting.freshUntil);
    this.#isLive ||= lasting.isLive;
  }
}
