/**
 * Loaded before the process under test. After the signal SIGUSR2 it counts the iterations of the
 * event loop during a second, and prints them in a line.
 */
import { performance } from 'node:perf_hooks';

const COUNTED_MS = 1_000;

process.on('SIGUSR2', () => {
  const before = performance.nodeTiming.uvMetricsInfo.loopCount;
  setTimeout(() => {
    const iterations = performance.nodeTiming.uvMetricsInfo.loopCount - before;
    process.stdout.write(`Iterations of the event loop: ${iterations}\n`);
  }, COUNTED_MS);
});
