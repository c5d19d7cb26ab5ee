/** A request that waits for a slot. */
export interface QueuedRequest {
  readonly deadlineAt: () => number;
  grant(release: () => void): void;
  reject(reason: unknown): void;
}

/** The requests of one caller of a credential. */
export interface CallerQueue {
  readonly name: string;
  readonly maxActive: number;
  active: number;
  readonly queued: Set<QueuedRequest>;
}

/**
 * The share of a credential's slots that one caller may hold where callers are distinguished: the
 * next caller finds a free slot.
 */
const MAX_CALLER_SHARE = 0.75;

/** The requests of one credential, in flight and queued, with fair queueing between its callers. */
export class CredentialQueue {
  readonly credential: string;
  isAccepted: boolean;
  active = 0;
  queued = 0;
  readonly #maxActive: number;
  /** In round-robin order: the first is next. */
  readonly #callers = new Map<string, CallerQueue>();

  /** @param maxActive maximum requests in flight for the credential */
  constructor(credential: string, isAccepted: boolean, maxActive: number) {
    this.credential = credential;
    this.isAccepted = isAccepted;
    this.#maxActive = maxActive;
  }

  callerQueueOf(name = ''): CallerQueue {
    let caller = this.#callers.get(name);
    if (!caller) {
      const maxActive =
        name === '' ? this.#maxActive : Math.ceil(this.#maxActive * MAX_CALLER_SHARE);
      caller = { name, maxActive, active: 0, queued: new Set() };
      this.#callers.set(name, caller);
    }
    return caller;
  }

  /** The next caller that has a queued request and may start one. */
  nextCaller(): CallerQueue | undefined {
    for (const caller of this.#callers.values())
      if (caller.queued.size > 0 && caller.active < caller.maxActive) return caller;
    return undefined;
  }

  /** Moves the caller behind the other callers. */
  moveToEnd(caller: CallerQueue): void {
    if (this.#callers.size <= 1) return;
    this.#callers.delete(caller.name);
    this.#callers.set(caller.name, caller);
  }

  /**
   * Removes a caller that has no request in flight or queued.
   * @returns whether the credential has no caller left
   */
  removeIdle(caller: CallerQueue): boolean {
    const isIdle = caller.active === 0 && caller.queued.size === 0;
    // The name may belong to a newer queue by now, with requests in flight.
    if (isIdle && this.#callers.get(caller.name) === caller) this.#callers.delete(caller.name);
    return this.#callers.size === 0;
  }

  queuedRequests(): readonly QueuedRequest[] {
    return [...this.#callers.values()].flatMap(({ queued }) => [...queued]);
  }
}
