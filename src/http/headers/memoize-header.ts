import { LRUCache } from 'lru-cache';

/** Clients send some twenty different values, but a header can have any value. */
const MAX_CACHED_HEADERS = 100;
const MAX_HEADER_LENGTH = 200;

/**
 * Memoizes the parser of a header that has few different values. A long value is parsed each time.
 * The cache contains what values mean, and nothing about the clients that sent them.
 */
export function memoizeHeader<Meaning>(
  parse: (header: string) => Meaning,
): (header: string) => Meaning {
  const parsedByHeader = new LRUCache<string, { readonly meaning: Meaning }>({
    max: MAX_CACHED_HEADERS,
  });
  /** Of the last request: most clients of a gateway send the same headers. */
  let last: { readonly header: string; readonly meaning: Meaning } | undefined;
  return (header) => {
    if (header === last?.header) return last.meaning;
    if (header.length > MAX_HEADER_LENGTH) return parse(header);
    let entry = parsedByHeader.get(header);
    if (!entry) {
      entry = { meaning: parse(header) };
      parsedByHeader.set(header, entry);
    }
    last = { header, meaning: entry.meaning };
    return entry.meaning;
  };
}
