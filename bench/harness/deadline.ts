import { logProgress } from './report.ts';

/** Ends this process, and so all that it has started, when it takes longer than anybody wants to wait. */
export function exitAfter(ms: number): void {
  setTimeout(() => {
    logProgress('It has taken too long: given up.');
    process.exit(1);
  }, ms).unref();
}
