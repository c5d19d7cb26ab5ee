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
  /** Time during which at least one question to the upstream was open, ms. */
  readonly waitedMs: number;
}

export function createAccount(): OperationAccount {
  const counts = { network: 0, cache: 0, stale: 0, coalesced: 0 };
  const calls: UpstreamCall[] = [];
  let freshUntil = Number.POSITIVE_INFINITY;
  let isLive = false;
  return {
    counts,
    calls,
    waitedMs: 0,
    get lasting() {
      return { freshUntil, isLive };
    },
    note(call, lasting) {
      counts[call.source] += 1;
      if (calls.length < MOST_TOLD) calls.push(call);
      if (!lasting) return;
      freshUntil = Math.min(freshUntil, lasting.freshUntil);
      isLive ||= lasting.isLive;
    },
  };
}
