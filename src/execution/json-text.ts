/** JSON text, or a promise of it if a part of it is not available yet. */
export type JsonText = string | Promise<string>;

/** Characters that JSON escapes, and the halves of surrogate pairs: a lone half is escaped, too. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes control characters
const ESCAPED = /[\u0000-\u001f"\\\ud800-\udfff]/;

/** For short strings: `JSON.stringify` takes less time for a long one. */
export function toJsonString(value: string): string {
  return ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`;
}

export function toJsonNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

/**
 * Joins texts when all of them are available. It takes as many microtasks as `Promise.all`, with
 * which graphql-js waits: operations load, and report errors, in the same order.
 */
export function joinTexts(parts: readonly JsonText[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const texts: string[] = [];
    let pending = 0;
    for (const [index, part] of parts.entries()) {
      if (typeof part === 'string') {
        texts[index] = part;
        continue;
      }
      pending += 1;
      part.then((text) => {
        texts[index] = text;
        pending -= 1;
        if (pending === 0) resolve(concatenate(texts));
      }, reject);
    }
  });
}

/** Without copying the texts, as `Array.join` would do on each level of a response. */
function concatenate(texts: readonly string[]): string {
  let all = '';
  for (const text of texts) all += text;
  return all;
}
