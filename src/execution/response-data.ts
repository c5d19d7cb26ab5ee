/** Stands around the number of a deferred value. JSON text contains no control characters. */
const MARK = '\u0000';

/**
 * Maximum characters of a value that is serialized during execution. A longer copy takes more memory
 * than a placeholder.
 */
export const MAX_INLINE_LENGTH = 64;

/**
 * The `data` of a response as JSON text. Large values are not copied during execution: operations
 * that wait for the same upstream response end at the same moment, and share its strings until each
 * is serialized in turn (`waitToSerialize`).
 */
export class ResponseData {
  readonly #deferredValues: unknown[] = [];
  #text = 'null';

  /** Returns a placeholder for a large value. */
  defer(value: unknown): string {
    this.#deferredValues.push(value);
    return `${MARK}${this.#deferredValues.length - 1}${MARK}`;
  }

  /** @param text may contain placeholders of this object */
  complete(text: string): this {
    this.#text = text;
    return this;
  }

  toJson(): string {
    if (this.#deferredValues.length === 0) return this.#text;
    return this.#text
      .split(MARK)
      .map((part, index) =>
        index % 2 === 0 ? part : JSON.stringify(this.#deferredValues[Number(part)]),
      )
      .join('');
  }
}
