/** A number of seconds or milliseconds in a header. */
const NUMBER = /^\d{1,12}(\.\d+)?$/;
/**
 * An HTTP date starts with its weekday; `Date.parse` alone accepts far more as a date, `-5` for
 * instance.
 */
const HTTP_DATE = /^(mon|tue|wed|thu|fri|sat|sun)/i;

/**
 * Parses the delay that the upstream requests: `retry-after-ms`, otherwise `retry-after` in seconds
 * or as an HTTP date.
 * @param upstreamNow by the upstream's own clock, in ms: its dates must not be compared with any
 *   other clock
 * @returns ms, not below 0; undefined if neither header can be parsed
 */
export function parseRetryAfterMs(
  header: (name: string) => string | undefined,
  upstreamNow: number,
): number | undefined {
  const milliseconds = header('retry-after-ms')?.trim() ?? '';
  if (NUMBER.test(milliseconds)) return Number(milliseconds);
  const text = header('retry-after')?.trim() ?? '';
  if (NUMBER.test(text)) return 1000 * Number(text);
  const date = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - upstreamNow);
}
