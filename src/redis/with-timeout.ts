/**
 * Settles like the promise if it settles within a time; otherwise resolves to undefined. A later
 * outcome, also a rejection, is ignored.
 *
 * A reply that has arrived while this process was busy counts as in time: after the timeout, the
 * event loop reads the sockets once more.
 */
export function withTimeout<T>(
  promise: Promise<T>,
  ms: number,
  startTimer: (ms: number, onTime: () => void) => () => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = startTimer(ms, () => setImmediate(resolve, undefined));
    promise.then(resolve, reject).finally(cancel);
  });
}
