import type { ErrorCode } from '#errors/gateway-error.ts';
import { NO_STORE, VARY } from './cache-control.ts';

/** The answer to a request that does not get as far as GraphQL, in GraphQL's shape. */
export function toRefusal(
  code: ErrorCode,
  message: string,
  { status, headers = {} }: { readonly status: number; readonly headers?: Record<string, string> },
): Response {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  return new Response(body, {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': NO_STORE, vary: VARY, ...headers },
  });
}
