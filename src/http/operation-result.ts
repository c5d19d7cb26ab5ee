import { type DocumentNode, type ExecutionResult, GraphQLError } from 'graphql';
import type { RequestContext } from '#context/request-context.ts';
import type { ResponseExtensions, UpstreamTrace } from '#extensions.ts';
import { NO_STORE, toCacheControl } from '#http/headers/cache-control.ts';
import { measureDocument } from '#http/limits/document-size.ts';
import type { HeaderReader } from './message.ts';

/** Maximum entries of `drift` in one trace. */
const MAX_DRIFT_ENTRIES = 100;

/** Maximum errors of variables in one response: each may quote a name as long as the request. */
const MAX_VARIABLE_ERRORS = 5;

/** Options of every execution, on the fast path and in Yoga. */
export const EXECUTION_OPTIONS = { maxCoercionErrors: MAX_VARIABLE_ERRORS };

/** Whether a client requests `extensions.upstream`. */
export function isTraceRequested(headers: HeaderReader): boolean {
  return headers.get('x-revox-trace') === '1';
}

export interface CompleteResult<Data> extends ExecutionResult<Data> {
  /** Absent if an error replaces the result because it exceeds the response budget. */
  readonly cacheControl?: string;
}

/** Adds extensions and `Cache-Control` to a result. @param now current time, in ms */
export function withExtensions<Data>(
  result: ExecutionResult<Data>,
  document: DocumentNode,
  context: RequestContext,
  isTraced: boolean,
  now: number,
): CompleteResult<Data> {
  const extensions = {
    ...result.extensions,
    ...toExtensions(context),
    ...(isTraced ? { upstream: toUpstreamTrace(context) } : {}),
  };
  countRemainingSize(result, extensions, document, context);
  const { exceededError } = context.responseBudget;
  // The budget is checked before serialization: the result of a document of a few kilobytes may
  // exceed V8's maximum string length.
  if (exceededError)
    return { errors: [new GraphQLError(exceededError.message, { originalError: exceededError })] };
  const isCacheable = !isTraced && !result.errors?.length;
  return {
    ...result,
    extensions,
    cacheControl: isCacheable ? toCacheControl(context.usage, now) : NO_STORE,
  };
}

/**
 * Adds the size of errors and extensions to that of the fields. With introspection, adds all of
 * `data`, because graphql-js resolves the schema without the counting resolvers.
 */
function countRemainingSize(
  { data, errors }: ExecutionResult<unknown>,
  extensions: object,
  document: DocumentNode,
  { responseBudget }: RequestContext,
): void {
  if (errors && !responseBudget.isExceeded) responseBudget.addErrors(errors);
  if (Object.keys(extensions).length > 0) responseBudget.addBytes(toJsonBytes(extensions));
  if (measureDocument(document).usesIntrospection && !responseBudget.isExceeded)
    responseBudget.addBytes(toJsonBytes(data));
  responseBudget.measureStrings();
}

function toJsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

function toExtensions({ driftLog, paginationNotes }: RequestContext): ResponseExtensions {
  const unrecognized = driftLog.reported;
  return {
    ...(unrecognized.length > 0 ? { unrecognized } : {}),
    ...(paginationNotes.length > 0 ? { pagination: paginationNotes } : {}),
  };
}

/**
 * The upstream trace of a response: the number of requests sent, the recorded lookups (at most a
 * thousand) with their sources, and the drift of the upstream's responses (at most
 * `MAX_DRIFT_ENTRIES`).
 */
function toUpstreamTrace({
  usage: { counts, lookups: calls },
  budget,
  driftLog,
}: RequestContext): UpstreamTrace {
  const drift = driftLog.drift.slice(0, MAX_DRIFT_ENTRIES);
  return {
    requests: budget.sentRequests,
    cacheHits: counts.cache,
    coalesced: counts.coalesced,
    stale: counts.stale,
    calls: calls.map((call) => ({ ...call, ms: Math.round(call.ms * 10) / 10 })),
    ...(drift.length > 0 ? { drift } : {}),
  };
}
