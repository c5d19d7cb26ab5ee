import { readFileSync } from 'node:fs';
import { readTable } from '../support/markdown-table.ts';

/**
 * The tables of `docs/reference/access-matrix.md`. The tests read them, so the page cannot differ from the gateway.
 */
const TEXT = readFileSync(
  new URL('../../docs/reference/access-matrix.md', import.meta.url),
  'utf8',
);

/** The rows of the table below a heading, keyed by column name, without Markdown code marks. */
export function readAccessMatrix(heading: string): Record<string, string>[] {
  return readTable(TEXT, heading);
}

/** Pairs each row with the title of its test. (vitest cannot interpolate a column name with a hyphen.) */
export function withTitles(
  rows: readonly Record<string, string>[],
  columns: readonly string[],
): (readonly [title: string, row: Record<string, string>])[] {
  return rows.map((row) => {
    const values = columns.map((column) => row[column]).join(' · ');
    return [`a request with ${values} results in ${row.response}`, row] as const;
  });
}

/** Looks up the meaning of a word in the table. An unknown word fails the row. */
export function toMeanings<T>(words: { readonly [word: string]: T }, word: string | undefined): T {
  if (word === undefined || !Object.hasOwn(words, word))
    throw new Error(`docs/reference/access-matrix.md: unknown word "${word}"`);
  return words[word] as T;
}
