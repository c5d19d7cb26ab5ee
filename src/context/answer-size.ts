import type { AnswerSize } from '#binding/answer-size.ts';
import { OperationTooComplexError } from '#errors/gateway-error.ts';

export interface MeasuredAnswer extends AnswerSize {
  /** What to say instead of the answer, if that is too large. */
  readonly excess: OperationTooComplexError | undefined;
}

/** @param limit bytes, estimated */
export function createAnswerSize(limit: number): MeasuredAnswer {
  return new OneAnswerSize(limit);
}

class OneAnswerSize implements MeasuredAnswer {
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isOver(): boolean {
    return this.#bytes > this.#limit;
  }

  add(more: number): void {
    this.#bytes += more;
  }

  get excess(): OperationTooComplexError | undefined {
    if (!this.isOver) return undefined;
    // Nobody knows how much more it would have been.
    const excess = { limit: this.#limit, measured: this.#bytes, setting: 'MAX_ANSWER_BYTES' };
    return new OperationTooComplexError(`The answer takes ${this.#bytes} bytes and more`, excess);
  }
}
