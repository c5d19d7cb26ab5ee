import type { Finding } from '#doctor/finding.ts';
import type { ProbedPage } from '#doctor/upstream/items.ts';
import { toDateTime } from '#rest/date-time.ts';

/** Determines the order of the first page by the time at which each attempt started. */
export function checkListOrder({ objects }: ProbedPage): Finding {
  const times = objects.flatMap(({ started_at }) => {
    const text = toDateTime(started_at);
    return text === null ? [] : [Date.parse(text)];
  });
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const hasOlder = steps.some((ms) => ms < 0);
  const hasNewer = steps.some((ms) => ms > 0);
  return {
    check: 'list-order',
    ...toResult(hasOlder, hasNewer),
    details: { comparedItems: times.length },
  };
}

function toResult(hasOlder: boolean, hasNewer: boolean): Omit<Finding, 'check'> {
  if (hasOlder && hasNewer)
    return { verdict: 'note', message: 'The list of call attempts is not sorted by start time.' };
  if (hasOlder) return { verdict: 'ok', message: 'The list of call attempts is newest first.' };
  return hasNewer
    ? {
        verdict: 'note',
        message:
          'The list of call attempts is oldest first: `last` returns the new ones, not `first`.',
      }
    : { verdict: 'unknown', message: 'The list of call attempts is too short to show its order.' };
}
