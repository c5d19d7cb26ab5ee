import { withoutExactNumber } from '#rest/transport/exact-number.ts';

/** The common case: RFC 3339, with a day of the month from 1 to 28. */
const COMMON_RFC_3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;
/**
 * Extended and basic ISO 8601, and the output of databases: a blank for the T, a comma, a zone
 * without minutes or no zone at all.
 */
const ISO_8601 =
  /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const NUMBER = /^-?\d{9,}(\.\d+)?$/;

/**
 * A timestamp below this number is in seconds, and any other in milliseconds. Timestamps in seconds
 * reach this number in the year 5138; timestamps in milliseconds passed it in 1973.
 */
const MILLISECONDS_THRESHOLD = 1e11;

/**
 * Parses a timestamp whose type the OpenAPI document leaves open. An RFC 3339 string passes
 * unchanged. Other ISO 8601 strings and numbers become UTC; a string without a zone counts as UTC.
 * Anything else, `{}` for instance, becomes null.
 */
export function toDateTime(raw: unknown): string | null {
  if (typeof raw === 'number')
    return toUtc(Math.abs(raw) < MILLISECONDS_THRESHOLD ? raw * 1000 : raw);
  if (typeof raw !== 'string') {
    const number = withoutExactNumber(raw);
    return typeof number === 'number' ? toDateTime(number) : null;
  }
  if (COMMON_RFC_3339.test(raw)) return raw;
  const text = raw.trim();
  const exact = RFC_3339.exec(raw);
  if (exact) return isDay(exact) ? raw : null;
  if (NUMBER.test(text)) return toDateTime(Number(text));
  const parts = ISO_8601.exec(text);
  if (!parts || !isDay(parts)) return null;
  const [
    ,
    year,
    month,
    day,
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '0',
    zone = 'Z',
  ] = parts;
  return toUtc(
    Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction}${toOffset(zone)}`),
  );
}

function toOffset(zone: string): string {
  if (/^z$/i.test(zone)) return 'Z';
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

/** Whether the day exists: `Date` accepts the 30th of February as the 1st of March. */
function isDay([, year, month, day]: RegExpExecArray): boolean {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}

function toUtc(milliseconds: number): string | null {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return null;
  const year = date.getUTCFullYear();
  // RFC 3339 has four digits for the year.
  return year >= 0 && year <= 9999 ? date.toISOString() : null;
}
