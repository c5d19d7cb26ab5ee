import type { ErrorCode } from '#errors/gateway-error.ts';
import type { EndReason } from './live-events.ts';

/** How a stream ends. Each transport writes it in its own way. */
export interface StreamEnding {
  readonly reason: EndReason;
  /**
   * The error that ends the stream, as JSON: an execution result that has only `errors`. Absent: the
   * stream is over.
   */
  readonly json?: string | undefined;
  /**
   * After which time the client must subscribe again, in ms. Absent: nothing more can happen, and
   * the client must not subscribe again.
   */
  readonly retryMs?: number | undefined;
}

interface EndingResult {
  readonly errors: readonly { readonly message: string; readonly extensions?: object }[];
}

/**
 * The execution result that ends a stream, without data: Relay shows no error beside data. Without
 * data the errors have no `path`.
 * @param json an execution result with errors
 */
export function toEndingJson(json: string): string {
  const { errors } = JSON.parse(json) as EndingResult;
  return JSON.stringify({
    errors: errors.map(({ message, extensions }) => ({ message, extensions })),
  });
}

/** The error of a stream that is interrupted, as an execution result in JSON. */
export function toInterruptedJson(reason: EndReason, retryMs: number): string {
  const { code, message } = ERRORS[reason] ?? {
    code: 'SUBSCRIPTION_INTERRUPTED',
    message: 'The subscription was interrupted: subscribe again.',
  };
  const retryAfter = code === 'SUBSCRIPTION_INTERRUPTED' ? Math.ceil(retryMs / 1000) : undefined;
  return JSON.stringify({ errors: [{ message, extensions: { code, retryAfter } }] });
}

interface EndingError {
  readonly code: ErrorCode;
  readonly message: string;
}

const ERRORS: { readonly [reason in EndReason]?: EndingError } = {
  expired: {
    code: 'UNAUTHENTICATED',
    message: 'The bearer token has expired: subscribe again with a new one.',
  },
  bug: { code: 'INTERNAL_SERVER_ERROR', message: 'Something went wrong in the gateway.' },
};
