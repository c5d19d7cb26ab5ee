export interface AcquireOptions {
  /** The fingerprint of the credential: the upstream counts requests by credential. */
  readonly credential: string;
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
  /** Removes the request from the queue when aborted. */
  readonly signal: AbortSignal;
  /**
   * The latest moment at which a slot is still of use, by `monotonicNow`, in ms. The limiter calls
   * this again at each check, because the deadline may be extended.
   */
  deadlineAt(): number;
}

/**
 * Limits concurrent upstream requests, per credential and in total, with fair queueing between
 * credentials and between the callers of a credential.
 */
export interface ConcurrencyLimiter {
  /**
   * Acquires a slot without queueing. Returns its release function, or undefined if the request
   * must queue.
   */
  tryAcquire(credential: string, caller: string | undefined): (() => void) | undefined;
  /**
   * Acquires a slot, queueing if necessary.
   * @returns the release function, to be called when the request is over
   * @throws CooldownError, QueueOverflowError if no slot can be granted in time; the signal's
   *   reason if it aborts first
   */
  acquire(options: AcquireOptions): Promise<() => void>;
  /**
   * Re-evaluates the credential after a change of `isAccepted`, `isProbing` or `coolingDownUntil`.
   */
  reevaluate(credential: string): void;
  /** Rejects every queued request of the credential with this reason. */
  rejectQueued(credential: string, reason: Error): void;
  readonly state: { readonly queued: number; readonly inFlight: number };
}

/** The rate-limit cooldown of the credential lasts longer than the request's deadline. */
export class CooldownError extends Error {
  override name = 'CooldownError';
  readonly remainingMs: number;

  constructor(remainingMs: number) {
    super(`cooling down for ${remainingMs} ms more`);
    this.remainingMs = remainingMs;
  }
}

/** The queue is full. */
export class QueueOverflowError extends Error {
  override name = 'QueueOverflowError';
}

export interface ConcurrencyLimiterOptions {
  /** Maximum requests in flight for one credential. */
  readonly maxPerCredential: number;
  /**
   * Whether the upstream has accepted a credential. An unaccepted credential has at most one
   * request in flight, and shares a queue with all other unaccepted credentials.
   */
  readonly isAccepted: (credential: string) => boolean;
  /** Whether a credential is limited to a single request in flight, as a probe after a cooldown. */
  readonly isProbing: (credential: string) => boolean;
  /**
   * When the cooldown of a credential ends, by `monotonicNow`, in ms; undefined if it is not
   * cooling down.
   */
  readonly coolingDownUntil: (credential: string) => number | undefined;
  /** Maximum requests in flight over all credentials. */
  readonly maxTotal: number;
  /** Maximum queued requests of one caller; ten times as many over all callers. */
  readonly maxQueued: number;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
}

/**
 * The share of a credential's slots that one caller may hold where callers are distinguished: the
 * next caller finds a free slot.
 */
const MAX_CALLER_SHARE = 0.75;
const TOTAL_QUEUE_FACTOR = 10;
/** A caller may always queue this many requests, even when the total queue limit is reached. */
const MIN_CALLER_QUEUE = 10;
/**
 * The share of all slots that unaccepted credentials may hold: an accepted credential finds a free
 * slot however slow the requests of the others are.
 */
const MAX_UNACCEPTED_SHARE = 0.5;

interface QueuedRequest {
  readonly deadlineAt: () => number;
  grant(release: () => void): void;
  reject(reason: unknown): void;
}

/** The requests of one caller of a credential. */
interface CallerQueue {
  readonly name: string;
  readonly maxActive: number;
  active: number;
  readonly queued: Set<QueuedRequest>;
}

/** The requests of one credential. */
interface CredentialQueue {
  readonly credential: string;
  isAccepted: boolean;
  active: number;
  queued: number;
  /** In round-robin order: the first is next. */
  readonly callers: Map<string, CallerQueue>;
}

/**
 * The queues of all unaccepted credentials. Invented keys cost nothing, so together these
 * credentials are scheduled like one accepted credential.
 */
interface UnacceptedQueues {
  active: number;
  queued: number;
  /** Like `ready` of the accepted credentials. */
  readonly ready: Set<CredentialQueue>;
}

/**
 * Bounds the requests in flight, per credential and in total. Under contention, slots go
 * round-robin to credentials, and within a credential to its callers: a caller with many requests
 * delays only its own. All unaccepted credentials count as one credential. The limiter drops a
 * credential that has no request in flight or queued.
 */
