import { Cancellation, type CancellationSignal } from '#cancellation.ts';

/**
 * A request that is not settled, and the operations that wait for its response. The request is
 * queued or sent, or the gateway reads its response from the second tier.
 */
export interface InFlightRequest<T> {
  /**
   * Waits for the shared response. Rejects with the signal's reason if the signal aborts; when no
   * operation waits any more, the request is aborted.
   */
  join(signal: CancellationSignal): Promise<T>;
  /** Resolves when the request has a response or has failed. Never rejects. */
  readonly settled: Promise<void>;
  readonly state: InFlightState;
}

/** The progress of an in-flight request. The code that sends the request updates it. */
export interface InFlightState {
  /**
   * When the request was last sent, by the gateway's clock, in ms; undefined while it is queued.
   */
  sentAt: number | undefined;
  /** The sequence of the newest response at that time: this request's own will be greater. */
  latestSequenceAtSend: number;
  /** Number of attempts. */
  attempts: number;
  /**
   * The caller in whose queue the request waits: under contention, each caller of a credential has
   * its own queue.
   */
  queuedFor: { readonly caller: string | undefined } | undefined;
  /**
   * Whether the sending operation waits for bytes that other operations hold. No other operation
   * may join then, or both would wait for each other.
   */
  isWaitingForBudget: boolean;
  /**
   * Whether the request may not be needed, because another instance requests the response. An
   * operation that needs a newer response must not join meanwhile.
   */
  awaitsOtherInstance?: boolean;
  /**
   * Whether the object may have changed since the request was sent: no operation may join it any
   * more.
   */
  isOutdated?: boolean;
  /** The latest deadline of all waiting operations, by the monotonic clock, in ms. */
  deadlineAt: number;
}

/**
 * Sends the request.
 * @param rejectOthers rejects the waits of all operations but the first that joined, with
 *   `JoinRejectedError`
 */
type LoadInFlight<T> = (signal: CancellationSignal, rejectOthers: () => void) => Promise<T>;

/**
 * The request waits for the byte budget of the operation that sent it: every other operation must
 * send its own request.
 */
export class JoinRejectedError extends Error {
  override name = 'JoinRejectedError';
}

export interface SingleFlight {
  /** The in-flight request with this key, if there is one. */
  get<T>(key: string): InFlightRequest<T> | undefined;
  /**
   * Starts a request and registers it under its key. It replaces an earlier in-flight request with
   * the same key: that one continues, but no operation joins it any more.
   */
  start<T>(key: string, state: InFlightState, load: LoadInFlight<T>): InFlightRequest<T>;
  readonly size: number;
}

/**
 * Holds a request until it settles, and is empty afterwards. A frequently changing `Map` allocates
 * a new table every few entries, and each old table references the next one. An old table in V8's
 * old generation therefore retains all entries of the later tables until a full garbage collection.
 * An empty entry retains no response.
 */
interface InFlightSlot {
  request?: InFlightRequest<unknown> | undefined;
}

/**
 * Single-flight: identical concurrent requests share one response. Keys must contain the
 * credential's fingerprint.
 */
export function createSingleFlight(): SingleFlight {
  const inFlight = new Map<string, InFlightSlot>();

  return {
    get: <T>(key: string) => inFlight.get(key)?.request as InFlightRequest<T> | undefined,
    start<T>(key: string, state: InFlightState, load: LoadInFlight<T>) {
      const slot: InFlightSlot = {};
      const request = createInFlightRequest(state, load, () => {
        slot.request = undefined;
        if (inFlight.get(key) === slot) inFlight.delete(key);
      });
      slot.request = request;
      inFlight.set(key, slot);
      return request;
    },
    get size() {
      return inFlight.size;
    },
  };
}

/** An operation that waits for the response. */
interface Waiter<T> {
  readonly signal: CancellationSignal;
  /** Whether the operation was the first to join. */
  readonly isFirst: boolean;
  readonly onAbort: () => void;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

function createInFlightRequest<T>(
  state: InFlightState,
  load: LoadInFlight<T>,
  onSettled: () => void,
): InFlightRequest<T> {
  const controller = new Cancellation();
  const waiters = new Set<Waiter<T>>();
  let isSettled = false;
  let isJoined = false;
  const response = load(controller, () => {
    for (const waiter of [...waiters]) if (!waiter.isFirst) leave(waiter, new JoinRejectedError());
  });
  const settle = () => {
    isSettled = true;
    onSettled();
    for (const { signal, onAbort } of waiters) signal.removeEventListener('abort', onAbort);
  };
  // One reaction to the response for all waiting operations: each further promise takes time.
  const settled = response.then(
    (value) => {
      settle();
      for (const { resolve } of waiters) resolve(value);
    },
    (error) => {
      settle();
      for (const { reject } of waiters) reject(error);
    },
  );

  function leave(waiter: Waiter<T>, reason: unknown): void {
    waiter.signal.removeEventListener('abort', waiter.onAbort);
    waiters.delete(waiter);
    waiter.reject(reason);
    abortIfUnused();
  }

  function abortIfUnused(): void {
    if (waiters.size > 0 || isSettled) return;
    // No operation may join an aborted request.
    settle();
    controller.abort();
  }

  return {
    state,
    settled,
    join(signal) {
      const isFirst = !isJoined;
      isJoined = true;
      if (signal.aborted) {
        abortIfUnused();
        return Promise.reject(signal.reason);
      }
      if (isSettled) return response;
      return new Promise<T>((resolve, reject) => {
        const waiter: Waiter<T> = {
          signal,
          isFirst,
          onAbort: () => leave(waiter, signal.reason),
          resolve,
          reject,
        };
        waiters.add(waiter);
        signal.addEventListener('abort', waiter.onAbort, { once: true });
      });
    },
  };
}
