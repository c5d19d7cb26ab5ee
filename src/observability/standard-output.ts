import { type DestinationStream, destination } from 'pino';

/**
 * Maximum size of the write buffer, in bytes, if the output is not read: further lines are lost.
 */
const MAX_BUFFERED_BYTES = 16 * 2 ** 20;

/**
 * Lines are written in batches: writing each line separately takes 10 % of the time of a cached
 * response.
 */
const BATCH_LENGTH = 16_000;
const BATCH_DELAY_MS = 100;

type StartTimer = (ms: number, onTime: () => void) => () => void;

let output: DestinationStream | undefined;

/**
 * Writes lines to the standard output, in the background; waiting lines are written when the process
 * ends. The process has one destination: the lines of two would interleave, and each registers its
 * own exit handler.
 */
export function standardOutput(startTimer: StartTimer): DestinationStream {
  output ??= joinLines(
    destination({ fd: 1, sync: false, maxLength: MAX_BUFFERED_BYTES }),
    startTimer,
  );
  return output;
}

/**
 * Joins the lines of a batch before pino's destination gets them. With its `minLength` the
 * destination would measure all waiting lines again for each new line, and its `periodicFlush` starts
 * a write in the thread pool ten times a second, even if no line waits.
 */
export function joinLines(stream: DestinationStream, startTimer: StartTimer): DestinationStream {
  let batch = '';
  let isTimed = false;
  const writeBatch = () => {
    const lines = batch;
    batch = '';
    if (lines !== '') stream.write(lines);
  };
  const onTime = () => {
    isTimed = false;
    writeBatch();
  };
  // The destination has listeners of its own, which write what it holds, and close it.
  process.prependListener('beforeExit', writeBatch);
  process.prependListener('exit', writeBatch);
  return {
    write(line) {
      batch += line;
      if (batch.length >= BATCH_LENGTH) writeBatch();
      if (isTimed) return;
      isTimed = true;
      startTimer(BATCH_DELAY_MS, onTime);
    },
  };
}
