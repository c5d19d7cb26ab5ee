import type { DocumentNode } from 'graphql';
import { createFairLru, type FairLru } from '#cache/fair-lru.ts';

const MAX_BYTES = 32 * 2 ** 20;
/** As measured: a token with its node and location; and a character, because comments are no counted tokens. */
const BYTES_PER_TOKEN = 500;
const BYTES_PER_CHARACTER = 50;

/** Parsed documents, by their text. They hold no caller's data, so all callers share them. */
export type ParserCache = FairLru<DocumentNode>;

/**
 * What is remembered between requests, so that a document is parsed and validated once. Bounded by its memory: Yoga's own holds a thousand
 * documents of each kind, whatever they take, and one of five thousand tokens takes 2.4 MB.
 */
export function createParserCache(): ParserCache {
  return createFairLru<DocumentNode>({
    maxBytes: MAX_BYTES,
    maxEntryBytes: MAX_BYTES,
    sizeOf: (document, text) => (document.tokenCount ?? text.length) * BYTES_PER_TOKEN + text.length * BYTES_PER_CHARACTER + 1,
  });
}
