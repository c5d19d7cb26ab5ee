import { createHash } from 'node:crypto';
import { createFairLru } from '#cache/fair-lru.ts';

/** A document that was read at the start, and what it is named by. It is named by its SHA-256, too. */
export interface TrustedDocument {
  readonly id: string;
  readonly text: string;
}

/** The documents that can be named: those that are trusted, and those that callers have brought themselves. */
export interface DocumentStore {
  /** The text of that id, or of that SHA-256. */
  get(id: string): string | undefined;
  /** Whether it is, to the letter, one of those that were read at the start. */
  isTrusted(text: string): boolean;
  /** Keeps a text that a caller has brought, by its SHA-256, on the share of its owner. */
  register(owner: string, text: string): void;
}

/**
 * For all that callers bring together: their texts say nothing of anyone's data, and a hash names one text only. An owner that brings many pushes out
 * its own first.
 */
const MAX_BYTES = 16 * 2 ** 20;
/** One caller's long text must not push out many short ones. What is longer is sent in full each time. */
const MAX_TEXT_BYTES = 256 * 2 ** 10;
/** What an entry takes besides its text: its hash, and its place in the index. */
const ENTRY_OVERHEAD_BYTES = 300;

/** @param trusted where two have one id, the last is found by it */
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

/** By which everyone may name a text. */
export function toSha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
