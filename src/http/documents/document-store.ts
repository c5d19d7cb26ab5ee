import { createHash } from 'node:crypto';
import { createFairLru } from '#cache/fair-lru.ts';

/** A document that was read at start-up. Its id names it, and so does its SHA-256. */
export interface TrustedDocument {
  readonly id: string;
  readonly text: string;
}

/**
 * The documents that a request can name: trusted documents, and documents that callers have
 * registered.
 */
export interface DocumentStore {
  /** The text with this id or with this SHA-256. */
  get(id: string): string | undefined;
  /** Whether the text is exactly that of a trusted document. */
  isTrusted(text: string): boolean;
  /** Stores a caller's document under its SHA-256. Its bytes count against its owner's share. */
  register(owner: string, text: string): void;
}

/**
 * Maximum size of the documents of all callers together, in bytes. All callers share them: a
 * document contains no upstream data, and a request finds it only by its SHA-256. A full store
 * evicts documents of the owner with the most bytes first.
 */
const MAX_BYTES = 16 * 2 ** 20;
/**
 * Maximum size of a registered document in memory, in bytes, at two bytes a character. A larger one
 * is not stored, because one document could evict many short ones: its client sends it in full each
 * time.
 */
const MAX_TEXT_BYTES = 256 * 2 ** 10;
/** Bytes of an entry besides its document: its hash, and its place in the index. */
const ENTRY_OVERHEAD_BYTES = 300;

/** @param trusted if two documents have the same id, the id names the last of them */
export function createDocumentStore(trusted: readonly TrustedDocument[]): DocumentStore {
  const trustedTexts = new Set(trusted.map(({ text }) => text));
  const trustedById = new Map<string, string>([
    ...[...trustedTexts].map((text) => [toSha256(text), text] as const),
    ...trusted.map(({ id, text }) => [id, text] as const),
  ]);
  const apqTexts = createFairLru<string>({
    maxBytes: MAX_BYTES,
    maxEntryBytes: MAX_TEXT_BYTES,
    sizeOf: (text) => ENTRY_OVERHEAD_BYTES + 2 * text.length,
  });
  return {
    get: (id) => trustedById.get(id) ?? apqTexts.get(id),
    isTrusted: (text) => trustedTexts.has(text),
    register: (owner, text) => void apqTexts.set(owner, toSha256(text), text),
  };
}

/** The hash by which every caller may request a document. */
export function toSha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
