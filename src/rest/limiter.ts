/** Waits for a free place and gives the function that frees it again. Rejects with the signal's reason when the caller leaves first. */
export type Limiter = (key: string, signal: AbortSignal) => Promise<() => void>;

interface Lane {
  active: number;
  readonly waiting: Set<() => void>;
}

/**
 * Bounds how many hold a place at a time, for each key by itself, first come first served. A key nobody uses is forgotten.
 * @param limit places per key
 */
export function createLimiter(limit: number): Limiter {
  const lanes = new Map<string, Lane>();

  return async (key, signal) => {
    signal.throwIfAborted();
    let lane = lanes.get(key);
    if (!lane) {
      lane = { active: 0, waiting: new Set() };
      lanes.set(key, lane);
    }
    if (lane.active < limit) lane.active += 1;
    else await turn(lane, signal);
    return createRelease(key, lane);
  };

  /** A place is handed from the one who leaves to the one who waits, so nobody can slip in between. */
  function turn({ waiting }: Lane, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        waiting.delete(onTurn);
        reject(signal.reason);
      };
      waiting.add(onTurn);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  function createRelease(key: string, lane: Lane): () => void {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      const [next] = lane.waiting;
      if (next) {
        lane.waiting.delete(next);
        next();
        return;
      }
      lane.active -= 1;
      if (lane.active === 0) lanes.delete(key);
    };
  }
}
