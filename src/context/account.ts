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
  const counts = { network: 0, cache: 0, stale: 0, coalesced: 0 };
  const calls: UpstreamCall[] = [];
  const madeOf: Ingredient[] = [];
  let freshUntil = Number.POSITIVE_INFINITY;
  let isLive = false;
  let waiting = 0;
  let waitedMs = 0;
  let waitsSince = 0;
  return {
    counts,
    calls,
    madeOf,
    get lasting() {
      return { freshUntil, isLive };
    },
    get waitedMs() {
      return waitedMs;
    },
    wait() {
      if (waiting === 0) waitsSince = elapsed();
      waiting += 1;
      return () => {
        waiting -= 1;
        if (waiting === 0) waitedMs += elapsed() - waitsSince;
      };
    },
    note(call, lasting, endpoint) {
      counts[call.source] += 1;
      if (calls.length < MOST_TOLD) {
        calls.push(call);
        madeOf.push({ endpoint, key: call.path, serial: lasting?.serial });
      }
      if (!lasting) return;
      freshUntil = Math.min(freshUntil, lasting.freshUntil);
      isLive ||= lasting.isLive;
    },
  };
}
