/** A question in the air, and those who wait for its answer. */
export interface Flight<T> {
  /**
   * Waits for the answer with the others. Who leaves rejects with its signal's reason; when the last one has left, the question is
   * called back.
   */
  join(signal: AbortSignal): Promise<T>;
  /** When the answer has come, or failed. Never rejects. */
  readonly settled: Promise<void>;
  readonly departure: Departure;
}

/** How a question is on its way. Whoever sends it keeps this up. */
export interface Departure {
  /** When it was last sent, by our clock, ms; undefined while it waits for that. */
  sentAt: number | undefined;
  /** The number of the newest reading that had come in by then: its own will be greater. */
  after: number;
  /** How often it was sent. */
  sends: number;
  /** It waits for its turn, and for whose: where many wait, each of those who share a credential has turns of his own. */
  queuedFor: { readonly caller: string | undefined } | undefined;
  /** The operation that sends it waits for other operations to end: none of them joins it, or both would wait for each other. */
  isHeld: boolean;
  /** When the last of those who wait has to have his answer, by the clock for durations, ms. */
  deadlineAt: number;
}

/**
 * Asks the question.
 * @param dismissOthers rejects the waits of all operations but the first that joined, with `FlightHeldError`
 */
type AskInFlight<T> = (signal: AbortSignal, dismissOthers: () => void) => Promise<T>;

/** The request waits for the byte budget of the operation that sent it: any other operation must send its own. */
export class FlightHeldError extends Error {
  override name = 'FlightHeldError';
}

export interface Flights {
  /** The flight for this question, if one is in the air. */
  find<T>(key: string): Flight<T> | undefined;
  /** Puts the question, which is to be sent. From now on it is found by its key; one that was found there until now goes on, but nobody joins it any more. */
  start<T>(key: string, departure: Departure, ask: AskInFlight<T>): Flight<T>;
  readonly size: number;
}

/**
 * Emptied when the flight is over. A Map that comes and goes makes itself a new table every few entries, and each of its old tables holds the next
 * one: once one of them is in the old generation, so is all that stood in the others when they were left, with what it brought home, until
 * everything is collected.
 */
interface Place {
  flight?: Flight<unknown> | undefined;
}

/** Lets concurrent askers of one question share one answer (single flight). Keys have to tell credentials apart. */
export function createFlights(): Flights {
  const inTheAir = new Map<string, Place>();

  return {
    find: <T>(key: string) => inTheAir.get(key)?.flight as Flight<T> | undefined,
    start<T>(key: string, departure: Departure, ask: AskInFlight<T>) {
      const place: Place = {};
      const flight = createFlight(departure, ask, () => {
        place.flight = undefined;
        if (inTheAir.get(key) === place) inTheAir.delete(key);
      });
      place.flight = flight;
      inTheAir.set(key, place);
      return flight;
    },
    get size() {
      return inTheAir.size;
    },
  };
}

function createFlight<T>(departure: Departure, ask: AskInFlight<T>, onOver: () => void): Flight<T> {
  const controller = new AbortController();
  let waiting = 0;
  let isOver = false;
  let isJoined = false;
  /** What rejects the waits of those who joined after the first: most flights have none. */
  let others: Set<() => void> | undefined;
  const answer = ask(controller.signal, () => {
    for (const dismiss of [...(others ?? [])]) dismiss();
  });
  const end = () => {
    isOver = true;
    onOver();
  };
  const settled = answer.then(end, end);

  const leave = () => {
    waiting -= 1;
    if (waiting > 0 || isOver) return;
    // Nobody joins what has been called back.
    end();
    controller.abort();
  };
  return {
    departure,
    settled,
    join(signal) {
      waiting += 1;
      const isFirst = !isJoined;
      isJoined = true;
      return new Promise<T>((resolve, reject) => {
        const onAbort = () => {
          others?.delete(dismiss);
          reject(signal.reason);
          leave();
        };
        const stopListening = () => {
          others?.delete(dismiss);
          signal.removeEventListener('abort', onAbort);
        };
        const dismiss = () => {
          stopListening();
          reject(new FlightHeldError());
          leave();
        };
        if (signal.aborted) return onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        if (!isFirst) {
          others ??= new Set();
          others.add(dismiss);
        }
        answer.then(
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
