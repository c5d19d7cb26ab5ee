import type { DocumentNode } from 'graphql';
import { createFairLru, type FairLru } from '#cache/fair-lru.ts';

const MAX_BYTES = 32 * 2 ** 20;
/**
 * Measured bytes of a token with its AST node and location, and of a character. Characters count,
 * too, because `tokenCount` does not include comments.
 */
const BYTES_PER_TOKEN = 500;
const BYTES_PER_CHARACTER = 50;

/**
 * Parsed documents, by their text. All callers share them: a document contains no upstream data,
 * and only a request with the identical text finds it.
 */
export type ParserCache = FairLru<DocumentNode>;

/**
 * Caches parsed documents between requests, so that a document is parsed and validated once. The
 * cache is bounded by bytes: Yoga's own cache holds a thousand documents, whatever their size, and
 * a document of 5,000 tokens takes 2.4 MB.
 */
export function createParserCache(): ParserCache {
  return createFairLru<DocumentNode>({
    maxBytes: MAX_BYTES,
    maxEntryBytes: MAX_BYTES,
    sizeOf: (document, text) =>
      (document.tokenCount ?? text.length) * BYTES_PER_TOKEN +
      text.length * BYTES_PER_CHARACTER +
      1,
  });
}
