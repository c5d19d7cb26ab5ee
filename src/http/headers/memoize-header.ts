import { LRUCache } from 'lru-cache';

/** There are some twenty in the world, and a header can be anything. */
const MAX_CACHED_HEADERS = 100;
const MAX_HEADER_LENGTH = 200;

/**
 * Reads a header that clients send in a few ways, each of those once; a long one each time. What is kept is what headers mean, and nothing of who has
 * sent them.
 */
export function memoizeHeader<Meaning>(parse: (header: string) => Meaning): (header: string) => Meaning {
  const parsedByHeader = new LRUCache<string, { readonly meaning: Meaning }>({ max: MAX_CACHED_HEADERS });
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
