import { hash } from 'node:crypto';
import { parseJson } from '#rest/transport/parse-json.ts';

/**
 * The body of the previous response to a request that is repeated. An unchanged body is not parsed
 * again: its value is the same object, so nothing of the new response remains in memory.
 */
export class RepeatedBody {
  #digest: string | undefined;
  #value: unknown;

  /** @throws as `parseJson` does */
  parse(chunks: readonly Uint8Array[]): unknown {
    const digest = digestOf(chunks);
    if (digest === this.#digest) return this.#value;
    const value = parseJson(chunks);
    this.#digest = digest;
    this.#value = value;
    return value;
  }
}

/** A digest instead of the body, because each repeated request would retain its own. */
function digestOf(chunks: readonly Uint8Array[]): string {
  const [first] = chunks;
  return hash('sha256', chunks.length === 1 && first ? first : Buffer.concat(chunks), 'base64');
}
