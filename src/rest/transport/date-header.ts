/**
 * Compares the `Date` header of a response with the clock of this machine. The response may come
 * from a cache that adds `Age`. `Date` has whole seconds, so a `Date` that is less than a second
 * behind counts as no difference.
 * @param at when the server sent the response, by the clock of this machine, in ms
 * @returns how far the clock of the server is ahead, in ms; undefined without a usable header
 */
export function toClockDifference(
  header: (name: string) => string | undefined,
  at: number,
): number | undefined {
  const date = Date.parse(header('date') ?? '');
  const ageS = Number(header('age') ?? 0);
  if (Number.isNaN(date) || !(ageS >= 0)) return undefined;
  const differenceMs = date + ageS * 1000 - at;
  return differenceMs <= 0 && differenceMs > -1000 ? 0 : differenceMs;
}
