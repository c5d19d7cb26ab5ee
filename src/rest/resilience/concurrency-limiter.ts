import type { AcquireOptions } from './acquire-options.ts';
import {
  type CallerQueue,
  type CredentialQueue,
  callerQueueOf,
  createCredentialQueue,
  hasCallerCapacity,
  moveToEnd,
  nextCallerOf,
  type QueuedRequest,
  queuedRequestsOf,
  removeIdleCaller,
} from './credential-queue.ts';
import { CooldownError } from './rate-limit-cooldown.ts';
import { findLongestUnaccepted, UnacceptedQueues } from './unaccepted-queues.ts';

/**
 * Concurrency limiter: limits concurrent upstream requests, per credential and in total, with fair
 * queueing between credentials and between the callers of a credential. A slot is the right to have
 * one request in flight.
 */
export interface ConcurrencyLimiter {
  /** Acquires a slot, and returns its release function. Undefined: the request must queue. */
  tryAcquire(credential: string, caller: string | undefined): (() => void) | undefined;
  /**
   * Acquires a slot, queueing if necessary.
   * @returns the release function, to be called when the request is over
   * @throws CooldownError, QueueOverflowError if no slot can be granted in time; the signal's
   *   reason if it aborts first
   */
  acquire(options: AcquireOptions): Promise<() => void>;
  /**
   * Re-evaluates the credential after a change of `isAccepted`, `maxActiveOf` or
   * `coolingDownUntil`.
   */
  reevaluate(credential: string): void;
  /** Rejects every queued request of the credential with this reason. */
  rejectQueued(credential: string, reason: Error): void;
  /** The number of requests of the credential in flight and queued. */
  demandOf(credential: string): number;
  readonly state: { readonly queued: number; readonly inFlight: number };
}

/** The queue is full. */
export class QueueOverflowError extends Error {
  override name = 'QueueOverflowError';
}

export interface ConcurrencyLimiterOptions {
  /**
   * Maximum requests in flight for a credential now. Called only if there is a request to start:
   * after a cooldown, the call may claim the probe, and returns 0 until the claim is decided.
   */
  readonly maxActiveOf: (credential: string) => number;
  /** The requests of an accepted credential in flight and queued, whenever their number grows. */
  readonly onDemand: (credential: string, demand: number) => void;
  /**
   * Whether the upstream has accepted a credential. An unaccepted credential has at most one
   * request in flight, and shares a queue with all other unaccepted credentials.
   */
  readonly isAccepted: (credential: string) => boolean;
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

const TOTAL_QUEUE_FACTOR = 10;
/** A caller of an accepted credential may queue this many requests even if the queue is full. */
const MIN_CALLER_QUEUE = 10;

/**
 * Bounds the requests in flight, per credential and in total. Under contention, slots go
 * round-robin to credentials, and within a credential to its callers: a caller with many requests
 * delays only its own. All unaccepted credentials count as one credential. The limiter drops a
 * credential that has no request in flight or queued.
 */
export function createConcurrencyLimiter(options: ConcurrencyLimiterOptions): ConcurrencyLimiter {
  const { maxActiveOf, onDemand, isAccepted, coolingDownUntil } = options;
  const { maxTotal, maxQueued, monotonicNow } = options;
  const queues = new Map<string, CredentialQueue>();
  const unaccepted = new UnacceptedQueues(maxTotal);
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
      if (canStartNow(queue, caller)) {
        reportDemand(queue, 1);
        return start(queue, caller);
      }
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
    demandOf(credential) {
      const queue = queues.get(credential);
      return queue ? queue.active + queue.queued : 0;
    },
    get state() {
      return { queued, inFlight };
    },
  };

  function canStartNow(queue: CredentialQueue, caller: CallerQueue): boolean {
    return (
      inFlight < maxTotal &&
      caller.queued.size === 0 &&
      hasCallerCapacity(caller, capacityOf(queue))
    );
  }

  /**
   * Returns whether the request may queue. A full queue rejects callers with `MIN_CALLER_QUEUE`
   * requests. A full queue of unaccepted credentials may reject a queued request instead.
   */
  function makeQueueRoom(queue: CredentialQueue, { queued: { size } }: CallerQueue): boolean {
    if (size >= maxQueued || (size >= MIN_CALLER_QUEUE && queued >= TOTAL_QUEUE_FACTOR * maxQueued))
      return false;
    if (queue.isAccepted || unaccepted.queued < maxQueued) return true;
    return size < MIN_CALLER_QUEUE && rejectFromLongestQueue(queue.queued + 1);
  }

  /**
   * The queue of the unaccepted credentials is full: the credential with the most queued requests
   * drops its last one, if it has more than `moreThan`. So their total stays bounded, and a
   * credential with few queued requests keeps its place in the queue.
   */
  function rejectFromLongestQueue(moreThan: number): boolean {
    const longest = findLongestUnaccepted(queues.values(), moreThan);
    const last = longest && queuedRequestsOf(longest).at(-1);
    last?.reject(new QueueOverflowError(`${queued} requests are queued`));
    return last !== undefined;
  }

  /**
   * Maximum requests in flight for the credential now; 0 if no further request may start. Must be
   * called only if there is a request to start: see `maxActiveOf`.
   */
  function capacityOf({ credential, active, isAccepted }: CredentialQueue): number {
    if (coolingDownUntil(credential) !== undefined) return 0;
    if (!isAccepted && (active > 0 || !unaccepted.hasCapacity)) return 0;
    const maxActive = maxActiveOf(credential);
    return active < maxActive ? maxActive : 0;
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
      queue = createCredentialQueue(credential, isAccepted(credential));
      queues.set(credential, queue);
    }
    return queue;
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
      const hasStarted =
        'credential' in next ? dispatchNext(next) : next.dispatchNext(dispatchNext);
      if (hasStarted) ready.add(next);
    }
  }

  function toggleAccepted(queue: CredentialQueue): void {
    unaccepted.toggleAccepted(queue);
    ready.delete(queue);
    if (unaccepted.ready.size > 0) ready.add(unaccepted);
  }

  function countQueued(queue: CredentialQueue, delta: 1 | -1): void {
    queued += delta;
    queue.queued += delta;
    if (!queue.isAccepted) unaccepted.queued += delta;
    if (delta > 0) reportDemand(queue, 0);
  }

  function reportDemand({ credential, isAccepted, active, queued }: CredentialQueue, more: number) {
    if (isAccepted) onDemand(credential, active + queued + more);
  }

  function dispatchNext(queue: CredentialQueue): boolean {
    const caller = queue.queued > 0 ? nextCallerOf(queue, capacityOf(queue)) : undefined;
    if (!caller) return false;
    const [request] = caller.queued;
    request?.grant(start(queue, caller));
    return true;
  }

  /** @returns the release function */
  function start(queue: CredentialQueue, caller: CallerQueue): () => void {
    moveToEnd(queue, caller);
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

  function removeIdle(queue: CredentialQueue, caller: CallerQueue): void {
    if (!removeIdleCaller(queue, caller) || queues.get(queue.credential) !== queue) return;
    queues.delete(queue.credential);
    if (!queue.isAccepted) unaccepted.ready.delete(queue);
  }
}
