import type { DocumentNode } from 'graphql';
import { createFairLru, type FairLru } from '#cache/fair-lru.ts';

const MAX_BYTES = 32 * 2 ** 20;
/**
 * Measured: the bytes of a token with its node and location; and of a character, because comments
 * have no tokens.
 */
const BYTES_PER_TOKEN = 500;
const BYTES_PER_CHARACTER = 50;

/** Parsed documents, by their text. They contain no caller's data, so all callers share them. */
export type ParserCache = FairLru<DocumentNode>;

/**
 * Caches parsed documents between requests, so that a document is parsed and validated once. The
 * cache is bounded by its memory: Yoga's own holds a thousand documents of each kind, whatever
 * their size, and one of five thousand tokens takes 2.4 MB.
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
