import type { ResponseBudget } from '#binding/response-budget.ts';
import {
  type GatewayError,
  OperationTooComplexError,
  TooManyErrorsError,
  toBoundedMessage,
} from '#errors/gateway-error.ts';

export interface OperationResponseBudget extends ResponseBudget {
  /**
   * Bytes counted so far. A field counts `FIELD_OVERHEAD_BYTES` and its name. A list item counts
   * `FIELD_OVERHEAD_BYTES`. A string of more than `SHORT_STRING_LENGTH` characters also counts one
   * byte per character.
   */
  readonly bytes: number;
  /** The error that replaces the response once the budget is exceeded. */
  readonly exceededError: GatewayError | undefined;
  /** Discards the response, with this error in its place. */
  abort(error: GatewayError): void;
  /** Counts the errors of the result, including those that no field caused. */
  addErrors(errors: readonly SerializedError[]): void;
  /**
   * Measures the serialized size of the strings if it could exceed the limit, and discards the
   * response if it does. Must be called after everything else is counted. Measuring takes as long
   * as serializing (17 ms for 10 MB): for a large response, the calling function must first wait
   * for the exclusive turn of its caller (`waitToSerialize`).
   */
  measureStrings(): void;
}

/** The fields of a serialized error that vary in size. */
export interface SerializedError {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly locations?: readonly object[] | undefined;
}

export interface ResponseLimits {
  readonly maxBytes: number;
  readonly maxErrors: number;
}

/** @param onExceeded called once, when the response is discarded */
export function createResponseBudget(
  limits: ResponseLimits,
  onExceeded: () => void,
): OperationResponseBudget {
  return new CountingResponseBudget(limits, onExceeded);
}

/**
 * A string up to this length fits into the bytes that each field counts anyway, even if every
 * character is serialized as `\u0000`.
 */
const SHORT_STRING_LENGTH = 16;
/** Maximum bytes of a serialized UTF-16 unit: `\u0000`. */
const MAX_BYTES_PER_CHARACTER = 6;

/** `{"errors":[],"data":,"extensions":}`. */
const ENVELOPE_BYTES = 35;

/**
 * Size of an error without message, path and locations: its code and the other fields of its
 * extensions.
 */
const ERROR_BYTES = 512;

class CountingResponseBudget implements OperationResponseBudget {
  readonly #limits: ResponseLimits;
  readonly #onExceeded: () => void;
  #bytes = ENVELOPE_BYTES;
  /** Strings over `SHORT_STRING_LENGTH`, and the total of their characters. */
  #strings: string[] = [];
  #stringLength = 0;
  #errors = 0;
  #firstError: unknown;
  #exceededError: GatewayError | undefined;

  constructor(limits: ResponseLimits, onExceeded: () => void) {
    this.#limits = limits;
    this.#onExceeded = onExceeded;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isExceeded(): boolean {
    return this.#exceededError !== undefined;
  }

  get exceededError(): GatewayError | undefined {
    return this.#exceededError;
  }

  abort(error: GatewayError): void {
    if (this.#exceededError) return;
    this.#exceededError = error;
    this.#strings = [];
    this.#onExceeded();
  }

  addBytes(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.maxBytes) this.#abortForBytes();
  }

  addString(value: string): void {
    if (value.length <= SHORT_STRING_LENGTH) return;
    this.#strings.push(value);
    this.#stringLength += value.length;
    this.addBytes(value.length);
  }

  addError(error: unknown): void {
    if (this.#errors === 0) this.#firstError = error;
    this.#errors += 1;
    this.#checkErrors();
  }

  addErrors(errors: readonly SerializedError[]): void {
    this.#errors = errors.length;
    this.#firstError ??= errors[0];
    this.#checkErrors();
    if (this.isExceeded) return;
    for (const { message, path, locations } of errors) {
      this.addBytes(ERROR_BYTES + toJsonBytes([toBoundedMessage(message), path, locations]));
    }
  }

  measureStrings(): void {
    const maxBytes = this.#bytes + this.#stringLength * (MAX_BYTES_PER_CHARACTER - 1);
    if (this.isExceeded || maxBytes <= this.#limits.maxBytes) return;
    for (const value of this.#strings) this.addBytes(toJsonBytes(value) - value.length);
    this.#strings = [];
    this.#stringLength = 0;
  }

  #checkErrors(): void {
    const { maxErrors } = this.#limits;
    if (this.#errors > maxErrors && !this.isExceeded)
      this.abort(new TooManyErrorsError(maxErrors, this.#firstError));
  }

  #abortForBytes(): void {
    if (this.isExceeded) return;
    // The full size is unknown, because counting stops here.
    const limitExcess = {
      limit: this.#limits.maxBytes,
      measured: this.#bytes,
      setting: 'MAX_ANSWER_BYTES',
    };
    this.abort(
      new OperationTooComplexError(
        `The size of the response, with an overhead for each field and list item, is at least ${this.#bytes} bytes`,
        limitExcess,
      ),
    );
  }
}

function toJsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
