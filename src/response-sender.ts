import type { ServerResponse } from 'node:http';

export interface ResponseSenderOptions {
  /** A client must take the next slice of its answer, or all of a small one, in this time, ms. */
  readonly sendTimeoutMs: number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** A client has not taken it. */
  readonly onSendTimeout: (response: ServerResponse) => void;
}

export interface ResponseSender {
  /** Sends a body whose head is written. */
  sendInSlices(body: Uint8Array, response: ServerResponse): void;
  /** Watches over an answer that is ended, and that the socket has not sent yet. */
  startSendTimeout(response: ServerResponse): void;
}

/**
 * What is given to the socket at once, bytes. Between two slices others have their turn: a socket takes some megabytes at once, and copying those
 * takes milliseconds.
 */
const SLICE_BYTES = 65_536;

/** Sends answers no faster than their clients read, and not to clients that do not read. */
export function createResponseSender({ sendTimeoutMs, startTimer, onSendTimeout }: ResponseSenderOptions): ResponseSender {
  return {
    sendInSlices(body, response) {
      let sentBytes = 0;
      let stopTimer = () => {};
      response.once('close', () => stopTimer());
      afterSocketAssigned(response, sendNext);

      function sendNext(): void {
        if (response.destroyed) return;
        const slice = body.subarray(sentBytes, sentBytes + SLICE_BYTES);
        sentBytes += slice.byteLength;
        stopTimer = startTimer(sendTimeoutMs, () => onSendTimeout(response));
        if (sentBytes === body.byteLength) response.end(slice);
        else {
          response.write(slice, () => {
            stopTimer();
            setImmediate(sendNext);
          });
        }
      }
    },
    startSendTimeout(response) {
      afterSocketAssigned(response, () =>
        response.once(
          'close',
          startTimer(sendTimeoutMs, () => onSendTimeout(response)),
        ),
      );
    },
  };
}

/** Of the answers to requests that came on one connection at once, each is sent after the one before. */
function afterSocketAssigned(response: ServerResponse, callback: () => void): void {
  if (response.socket) callback();
  else response.once('socket', callback);
}
