import type { CancellationSignal } from '#cancellation.ts';

export interface AcquireOptions {
  /** The fingerprint of the credential: the upstream counts requests by credential. */
  readonly credential: string;
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
  /** Removes the request from the queue when aborted. */
  readonly signal: CancellationSignal;
  /**
   * The latest moment at which a slot is still of use, by `monotonicNow`, in ms. The limiter calls
   * this again at each check, because the deadline may be extended.
   */
  deadlineAt(): number;
}
