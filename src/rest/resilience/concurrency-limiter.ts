/** Who wants to send a request. */
export interface AcquireOptions {
  /** The fingerprint of the credential: what the upstream counts requests by. */
  readonly credential: string;
  /** Which of those who share the credential; undefined where nobody tells them apart. */
  readonly caller: string | undefined;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** The last moment for which it is worth waiting, by the clock of `elapsed`, ms. Asked again whenever it matters: it may be put off. */
  deadlineAt(): number;
}

/** Lets so many requests go at a time, and everyone have his turn. */
export interface ConcurrencyLimiter {
  /** Takes a turn if nobody has to be waited for: what ends it, or undefined. */
  tryAcquire(credential: string, caller: string | undefined): (() => void) | undefined;
  /**
   * Waits for a turn.
   * @returns what ends it: to be called when the request is over
   * @throws CooldownError, QueueOverflowError when none will come in time; the signal's reason when the asker leaves first
   */
  acquire(options: AcquireOptions): Promise<() => void>;
  /** How much may be sent with this credential has changed: see `isAccepted`, `isProbing` and `coolingDownUntil`. */
  reevaluate(credential: string): void;
  /** Every request that waits with this credential is given up for this reason. */
  rejectQueued(credential: string, reason: Error): void;
  readonly state: { readonly queued: number; readonly inFlight: number };
}

/** The upstream asks for patience, for longer than is worth waiting. */
export class CooldownError extends Error {
  override name = 'CooldownError';
  readonly remainingMs: number;

  constructor(remainingMs: number) {
    super(`paused for ${remainingMs} ms more`);
    this.remainingMs = remainingMs;
  }
}

/** Too many wait already. */
export class QueueOverflowError extends Error {
  override name = 'QueueOverflowError';
}

export interface ConcurrencyLimiterOptions {
  /** Requests in flight for one credential. */
  readonly maxPerCredential: number;
  /** Whether the upstream has accepted a credential. One that it has not has one request in flight, and shares a queue with all the others. */
  readonly isAccepted: (credential: string) => boolean;
  /** Whether only one request may be in flight for a credential, to see. */
  readonly isProbing: (credential: string) => boolean;
  /** Until when nothing is sent with a credential, by the clock of `elapsed`, ms; undefined: it may be sent. */
  readonly coolingDownUntil: (credential: string) => number | undefined;
  /** Requests in flight in all. */
  readonly maxTotal: number;
  /** Requests of one caller that wait; ten times as many of all together. */
  readonly maxQueued: number;
  /** A clock for durations, ms; it never goes back. */
  readonly monotonicNow: () => number;
}

/** Of the places of a credential that several callers share, one of them may hold so many: who comes next finds one free. */
const MAX_CALLER_SHARE = 0.75;
const TOTAL_QUEUE_FACTOR = 10;
/** So many may wait for a caller, however many wait for others. */
const MIN_CALLER_QUEUE = 10;
/** Credentials that were never accepted fill no more than this part of all places: an accepted one finds a place however slow the others are. */
const MAX_UNACCEPTED_SHARE = 0.5;

interface QueuedRequest {
  readonly deadlineAt: () => number;
  grant(release: () => void): void;
  reject(reason: unknown): void;
}

/** One of those who share a credential. */
interface CallerQueue {
  readonly name: string;
  readonly maxActive: number;
  active: number;
  readonly queued: Set<QueuedRequest>;
}

/** What goes upstream with one credential. */
interface CredentialQueue {
  readonly credential: string;
  isAccepted: boolean;
  active: number;
  queued: number;
  /** In the order in which they are next. */
  readonly callers: Map<string, CallerQueue>;
}

/** The lanes of all credentials that were never accepted. Keys cost nothing to invent: together they have the turns of one accepted credential. */
interface UnacceptedQueues {
  active: number;
  queued: number;
  /** As `ready` of the accepted ones. */
  readonly ready: Set<CredentialQueue>;
}

/**
 * Bounds how many requests are under way, for each credential and in all. Where more want to go, credentials take turns, and within a
 * credential its callers do: a caller with many requests delays only itself. All credentials that were never accepted count as one. A credential of which nothing is under way is
 * forgotten.
 */
