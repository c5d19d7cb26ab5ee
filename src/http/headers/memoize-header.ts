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
  return (header) => {
    if (header.length > MAX_HEADER_LENGTH) return parse(header);
    let entry = parsedByHeader.get(header);
    if (!entry) {
      entry = { meaning: parse(header) };
      parsedByHeader.set(header, entry);
    }
    return entry.meaning;
  };
}
