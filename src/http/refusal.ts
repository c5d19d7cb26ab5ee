import type { ErrorCode, PublicDetails } from '#errors/gateway-error.ts';
import { NO_STORE, VARY } from './cache-control.ts';

export interface RefusalOptions {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** What stands beside the code. */
  readonly details?: PublicDetails;
}

/** The answer to a request that does not get as far as GraphQL, in GraphQL's shape. */
export function toRefusal(code: ErrorCode, message: string, { status, headers = {}, details }: RefusalOptions): Response {
  const response = new Response(toRefusalBody(code, message, details), { status, headers: { ...REFUSAL_HEADERS, ...headers } });
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

/**
 * Why a server has closed a connection: its client did not read an answer, or sent no whole request in time; or another client needed its place.
 */
export type DisconnectReason = 'unread' | 'silent' | 'evicted';

/** A request that a server refuses before anybody else has seen it. */
export interface ServerRefusal {
  readonly status: number;
  readonly code: ErrorCode;
  /** The setting that raises the limit it is over, if it is over one. */
  readonly setting: string | undefined;
}
