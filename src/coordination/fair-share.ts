/** The demand of one instance: its requests in flight and queued. */
export interface Demand {
  readonly instance: string;
  readonly requests: number;
}

/**
 * The share of one instance in a limit, by max-min fairness: each instance gets its demand, up to
 * an equal share of what the smaller demands leave. What no instance demands is divided equally. If
 * all instances know the same demands, the sum of their shares is the limit.
 * @returns at least 1: with more instances than slots, the sum exceeds the limit
 */
export function toFairShare(demands: readonly Demand[], instance: string, limit: number): number {
  const ascending = demands.toSorted(
    (a, b) => a.requests - b.requests || (a.instance < b.instance ? -1 : 1),
  );
  const ownIndex = ascending.findIndex((demand) => demand.instance === instance);
  let [unassigned, own] = [limit, 0];
  for (const [index, { requests }] of ascending.entries()) {
    const share = Math.min(requests, Math.floor(unassigned / (ascending.length - index)));
    unassigned -= share;
    if (index === ownIndex) own = share;
  }
  const isInRemainder = ownIndex < unassigned % ascending.length;
  return Math.max(1, own + Math.floor(unassigned / ascending.length) + (isInRemainder ? 1 : 0));
}
