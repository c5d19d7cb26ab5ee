/**
 * A script that logs numbered lines to its standard output, and ends.
 *
 * Usage: node log-lines.ts <end> <lines>
 */
import { createLogger } from '#observability/logger.ts';
import { standardOutput } from '#observability/standard-output.ts';
import { startTimer } from '#system-clock.ts';

const PADDING = 'x'.repeat(200);

const ENDS: Readonly<Record<string, () => void>> = {
  return: () => {},
  exit: () => process.exit(3),
  'uncaught exception': () => {
    throw new Error('crash');
  },
  SIGTERM: () => {
    process.once('SIGTERM', () => process.exit(4));
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => {}, 10_000);
  },
};

const [, , end = '', count] = process.argv;
const log = createLogger({ level: 'info', format: 'json' }, standardOutput(startTimer));
for (let number = 0; number < Number(count); number += 1)
  log.info('line', { number, padding: PADDING });
process.stderr.write('logged\n');
ENDS[end]?.();
