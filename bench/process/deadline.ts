import { say } from './report.ts';

/** Ends this process, and so all that it has started, when it takes longer than anybody wants to wait. */
export function giveUpAfter(ms: number): void {
  setTimeout(() => {
    say('It has taken too long: given up.');
    process.exit(1);
  }, ms).unref();
}
