/** Starts a timer, ms; returns what calls it off. */
export type StartTimer = (ms: number, onTime: () => void) => () => void;

export interface OperationSignal {
  readonly signal: AbortSignal;
  /** The operation is over: what is still under way for it is given up, and nothing waits on. */
  end(): void;
}

/** One reason for all: else each operation would make an exception when it is over, with the stack that led there. */
const OVER = new Error('The operation is over.');

/** A signal that ends with the client, with the deadline, or with the operation itself, whichever comes first. */
export function createOperationSignal(client: AbortSignal, deadlineMs: number, startTimer: StartTimer): OperationSignal {
  const controller = new AbortController();
  const stopTimer = startTimer(deadlineMs, () => controller.abort());
  const onClientGone = () => end();
  client.addEventListener('abort', onClientGone, { once: true });
  if (client.aborted) end();
  return { signal: controller.signal, end };

  function end(): void {
    stopTimer();
    client.removeEventListener('abort', onClientGone);
    controller.abort(OVER);
  }
}
