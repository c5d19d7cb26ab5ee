import type { Claim, LeaseEvents, PollLeases } from '#live/poll-leases.ts';
import { CLAIM_SHARE, MAX_URGENT_INTERVAL_MS } from '#live/poll-leases.ts';

/** What several instances share: claims in memory, and messages that arrive at once. */
export interface SharedLeases {
  /** The leases of one more instance. */
  join(): PollLeases;
  /** Whether claims are possible. */
  isUp: boolean;
  /** Whether messages arrive. */
  deliversMessages: boolean;
  /** Called when an instance claims the poll of an object. */
  onClaim: () => void;
  /**
   * A claim that no instance has made.
   * @param heldMs how long it seems to have been held. @default 0
   */
  forge(path: string, endsInMs: number, heldMs?: number): void;
}

/** @param now in ms */
export function createMemoryLeases(now: () => number): SharedLeases {
  const claims = new Map<string, { readonly at: number; readonly endsAt: number }>();
  const members = new Map<PollLeases, Map<string, Set<LeaseEvents>>>();
  const shared: SharedLeases = {
    isUp: true,
    deliversMessages: true,
    onClaim() {},
    forge: (path, endsInMs, heldMs = 0) =>
      void claims.set(`f ${path}`, { at: now() - heldMs, endsAt: now() + endsInMs }),
    join() {
      const open = new Map<string, Set<LeaseEvents>>();
      const others = (key: string) =>
        shared.deliversMessages
          ? [...members].flatMap(([member, opened]) =>
              member === leases ? [] : [...(opened.get(key) ?? [])],
            )
          : [];
      const leases: PollLeases = {
        open({ fingerprint, path }, events) {
          const key = `${fingerprint} ${path}`;
          const keys = [key, `hint ${path}`];
          for (const each of keys) open.set(each, (open.get(each) ?? new Set()).add(events));
          return {
            async claim({ intervalMs, isUrgent }) {
              shared.onClaim();
              if (!isUrgent) return claim(key, intervalMs);
              const result = claim(`${key} urgent`, Math.min(intervalMs, MAX_URGENT_INTERVAL_MS));
              if (result.outcome === 'won') hold(key, intervalMs);
              return result;
            },
            publish() {
              for (const { onPolled } of others(key)) onPolled();
            },
            close() {
              for (const each of keys) {
                const opened = open.get(each);
                opened?.delete(events);
                if (opened?.size === 0) open.delete(each);
              }
            },
          };
        },
        claimPage: async ({ fingerprint }, name, intervalMs) =>
          claim(`${fingerprint} page ${name}`, intervalMs),
        hint(path) {
          for (const { onHint } of others(`hint ${path}`)) onHint();
        },
      };
      members.set(leases, open);
      return leases;
    },
  };
  return shared;

  function claim(name: string, intervalMs: number): Claim {
    if (!shared.isUp) return { outcome: 'alone', heldMs: 0, endsInMs: 0 };
    const held = claims.get(name);
    if (held && held.endsAt > now())
      return { outcome: 'lost', heldMs: now() - held.at, endsInMs: held.endsAt - now() };
    hold(name, intervalMs);
    return { outcome: 'won', heldMs: 0, endsInMs: 0 };
  }

  function hold(name: string, intervalMs: number): void {
    claims.set(name, { at: now(), endsAt: now() + CLAIM_SHARE * intervalMs });
  }
}