export function createConcurrencyLimiter(options: ConcurrencyLimiterOptions): ConcurrencyLimiter {
  const { maxPerCredential, isAccepted, isProbing, coolingDownUntil, maxTotal, maxQueued, monotonicNow } = options;
  const maxActiveUnaccepted = Math.ceil(maxTotal * MAX_UNACCEPTED_SHARE);
  const queues = new Map<string, CredentialQueue>();
  const unaccepted: UnacceptedQueues = { active: 0, queued: 0, ready: new Set() };
  /** The lanes of which somebody may go, in the order in which they are next. Of some it turns out that nobody may. */
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
        if (!canStartNow(queue, caller) && !makeQueueRoom(queue, caller)) throw new QueueOverflowError(`${queued} are waiting`);
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
    return inFlight < maxTotal && hasCapacity(queue) && caller.queued.size === 0 && caller.active < caller.maxActive;
  }

  /** Where all queues together are too long, those are refused who have made them so. */
  function makeQueueRoom(queue: CredentialQueue, { queued: { size } }: CallerQueue): boolean {
    if (size >= maxQueued || (size >= MIN_CALLER_QUEUE && queued >= TOTAL_QUEUE_FACTOR * maxQueued)) return false;
    if (queue.isAccepted || unaccepted.queued < maxQueued) return true;
    return size < MIN_CALLER_QUEUE && rejectFromLongestQueue(queue.queued + 1);
  }

  /**
   * The queue of the credentials that were never accepted is full: the one with most waiting requests gives up its last one, if it has more than
   * `atLeast`. So their number stays bounded, and a credential with few of them has its place whatever others do.
   */
  function rejectFromLongestQueue(atLeast: number): boolean {
    let longest: CredentialQueue | undefined;
    for (const queue of queues.values()) {
      if (!queue.isAccepted && queue.queued > (longest?.queued ?? atLeast)) longest = queue;
    }
    const last = longest && queuedRequestsOf(longest).at(-1);
    last?.reject(new QueueOverflowError(`${queued} are waiting`));
    return last !== undefined;
  }

  function hasCapacity(queue: CredentialQueue): boolean {
    const { credential, active } = queue;
    if (coolingDownUntil(credential) !== undefined) return false;
    if (!queue.isAccepted) return active < 1 && unaccepted.active < maxActiveUnaccepted;
    return active < (isProbing(credential) ? 1 : maxPerCredential);
  }

  /** @throws CooldownError when a pause outlasts whoever waits */
  function checkCooldown(credential: string, deadlineAt: () => number): void {
    const until = coolingDownUntil(credential);
    if (until !== undefined && deadlineAt() < until) throw new CooldownError(until - monotonicNow());
  }

  function queueOf(credential: string): CredentialQueue {
    let queue = queues.get(credential);
    if (!queue) {
      queue = { credential, isAccepted: isAccepted(credential), active: 0, queued: 0, callers: new Map() };
      queues.set(credential, queue);
    }
    return queue;
  }

  function callerQueueOf(queue: CredentialQueue, name = ''): CallerQueue {
    let caller = queue.callers.get(name);
    if (!caller) {
      const maxActive = name === '' ? maxPerCredential : Math.ceil(maxPerCredential * MAX_CALLER_SHARE);
      caller = { name, maxActive, active: 0, queued: new Set() };
      queue.callers.set(name, caller);
    }
    return caller;
  }

  /** Something has changed for a lane: lets everyone go who may by now. */
  function dispatch(queue: CredentialQueue): void {
    if (queue.isAccepted) ready.add(queue);
    else {
      unaccepted.ready.add(queue);
      ready.add(unaccepted);
    }
    for (const next of ready) {
      if (inFlight >= maxTotal) return;
      ready.delete(next);
      // Behind those who wait for their first.
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

  /** The upstream has accepted the credential for the first time, or does not accept it any more. */
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

  /** @returns what ends it */
  function start(queue: CredentialQueue, caller: CallerQueue): () => void {
    // Behind the others of its lane.
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
    // By now there may be another of the same name, with requests under way.
    if (isUnused && queue.callers.get(caller.name) === caller) queue.callers.delete(caller.name);
    if (queue.callers.size > 0 || queues.get(queue.credential) !== queue) return;
    queues.delete(queue.credential);
    if (!queue.isAccepted) unaccepted.ready.delete(queue);
  }
}