export function createConcurrencyLimiter(options: ConcurrencyLimiterOptions): ConcurrencyLimiter {
  const {
    maxPerCredential,
    isAccepted,
    isProbing,
    coolingDownUntil,
    maxTotal,
    maxQueued,
    monotonicNow,
  } = options;
  const maxActiveUnaccepted = Math.ceil(maxTotal * MAX_UNACCEPTED_SHARE);
  const queues = new Map<string, CredentialQueue>();
  const unaccepted: UnacceptedQueues = { active: 0, queued: 0, ready: new Set() };
  /**
   * The queues that may have a request to start, in round-robin order. `dispatch` drops a queue
   * that turns out to have none.
   */
  const ready = new Set<CredentialQueue | UnacceptedQueues>();
  let [inFlight, queued] = [0, 0];

  return {
    tryAcquire(credential, name) {
      const queue = queueOf(credential);
      const caller = callerQueueOf(queue, name);
      if (canStartNow(queue, caller)) return start(queue, caller);
      removeIdle(queue, caller);
      return undefined;
    },
    async acquire({ credential, caller: name, signal, deadlineAt }) {
      signal.throwIfAborted();
      const queue = queueOf(credential);
      const caller = callerQueueOf(queue, name);
      try {
        checkCooldown(credential, deadlineAt);
        if (!canStartNow(queue, caller) && !makeQueueRoom(queue, caller))
          throw new QueueOverflowError(`${queued} requests are queued`);
        return await new Promise<() => void>((resolve, reject) => {
          const request: QueuedRequest = {
            deadlineAt,
            grant(release) {
              dequeue();
              resolve(release);
            },
            reject(reason) {
              dequeue();
              reject(reason);
            },
          };
          const onAbort = () => request.reject(signal.reason);
          const dequeue = () => {
            signal.removeEventListener('abort', onAbort);
            caller.queued.delete(request);
            countQueued(queue, -1);
          };
          caller.queued.add(request);
          countQueued(queue, 1);
          dispatch(queue);
          if (caller.queued.has(request)) signal.addEventListener('abort', onAbort, { once: true });
        });
      } catch (error) {
        removeIdle(queue, caller);
        throw error;
      }
    },
    reevaluate(credential) {
      const queue = queues.get(credential);
      if (!queue) return;
      for (const request of queuedRequestsOf(queue)) {
        try {
          checkCooldown(credential, request.deadlineAt);
        } catch (error) {
          request.reject(error);
        }
      }
      if (queue.isAccepted !== isAccepted(credential)) toggleAccepted(queue);
      dispatch(queue);
    },
    rejectQueued(credential, reason) {
      const queue = queues.get(credential);
      if (queue) for (const request of queuedRequestsOf(queue)) request.reject(reason);
    },
    get state() {
      return { queued, inFlight };
    },
  };

  function canStartNow(queue: CredentialQueue, caller: CallerQueue): boolean {
    return (
      inFlight < maxTotal &&
      hasCapacity(queue) &&
      caller.queued.size === 0 &&
      caller.active < caller.maxActive
    );
  }

  /**
   * Once the total queue limit is reached, only callers over their minimum are rejected: those that
   * filled the queue.
   */
  function makeQueueRoom(queue: CredentialQueue, { queued: { size } }: CallerQueue): boolean {
    if (size >= maxQueued || (size >= MIN_CALLER_QUEUE && queued >= TOTAL_QUEUE_FACTOR * maxQueued))
      return false;
    if (queue.isAccepted || unaccepted.queued < maxQueued) return true;
    return size < MIN_CALLER_QUEUE && rejectFromLongestQueue(queue.queued + 1);
  }

  /**
   * The queue of the unaccepted credentials is full: the credential with the most queued requests
   * drops its last one, if it has more than `atLeast`. So their total stays bounded, and a
   * credential with few queued requests keeps its place in the queue.
   */
  function rejectFromLongestQueue(atLeast: number): boolean {
    let longest: CredentialQueue | undefined;
    for (const queue of queues.values()) {
      if (!queue.isAccepted && queue.queued > (longest?.queued ?? atLeast)) longest = queue;
    }
    const last = longest && queuedRequestsOf(longest).at(-1);
    last?.reject(new QueueOverflowError(`${queued} requests are queued`));
    return last !== undefined;
  }

  function hasCapacity(queue: CredentialQueue): boolean {
    const { credential, active } = queue;
    if (coolingDownUntil(credential) !== undefined) return false;
    if (!queue.isAccepted) return active < 1 && unaccepted.active < maxActiveUnaccepted;
    return active < (isProbing(credential) ? 1 : maxPerCredential);
  }

  /** @throws CooldownError if the cooldown ends after the request's deadline */
  function checkCooldown(credential: string, deadlineAt: () => number): void {
    const until = coolingDownUntil(credential);
    if (until !== undefined && deadlineAt() < until)
      throw new CooldownError(until - monotonicNow());
  }

  function queueOf(credential: string): CredentialQueue {
    let queue = queues.get(credential);
    if (!queue) {
      queue = {
        credential,
        isAccepted: isAccepted(credential),
        active: 0,
        queued: 0,
        callers: new Map(),
      };
      queues.set(credential, queue);
    }
    return queue;
  }

  function callerQueueOf(queue: CredentialQueue, name = ''): CallerQueue {
    let caller = queue.callers.get(name);
    if (!caller) {
      const maxActive =
        name === '' ? maxPerCredential : Math.ceil(maxPerCredential * MAX_CALLER_SHARE);
      caller = { name, maxActive, active: 0, queued: new Set() };
      queue.callers.set(name, caller);
    }
    return caller;
  }

  /** Starts every queued request that may start, after the state of this queue has changed. */
  function dispatch(queue: CredentialQueue): void {
    if (queue.isAccepted) ready.add(queue);
    else {
      unaccepted.ready.add(queue);
      ready.add(unaccepted);
    }
    for (const next of ready) {
      if (inFlight >= maxTotal) return;
      ready.delete(next);
      // Re-queue at the end: credentials that have not had a slot yet go first.
      if ('credential' in next ? dispatchNext(next) : dispatchUnaccepted()) ready.add(next);
    }
  }

  function dispatchUnaccepted(): boolean {
    for (const queue of unaccepted.ready) {
      if (unaccepted.active >= maxActiveUnaccepted) return false;
      unaccepted.ready.delete(queue);
      if (!dispatchNext(queue)) continue;
      unaccepted.ready.add(queue);
      return true;
    }
    return false;
  }

  /** Moves the queue between the accepted and the unaccepted credentials. */
  function toggleAccepted(queue: CredentialQueue): void {
    const sign = queue.isAccepted ? 1 : -1;
    queue.isAccepted = !queue.isAccepted;
    unaccepted.active += sign * queue.active;
    unaccepted.queued += sign * queue.queued;
    ready.delete(queue);
    unaccepted.ready.delete(queue);
    if (unaccepted.ready.size > 0) ready.add(unaccepted);
  }

  function countQueued(queue: CredentialQueue, delta: 1 | -1): void {
    queued += delta;
    queue.queued += delta;
    if (!queue.isAccepted) unaccepted.queued += delta;
  }

  function queuedRequestsOf(queue: CredentialQueue): readonly QueuedRequest[] {
    return [...queue.callers.values()].flatMap(({ queued: requests }) => [...requests]);
  }

  function dispatchNext(queue: CredentialQueue): boolean {
    if (!hasCapacity(queue)) return false;
    for (const caller of queue.callers.values()) {
      const [request] = caller.queued;
      if (!request || caller.active >= caller.maxActive) continue;
      request.grant(start(queue, caller));
      return true;
    }
    return false;
  }

  /** @returns the release function */
  function start(queue: CredentialQueue, caller: CallerQueue): () => void {
    // Move the caller behind the other callers of its credential.
    if (queue.callers.size > 1) {
      queue.callers.delete(caller.name);
      queue.callers.set(caller.name, caller);
    }
    inFlight += 1;
    queue.active += 1;
    if (!queue.isAccepted) unaccepted.active += 1;
    caller.active += 1;
    return createRelease(queue, caller);
  }

  function createRelease(queue: CredentialQueue, caller: CallerQueue): () => void {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      inFlight -= 1;
      queue.active -= 1;
      if (!queue.isAccepted) unaccepted.active -= 1;
      caller.active -= 1;
      dispatch(queue);
      removeIdle(queue, caller);
    };
  }

  function removeIdle(queue: CredentialQueue, caller?: CallerQueue): void {
    const isUnused = caller?.active === 0 && caller.queued.size === 0;
    // The name may belong to a newer queue by now, with requests in flight.
    if (isUnused && queue.callers.get(caller.name) === caller) queue.callers.delete(caller.name);
    if (queue.callers.size > 0 || queues.get(queue.credential) !== queue) return;
    queues.delete(queue.credential);
    if (!queue.isAccepted) unaccepted.ready.delete(queue);
  }
}
