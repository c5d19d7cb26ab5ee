import { logProgress } from './report.ts';

/** Ends this process, and thereby all its child processes, after this time. */
export function exitAfter(ms: number): void {
  setTimeout(() => {
    logProgress(`Aborted: the run has taken more than ${ms} ms.`);
    process.exit(1);
  }, ms).unref();
}
