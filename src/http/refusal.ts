import type { ErrorCode, PublicDetails } from '#errors/gateway-error.ts';
import { NO_STORE, VARY } from './cache-control.ts';

/** The answer to a request that does not get as far as GraphQL, in GraphQL's shape. */
export function toRefusal(
  code: ErrorCode,
  message: string,
  { status, headers = {} }: { readonly status: number; readonly headers?: Record<string, string> },
): Response {
  const response = new Response(toRefusalBody(code, message), { status, headers: { ...REFUSAL_HEADERS, ...headers } });
  codes.set(response, code);
  return response;
}

const codes = new WeakMap<object, ErrorCode>();

/** The code that an answer refuses with; undefined for what is no refusal of ours. */
export function codeOf(response: object): ErrorCode | undefined {
  return codes.get(response);
}

export const REFUSAL_HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': NO_STORE, vary: VARY };

/** @param details what stands beside the code */
export function toRefusalBody(code: ErrorCode, message: string, details: PublicDetails = {}): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, ...details } }] });
}

/** A request that a server refuses before anybody else has seen it. */
export interface ServerRefusal {
  readonly status: number;
  readonly code: ErrorCode;
  /** The setting that raises the limit it is over, if it is over one. */
  readonly setting: string | undefined;
}
