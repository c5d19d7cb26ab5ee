/** Whether pages of an origin may send requests and read responses. */
export type IsAllowedOrigin = (origin: string) => boolean;

/** What a `*` stands for: characters of one label of a host name. */
const LABEL_CHARACTERS = /^[a-z\d-]+$/;

/**
 * Compares origins as browsers send them, character by character. A `*` stands for characters of
 * one label, so `https://*.example.com` matches neither `https://a.b.example.com` nor
 * `https://a.example.com.evil.test`.
 * @param origins origins and patterns of `CORS_ORIGINS`; the settings have checked them
 */
export function createOriginMatcher(origins: readonly string[]): IsAllowedOrigin {
  const exact = new Set(origins.filter((origin) => !origin.includes('*')));
  const patterns = origins.filter((origin) => origin.includes('*')).map(splitPattern);
  return (origin) =>
    exact.has(origin) ||
    patterns.some(
      ({ start, end }) =>
        origin.startsWith(start) &&
        origin.endsWith(end) &&
        LABEL_CHARACTERS.test(origin.slice(start.length, -end.length)),
    );
}

/** `end` is not empty: the settings require two labels after the `*`, or `localhost`. */
function splitPattern(pattern: string): { readonly start: string; readonly end: string } {
  const [start = '', end = ''] = pattern.split('*');
  return { start, end };
}
