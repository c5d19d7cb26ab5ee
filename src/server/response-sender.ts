import type { ServerResponse } from 'node:http';

export interface ResponseSenderOptions {
  /**
   * A client must take the next slice of its response, or all of a small one, within this time, in
   * ms.
   */
  readonly sendTimeoutMs: number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Called when a client has not taken its response in time. */
  readonly onSendTimeout: (response: ServerResponse) => void;
}

export interface ResponseSender {
  /** Sends a body. The calling function must have written the head of the response. */
  sendInSlices(body: Uint8Array, response: ServerResponse): void;
  /** Limits the time of a response that is ended, and that the socket has not sent yet. */
  startSendTimeout(response: ServerResponse): void;
}

/**
 * Bytes that are given to the socket at once. Other requests are served between two slices: a
 * socket takes some megabytes at once, and copying those takes milliseconds.
 */
const SLICE_BYTES = 65_536;

/** Sends responses no faster than their clients read, and gives up on clients that do not read. */
export function createResponseSender({
  sendTimeoutMs,
  startTimer,
  onSendTimeout,
}: ResponseSenderOptions): ResponseSender {
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

/** Responses to pipelined requests get the socket one after the other. */
function afterSocketAssigned(response: ServerResponse, callback: () => void): void {
  if (response.socket) callback();
  else response.once('socket', callback);
}
