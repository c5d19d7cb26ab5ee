import type { WatchTarget } from './watch.ts';

/**
 * Leases of polls, for several instances that watch the same objects: of those instances, the one
 * that has claimed an object polls it. The others read the response that it has shared.
 */
export interface PollLeases {
  /** To be called when an object is watched. */
  open(target: WatchTarget, events: LeaseEvents): PollLease;
  /**
   * Asks whether this instance requests a page of a list now, of which there is at most one request
   * in 0.9 intervals. Never rejects.
   * @param name of the list and the page
   */
  claimPage(target: WatchTarget, name: string, intervalMs: number): Promise<Claim>;
  /** An object may have changed: the other instances that watch it poll it, too. */
  hint(path: string): void;
}

export interface LeaseEvents {
  /** Another instance has probably shared a response. The message proves nothing else. */
  onPolled(): void;
  /** Another instance has received the webhook of a change. */
  onHint(): void;
}

/** The lease of the polls of one watched object. */
export interface PollLease {
  /** Asks whether this instance polls the object now. Never rejects. */
  claim(request: ClaimRequest): Promise<Claim>;
  /** This instance has polled the object: the others may read the response. */
  publish(): void;
  close(): void;
}

export interface ClaimRequest {
  /** The interval of the polls, in ms. The claim is valid for most of it. */
  readonly intervalMs: number;
  /**
   * Whether the poll cannot wait until the claim of another instance ends. Such polls have a claim
   * of their own, of which there is at most one a second.
   */
  readonly isUrgent: boolean;
}

export const CLAIM_OUTCOMES = ['won', 'lost', 'alone'] as const;
/** `alone`: claims are not possible at present. */
export type ClaimOutcome = (typeof CLAIM_OUTCOMES)[number];

export interface Claim {
  readonly outcome: ClaimOutcome;
  /** For how long another instance, or this one, has held the claim, in ms. */
  readonly heldMs: number;
  /** When the claim ends, in ms from now. */
  readonly endsInMs: number;
}

/** Share of the interval for which a claim is valid. */
export const CLAIM_SHARE = 0.9;

/** The interval of urgent polls is at most this long, in ms. */
export const MAX_URGENT_INTERVAL_MS = 1_000;

/** While claims are not possible, each instance polls at this multiple of the interval. */
export const ALONE_INTERVALS = 2;
