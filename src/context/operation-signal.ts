/** Starts a timer, ms; returns what calls it off. */
export type StartTimer = (ms: number, onTime: () => void) => () => void;

export interface OperationSignal {
  readonly signal: AbortSignal;
  /** The operation is over: what is still under way for it is given up, and nothing waits on. */
  end(): void;
}

/** One reason for all: else each operation would make an exception when it is over, with the stack that led there. */
const OPERATION_ENDED = new Error('The operation has ended.');

/** A signal that ends with the client, with the deadline, or with the operation itself, whichever comes first. */
export function createOperationSignal(clientSignal: AbortSignal, deadlineMs: number, startTimer: StartTimer): OperationSignal {
  const controller = new AbortController();
  const stopTimer = startTimer(deadlineMs, () => controller.abort());
  const onClientDisconnect = () => end();
  clientSignal.addEventListener('abort', onClientDisconnect, { once: true });
  if (clientSignal.aborted) end();
  return { signal: controller.signal, end };

  function end(): void {
    stopTimer();
    clientSignal.removeEventListener('abort', onClientDisconnect);
    controller.abort(OPERATION_ENDED);
  }
}
