/** Calls `onTime` after a number of ms; returns a function that cancels the timer. */
export type StartTimer = (ms: number, onTime: () => void) => () => void;

export interface OperationSignal {
  readonly signal: AbortSignal;
  /** Ends the operation: aborts its pending work, and stops all waiting. */
  end(): void;
}

/** One error for all operations: each new error captures a stack. */
const OPERATION_ENDED = new Error('The operation has ended.');

/**
 * Creates a signal that aborts on client disconnect, at the deadline, or at the end of the
 * operation, whichever comes first.
 */
export function createOperationSignal(
  clientSignal: AbortSignal,
  deadlineMs: number,
  startTimer: StartTimer,
): OperationSignal {
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
