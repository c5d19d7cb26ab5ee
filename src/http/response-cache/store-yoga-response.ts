import type { RequestContext } from '#context/request-context.ts';
import { SECURITY_HEADERS } from '#http/headers/security-headers.ts';
import { PlainHeaders, type PlainResponse } from '#http/message.ts';
import type { WarmOperation } from '#http/warm-operations/warm-operations.ts';
import { type StoreResponse, storeResponse } from './cached-response.ts';

/** What Yoga's plugins record of an execution. Empty: nothing was executed. */
export interface ExecutionRecord {
  context?: RequestContext;
  hasErrors?: boolean;
}

/** A warm operation whose response may be cached. */
export interface StorableOperation {
  readonly operation: WarmOperation;
  readonly store: StoreResponse;
}

/** Stores Yoga's response to a warm operation, if it may be cached, and returns it. */
export async function storeYogaResponse(
  response: Response,
  { operation, store }: StorableOperation,
  { context, hasErrors }: ExecutionRecord,
): Promise<PlainResponse | Response> {
  if (!context || hasErrors) return response;
  const body = await response.text();
  storeResponse(store, operation, body, context);
  // Yoga's header names have mixed case. The server sets the length.
  const headers = [...response.headers].map(([name, value]) => [name.toLowerCase(), value]);
  const { 'content-length': _, ...sentHeaders } = Object.fromEntries(headers);
  return {
    status: response.status,
    headers: new PlainHeaders({ ...SECURITY_HEADERS, ...sentHeaders }),
    body,
  };
}
