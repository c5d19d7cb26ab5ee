import { Cancellation, type CancellationSignal } from '#cancellation.ts';

/** Calls `onTime` after a number of ms; returns a function that cancels the timer. */
export type StartTimer = (ms: number, onTime: () => void) => () => void;

export interface OperationLimits {
  /** Aborts when the client disconnects. Absent: no client waits for the operation itself. */
  readonly clientSignal?: CancellationSignal | undefined;
  /** From now, in ms. */
  readonly deadlineMs: number;
  readonly startTimer: StartTimer;
}

/** One error for all operations: each new error captures a stack. */
const OPERATION_ENDED = new Error('The operation has ended.');

/**
 * A signal that aborts on client disconnect, at the deadline, or at the end of the operation,
 * whichever comes first.
 */
export class OperationSignal extends Cancellation {
  readonly #stopWatching: (() => void) | undefined;

  constructor({ clientSignal, deadlineMs, startTimer }: OperationLimits) {
    super();
    if (clientSignal?.aborted) {
      this.end();
      return;
    }
    const stopTimer = startTimer(deadlineMs, () => this.abort());
    const onClientDisconnect = () => this.end();
    clientSignal?.addEventListener('abort', onClientDisconnect, { once: true });
    this.#stopWatching = () => {
      stopTimer();
      clientSignal?.removeEventListener('abort', onClientDisconnect);
    };
  }

  /** Ends the operation: aborts its pending work, and stops all waiting. */
  end(): void {
    this.#stopWatching?.();
    this.abort(OPERATION_ENDED);
  }
}
