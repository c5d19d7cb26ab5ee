/**
 * What a promise comes to, if it does within a time; else undefined. What it comes to later is nobody's business, a rejection
 * neither.
 *
 * What has arrived while this process was busy counts as arrived: when the time is over, the sockets are looked at once more.
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
