import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

const MOST_BYTES = 32 * 2 ** 20;
/** As measured: a token with its node and its place; and a character, for comments are tokens that nobody counts. */
const TOKEN_BYTES = 500;
const CHARACTER_BYTES = 50;

/**
 * What Yoga remembers between requests, so that a document is parsed and validated once. Bounded by its memory: Yoga's own holds a
 * thousand documents of each kind, whatever they take, and one of five thousand tokens takes 2.4 MB.
 */
export function createDocumentCaches() {
  return {
    documentCache: new LRUCache<string, DocumentNode>({
      maxSize: MOST_BYTES,
      sizeCalculation: (document, text) => (document.tokenCount ?? text.length) * TOKEN_BYTES + text.length * CHARACTER_BYTES + 1,
    }),
    // A document that does not parse is no use to anyone: it is parsed again.
    errorCache: { get: () => undefined, set: () => {} },
  };
}
