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
  /** Whether the text is, to the letter, that of a trusted document. */
  isTrusted(text: string): boolean;
  /** Stores a caller's text under its SHA-256, on the share of its owner. */
  register(owner: string, text: string): void;
}

/**
 * Limit for the texts of all callers together: the texts contain no caller's data, and a hash names
 * one text only. An owner that registers many texts evicts its own first.
 */
const MAX_BYTES = 16 * 2 ** 20;
/**
 * A caller's long text must not evict many short ones. A client sends a longer text in full each
 * time.
 */
const MAX_TEXT_BYTES = 256 * 2 ** 10;
/** Bytes of an entry besides its text: its hash, and its place in the index. */
const ENTRY_OVERHEAD_BYTES = 300;

/** @param trusted if two documents have the same id, it names the last one */
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

/** The hash by which every caller may name a text. */
export function toSha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
