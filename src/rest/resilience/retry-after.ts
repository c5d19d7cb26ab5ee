/** What a number of seconds or milliseconds looks like in a header. */
const NUMBER = /^\d{1,12}(\.\d+)?$/;
/** An HTTP date begins with its weekday; `Date.parse` alone takes far more for a date, `-5` for instance. */
const HTTP_DATE = /^(mon|tue|wed|thu|fri|sat|sun)/i;

/**
 * Reads how long the upstream asks to wait: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date.
 * @param upstreamNow by the upstream's own clock, ms: its dates are compared with no other
 * @returns ms, not below 0; undefined when nothing can be read
 */
export function parseRetryAfterMs(header: (name: string) => string | undefined, upstreamNow: number): number | undefined {
  const milliseconds = header('retry-after-ms')?.trim() ?? '';
  if (NUMBER.test(milliseconds)) return Number(milliseconds);
  const text = header('retry-after')?.trim() ?? '';
  if (NUMBER.test(text)) return 1000 * Number(text);
  const date = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - upstreamNow);
}
