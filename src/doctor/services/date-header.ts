/**
 * Compares the `Date` header of a response with the clock of this machine. `Date` has a resolution
 * of one second, and the response may come from a cache that adds `Age`.
 * @param now when the response arrived, in ms
 * @returns how far the clock of the server is ahead, in ms; undefined without a usable header
 */
export function toClockDifference(
  header: (name: string) => string | undefined,
  now: number,
): number | undefined {
  const date = Date.parse(header('date') ?? '');
  const ageS = Number(header('age') ?? 0);
  if (Number.isNaN(date) || !(ageS >= 0)) return undefined;
  return date + ageS * 1000 - now;
}
