import type { ErrorCode, PublicDetails } from '#errors/gateway-error.ts';
import { NO_STORE, VARY } from '#http/headers/cache-control.ts';

export interface ErrorResponseOptions {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** Fields beside the code in `extensions`. */
  readonly details?: PublicDetails;
}

/** The response to a request that is rejected before GraphQL, in GraphQL's shape. */
export function toErrorResponse(
  code: ErrorCode,
  message: string,
  { status, headers = {}, details }: ErrorResponseOptions,
): Response {
  const response = new Response(toErrorBody(code, message, details), {
    status,
    headers: { ...ERROR_HEADERS, ...headers },
  });
  errorCodes.set(response, code);
  return response;
}

const errorCodes = new WeakMap<object, ErrorCode>();

/** The code of a response that `toErrorResponse` made. Undefined for every other response. */
export function errorCodeOf(response: object): ErrorCode | undefined {
  return errorCodes.get(response);
}

export const ERROR_HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': NO_STORE,
  vary: VARY,
};

/** @param details fields beside the code in `extensions` */
export function toErrorBody(code: ErrorCode, message: string, details: PublicDetails = {}): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, ...details } }] });
}

/**
 * Why the server has closed a connection: its client did not read a response, or sent no request in
 * time; or the connection was evicted for another client.
 */
export type DisconnectReason = 'unread' | 'silent' | 'evicted';

/** A request to which the server responds with an error of its own. */
export interface RejectedRequest {
  readonly status: number;
  readonly code: ErrorCode;
  /** The setting that raises the exceeded limit, if a limit is exceeded. */
  readonly setting: string | undefined;
}
