/** A question in the air, and those who wait for its answer. */
export interface InFlightRequest<T> {
  /**
   * Waits for the answer with the others. Who leaves rejects with its signal's reason; when the last one has left, the question is
   * called back.
   */
  join(signal: AbortSignal): Promise<T>;
  /** When the answer has come, or failed. Never rejects. */
  readonly settled: Promise<void>;
  readonly state: InFlightState;
}

/** How a question is on its way. Whoever sends it keeps this up. */
export interface InFlightState {
  /** When it was last sent, by our clock, ms; undefined while it waits for that. */
  sentAt: number | undefined;
  /** The number of the newest reading that had come in by then: its own will be greater. */
  latestSequenceAtSend: number;
  /** How often it was sent. */
  attempts: number;
  /** It waits for its turn, and for whose: where many wait, each of those who share a credential has turns of his own. */
  queuedFor: { readonly caller: string | undefined } | undefined;
  /** The operation that sends it waits for other operations to end: none of them joins it, or both would wait for each other. */
  isWaitingForBudget: boolean;
  /** When the last of those who wait has to have his answer, by the clock for durations, ms. */
  deadlineAt: number;
}

/**
 * Asks the question.
 * @param rejectOthers rejects the waits of all operations but the first that joined, with `JoinRejectedError`
 */
type LoadInFlight<T> = (signal: AbortSignal, rejectOthers: () => void) => Promise<T>;

/** The request waits for the byte budget of the operation that sent it: any other operation must send its own. */
export class JoinRejectedError extends Error {
  override name = 'JoinRejectedError';
}

export interface SingleFlight {
  /** The flight for this question, if one is in the air. */
  get<T>(key: string): InFlightRequest<T> | undefined;
  /** Puts the question, which is to be sent. From now on it is found by its key; one that was found there until now goes on, but nobody joins it any more. */
  start<T>(key: string, state: InFlightState, load: LoadInFlight<T>): InFlightRequest<T>;
  readonly size: number;
}

/**
 * Emptied when the flight is over. A Map that comes and goes makes itself a new table every few entries, and each of its old tables holds the next
 * one: once one of them is in the old generation, so is all that stood in the others when they were left, with what it brought home, until
 * everything is collected.
 */
interface InFlightSlot {
  request?: InFlightRequest<unknown> | undefined;
}

/** Lets concurrent askers of one question share one answer (single flight). Keys have to tell credentials apart. */
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

function createInFlightRequest<T>(state: InFlightState, load: LoadInFlight<T>, onSettled: () => void): InFlightRequest<T> {
  const controller = new AbortController();
  let waiterCount = 0;
  let isSettled = false;
  let isJoined = false;
  /** What rejects the waits of those who joined after the first: most flights have none. */
  let otherWaiters: Set<() => void> | undefined;
  const response = load(controller.signal, () => {
    for (const rejectWaiter of [...(otherWaiters ?? [])]) rejectWaiter();
  });
  const settle = () => {
    isSettled = true;
    onSettled();
  };
  const settled = response.then(settle, settle);

  const removeWaiter = () => {
    waiterCount -= 1;
    if (waiterCount > 0 || isSettled) return;
    // Nobody joins what has been called back.
    settle();
    controller.abort();
  };
  return {
    state,
    settled,
    join(signal) {
      waiterCount += 1;
      const isFirst = !isJoined;
      isJoined = true;
      return new Promise<T>((resolve, reject) => {
        const onAbort = () => {
          otherWaiters?.delete(rejectWaiter);
          reject(signal.reason);
          removeWaiter();
        };
        const stopListening = () => {
          otherWaiters?.delete(rejectWaiter);
          signal.removeEventListener('abort', onAbort);
        };
        const rejectWaiter = () => {
          stopListening();
          reject(new JoinRejectedError());
          removeWaiter();
        };
        if (signal.aborted) return onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        if (!isFirst) {
          otherWaiters ??= new Set();
          otherWaiters.add(rejectWaiter);
        }
        response.then(
          (value) => {
            stopListening();
            resolve(value);
          },
          (error) => {
            stopListening();
            reject(error);
          },
        );
      });
    },
  };
}
