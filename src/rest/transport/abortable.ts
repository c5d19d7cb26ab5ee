import type { CancellationSignal } from '#cancellation.ts';

/**
 * Settles like the promise, or rejects with the signal's reason as soon as it aborts; then the
 * outcome of the promise is ignored.
 */
export function abortable<T>(signal: CancellationSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
