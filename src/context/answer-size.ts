import type { AnswerSize } from '#binding/answer-size.ts';
import { OperationTooComplexError } from '#errors/gateway-error.ts';

export interface MeasuredAnswer extends AnswerSize {
  /** What to say instead of the answer, if that is too large. */
  readonly excess: OperationTooComplexError | undefined;
}

/** @param limit bytes, estimated */
export function createAnswerSize(limit: number): MeasuredAnswer {
  let bytes = 0;
  return {
    get isOver() {
      return bytes > limit;
    },
    add(more) {
      bytes += more;
    },
    get excess() {
      if (bytes <= limit) return undefined;
      // Nobody knows how much more it would have been.
      const excess = { limit, measured: bytes, setting: 'MAX_ANSWER_BYTES' };
      return new OperationTooComplexError(`The answer takes ${bytes} bytes and more`, excess);
    },
  };
}
