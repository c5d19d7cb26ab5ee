import type { ServerResponse } from 'node:http';

export interface SenderOptions {
  /** A client must take the next slice of its answer, or all of a small one, in this time, ms. */
  readonly readingMs: number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** A client has not taken it. */
  readonly onUnread: (response: ServerResponse) => void;
}

export interface Sender {
  /** Sends a body whose head is written. */
  sendSlices(body: Uint8Array, response: ServerResponse): void;
  /** Watches over an answer that is ended, and that the socket has not sent yet. */
  watch(response: ServerResponse): void;
}

/**
 * What is given to the socket at once, bytes. Between two slices others have their turn: a socket takes some megabytes at once, and copying those
 * takes milliseconds.
 */
const SLICE_BYTES = 65_536;

/** Sends answers no faster than their clients read, and not to clients that do not read. */
export function createSender({ readingMs, startTimer, onUnread }: SenderOptions): Sender {
  return {
    sendSlices(body, response) {
      let sent = 0;
      let stopTimer = () => {};
      response.once('close', () => stopTimer());
      whenFirst(response, sendNext);

      function sendNext(): void {
        if (response.destroyed) return;
        const slice = body.subarray(sent, sent + SLICE_BYTES);
        sent += slice.byteLength;
        stopTimer = startTimer(readingMs, () => onUnread(response));
        if (sent === body.byteLength) response.end(slice);
        else {
          response.write(slice, () => {
            stopTimer();
            setImmediate(sendNext);
          });
        }
      }
    },
    watch(response) {
      whenFirst(response, () =>
        response.once(
          'close',
          startTimer(readingMs, () => onUnread(response)),
        ),
      );
    },
  };
}

/** Of the answers to requests that came on one connection at once, each is sent after the one before. */
function whenFirst(response: ServerResponse, act: () => void): void {
  if (response.socket) act();
  else response.once('socket', act);
}
