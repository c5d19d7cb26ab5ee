import type { ErrorCode, PublicDetails } from '#errors/gateway-error.ts';
import { NO_STORE, VARY } from '#http/headers/cache-control.ts';

export interface ErrorResponseOptions {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** What stands beside the code. */
  readonly details?: PublicDetails;
}

/** The answer to a request that does not get as far as GraphQL, in GraphQL's shape. */
export function toErrorResponse(
  code: ErrorCode,
  message: string,
  { status, headers = {}, details }: ErrorResponseOptions,
): Response {
  const response = new Response(toErrorBody(code, message, details), { status, headers: { ...ERROR_HEADERS, ...headers } });
  errorCodes.set(response, code);
  return response;
}

const errorCodes = new WeakMap<object, ErrorCode>();

/** The code that an answer refuses with; undefined for what is no refusal of ours. */
export function errorCodeOf(response: object): ErrorCode | undefined {
  return errorCodes.get(response);
}

export const ERROR_HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': NO_STORE, vary: VARY };

/** @param details what stands beside the code */
export function toErrorBody(code: ErrorCode, message: string, details: PublicDetails = {}): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, ...details } }] });
}

/**
 * Why a server has closed a connection: its client did not read an answer, or sent no whole request in time; or another client needed its place.
 */
export type DisconnectReason = 'unread' | 'silent' | 'evicted';

/** A request that a server refuses before anybody else has seen it. */
export interface RejectedRequest {
  readonly status: number;
  readonly code: ErrorCode;
  /** The setting that raises the limit it is over, if it is over one. */
  readonly setting: string | undefined;
}
