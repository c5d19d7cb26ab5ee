import type { ResponseBudget } from '#binding/response-budget.ts';
import { type GatewayError, OperationTooComplexError, TooManyErrorsError, toBoundedMessage } from '#errors/gateway-error.ts';

export interface OperationResponseBudget extends ResponseBudget {
  /** What has been counted so far, with one byte for each character of its texts: no answer is smaller. */
  readonly bytes: number;
  /** What to say in place of the answer, if that is given up. */
  readonly exceededError: GatewayError | undefined;
  /** Gives the answer up, whatever it holds by now. */
  abort(error: GatewayError): void;
  /** Counts the errors as they stand in the result, with those that no field has brought. */
  addErrors(errors: readonly SerializedError[]): void;
  /**
   * Measures the texts as they will be written, if they could be too large, and gives the answer up if they are. To be called once all is counted:
   * to measure takes as long as to write (17 ms for 10 MB), so it is done in the turn in which the answer is written.
   */
  measureTexts(): void;
}

/** What is written of an error, as far as its size is not fixed. */
export interface SerializedError {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly locations?: readonly object[] | undefined;
}

export interface ResponseLimits {
  readonly maxBytes: number;
  readonly maxErrors: number;
}

/** @param onExceeded called once */
export function createResponseBudget(limits: ResponseLimits, onExceeded: () => void): OperationResponseBudget {
  return new CountingResponseBudget(limits, onExceeded);
}

/** A text of so few characters fits into what each field counts besides, even if each is written as `\u0000`. */
const SHORT_TEXT_LENGTH = 16;
/** Of one UTF-16 unit: `\u0000`. */
const MAX_BYTES_PER_CHARACTER = 6;

/** `{"errors":[],"data":,"extensions":}`. */
const ENVELOPE_BYTES = 35;

/** What an error takes besides message, path and places: its code and what stands beside that. */
const ERROR_BYTES = 512;

class CountingResponseBudget implements OperationResponseBudget {
  readonly #limits: ResponseLimits;
  readonly #onExceeded: () => void;
  #bytes = ENVELOPE_BYTES;
  /** Those that are long, and how many characters they have. */
  #texts: string[] = [];
  #textLength = 0;
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
    this.#texts = [];
    this.#onExceeded();
  }

  addBytes(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.maxBytes) this.#abortForBytes();
  }

  addText(text: string): void {
    if (text.length <= SHORT_TEXT_LENGTH) return;
    this.#texts.push(text);
    this.#textLength += text.length;
    this.addBytes(text.length);
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

  measureTexts(): void {
    const maxBytes = this.#bytes + this.#textLength * (MAX_BYTES_PER_CHARACTER - 1);
    if (this.isExceeded || maxBytes <= this.#limits.maxBytes) return;
    for (const text of this.#texts) this.addBytes(toJsonBytes(text) - text.length);
    this.#texts = [];
    this.#textLength = 0;
  }

  #checkErrors(): void {
    const { maxErrors } = this.#limits;
    if (this.#errors > maxErrors && !this.isExceeded) this.abort(new TooManyErrorsError(maxErrors, this.#firstError));
  }

  #abortForBytes(): void {
    if (this.isExceeded) return;
    // How much more it would have been is not known.
    const limitExcess = { limit: this.#limits.maxBytes, measured: this.#bytes, setting: 'MAX_ANSWER_BYTES' };
    this.abort(new OperationTooComplexError(`The response takes at least ${this.#bytes} bytes`, limitExcess));
  }
}

function toJsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
