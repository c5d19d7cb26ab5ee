import type { CredentialQueue } from './credential-queue.ts';

/**
 * The share of all slots that unaccepted credentials may hold: an accepted credential finds a free
 * slot however slow the requests of the others are.
 */
const MAX_UNACCEPTED_SHARE = 0.5;

/**
 * The queues of all unaccepted credentials. A client can make up any number of keys, so together
 * these credentials are scheduled like one accepted credential.
 */
export class UnacceptedQueues {
  active = 0;
  queued = 0;
  /** The queues that may have a request to start, in round-robin order: the first is next. */
  readonly ready = new Set<CredentialQueue>();
  readonly #maxActive: number;

  /** @param maxTotal maximum requests in flight over all credentials */
  constructor(maxTotal: number) {
    this.#maxActive = Math.ceil(maxTotal * MAX_UNACCEPTED_SHARE);
  }

  get hasCapacity(): boolean {
    return this.active < this.#maxActive;
  }

  /**
   * Starts one request of the first queue that can start one.
   * @param startNext starts a request of the queue; returns false if there is none to start
   */
  dispatchNext(startNext: (queue: CredentialQueue) => boolean): boolean {
    for (const queue of this.ready) {
      if (!this.hasCapacity) return false;
      this.ready.delete(queue);
      if (!startNext(queue)) continue;
      this.ready.add(queue);
      return true;
    }
    return false;
  }

  /** Moves the queue between the accepted and the unaccepted credentials. */
  toggleAccepted(queue: CredentialQueue): void {
    const sign = queue.isAccepted ? 1 : -1;
    queue.isAccepted = !queue.isAccepted;
    this.active += sign * queue.active;
    this.queued += sign * queue.queued;
    this.ready.delete(queue);
  }
}

/** The unaccepted credential with the most queued requests, if it has more than `moreThan`. */
export function findLongestUnaccepted(
  queues: Iterable<CredentialQueue>,
  moreThan: number,
): CredentialQueue | undefined {
  let longest: CredentialQueue | undefined;
  for (const queue of queues)
    if (!queue.isAccepted && queue.queued > (longest?.queued ?? moreThan)) longest = queue;
  return longest;
}
