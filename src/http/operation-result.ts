import { type DocumentNode, type ExecutionResult, GraphQLError } from 'graphql';
import type { RequestContext } from '#context/request-context.ts';
import { NO_STORE, toCacheControl } from '#http/headers/cache-control.ts';
import { measureDocument } from '#http/limits/document-size.ts';
import type { HeaderReader } from './message.ts';

/** Of different kinds of drift that one trace tells. */
const MAX_DRIFT_ENTRIES = 100;

/** Faults of variables that one answer names: each may repeat a name as long as the request. */
const MAX_VARIABLE_ERRORS = 5;

/** How each operation is executed. */
export const EXECUTION_OPTIONS = { maxCoercionErrors: MAX_VARIABLE_ERRORS };

/** Whether a request wants to be told what its answer cost. */
export function isTraceRequested(headers: HeaderReader): boolean {
  return headers.get('x-revox-trace') === '1';
}

export interface CompleteResult extends ExecutionResult {
  /** Undefined where there is nothing that anybody could keep. */
  readonly cacheControl?: string;
}

/** Adds to a result what it cannot say by itself. @param now our clock, ms */
export function withExtensions(
  result: ExecutionResult,
  document: DocumentNode,
  context: RequestContext,
  isTraced: boolean,
  now: number,
): CompleteResult {
  const extensions = {
    ...result.extensions,
    ...toExtensions(context),
    ...(isTraced ? { upstream: toUpstreamTrace(context) } : {}),
  };
  countRemainingSize(result, extensions, document, context);
  const { exceededError } = context.responseBudget;
  // Before it becomes a text: that of a few kilobytes of document may be longer than a text can be.
  if (exceededError) return { errors: [new GraphQLError(exceededError.message, { originalError: exceededError })] };
  const isCacheable = !isTraced && !result.errors?.length;
  return { ...result, extensions, cacheControl: isCacheable ? toCacheControl(context.usage, now) : NO_STORE };
}

/** Counts what no field has counted: errors, extensions, and what GraphQL itself answers of the schema. */
function countRemainingSize(
  { data, errors }: ExecutionResult,
  extensions: object,
  document: DocumentNode,
  { responseBudget }: RequestContext,
): void {
  if (errors && !responseBudget.isExceeded) responseBudget.addErrors(errors);
  if (Object.keys(extensions).length > 0) responseBudget.addBytes(toJsonBytes(extensions));
  if (measureDocument(document).usesIntrospection && !responseBudget.isExceeded) responseBudget.addBytes(toJsonBytes(data));
  responseBudget.measureTexts();
}

function toJsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

function toExtensions({ driftLog, paginationNotes }: RequestContext) {
  const unrecognized = driftLog.reported;
  return {
    ...(unrecognized.length > 0 ? { unrecognized } : {}),
    ...(paginationNotes.length > 0 ? { pagination: paginationNotes } : {}),
  };
}

/** What an answer cost upstream: requests sent, every question with where its answer came from, and what was not as documented in them. */
function toUpstreamTrace({ usage: { counts, calls }, budget, driftLog }: RequestContext) {
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
