import { type DestinationStream, destination } from 'pino';

/**
 * Maximum size of the write buffer, in bytes, if the output is not read: further lines are lost.
 */
const MAX_BUFFERED_BYTES = 16 * 2 ** 20;

/**
 * Lines are written in batches: writing each line separately takes 10 % of the time of a cached
 * response.
 */
const FLUSH_BYTES = 16_000;
const FLUSH_DELAY_MS = 100;

type StartTimer = (ms: number, onTime: () => void) => () => void;

let output: DestinationStream | undefined;

/**
 * Writes lines to the standard output, in the background; buffered lines are written when the
 * process ends. The process has one destination: the lines of two would interleave, and each
 * registers its own exit handler.
 */
export function standardOutput(startTimer: StartTimer): DestinationStream {
  output ??= createOutput(startTimer);
  return output;
}

/**
 * The first line of a batch starts the timer. The `periodicFlush` of pino's destination starts a
 * write in the thread pool ten times a second, even if no line waits.
 */
function createOutput(startTimer: StartTimer): DestinationStream {
  const stream = destination({
    fd: 1,
    sync: false,
    minLength: FLUSH_BYTES,
    maxLength: MAX_BUFFERED_BYTES,
  });
  let isFlushPending = false;
  const flush = () => {
    isFlushPending = false;
    stream.flush();
  };
  return {
    write(line) {
      stream.write(line);
      if (isFlushPending) return;
      isFlushPending = true;
      startTimer(FLUSH_DELAY_MS, flush);
    },
  };
}
