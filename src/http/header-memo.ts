import { LRUCache } from 'lru-cache';

/** There are some twenty in the world, and a header can be anything. */
const MOST_HEADERS = 100;
const LONGEST_HEADER = 200;

/**
 * Reads a header that clients send in a few ways, each of those once; a long one each time. What is kept is what headers mean, and nothing of who has
 * sent them.
 */
export function createHeaderMemo<Meaning>(read: (header: string) => Meaning): (header: string) => Meaning {
  const known = new LRUCache<string, { readonly meaning: Meaning }>({ max: MOST_HEADERS });
  return (header) => {
    if (header.length > LONGEST_HEADER) return read(header);
    let found = known.get(header);
    if (!found) {
      found = { meaning: read(header) };
      known.set(header, found);
    }
    return found.meaning;
  };
}
