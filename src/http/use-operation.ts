import { type DocumentNode, type ExecutionArgs, type ExecutionResult, execute, GraphQLError } from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import type { Beginnings } from './beginnings.ts';
import { NO_STORE, toCacheControl, VARY } from './cache-control.ts';
import type { HeaderReader } from './exchange.ts';
import { waitToWrite } from './large-results.ts';
import { measure } from './measure.ts';
import type { AdmittedContext } from './use-admission.ts';

/** Of different kinds of drift that one trace tells. */
const MOST_DRIFT = 100;

export interface OperationOptions {
  /** Whether `x-revox-trace: 1` is answered with `extensions.upstream`. */
  readonly upstreamTrace: boolean;
  readonly beginnings: Beginnings;
  /** The clock, ms. */
  readonly now: () => number;
}

/** Ends an operation when its answer is complete, and says in `extensions` and in headers what the answer itself cannot. */
export function useOperation({
  upstreamTrace,
  now,
  beginnings,
}: OperationOptions): Plugin<AdmittedContext & RequestContext & YogaInitialContext> {
  return {
    // There are none in the schema; one that is asked for all the same is refused after its context has been made.
    onSubscribe: ({ args: { contextValue } }) => contextValue.end(),
    onExecute({ args: { contextValue, document }, setExecuteFn }) {
      // Yoga's own executor says that a variable does not fit, but not which one.
      setExecuteFn(async (args: ExecutionArgs) => {
        const result = await execute({ ...args, options: EXECUTION_OPTIONS });
        try {
          if (contextValue.admission) await waitToWrite(contextValue, contextValue.admission, beginnings);
          return result;
        } catch (error) {
          return { errors: [new GraphQLError('', { originalError: error as Error })] };
        }
      });
      return {
        onExecuteDone({ result, setResult }) {
          contextValue.end();
          if (Symbol.asyncIterator in result) return;
          const isTraced = upstreamTrace && asksForCost(contextValue.request.headers);
          const { cacheControl, ...complete } = toComplete(result, document, contextValue, isTraced, now());
          if (cacheControl === undefined) return setResult(complete);
          // Yoga's way to give an answer headers; it takes them out of the body.
          const http = { headers: { 'cache-control': cacheControl, vary: VARY } };
          setResult({ ...complete, extensions: { ...complete.extensions, http } });
        },
      };
    },
  };
}

/** Faults of variables that one answer names: each may repeat a name as long as the request. */
const MAX_VARIABLE_FAULTS = 5;

/** How each operation is executed. */
export const EXECUTION_OPTIONS = { maxCoercionErrors: MAX_VARIABLE_FAULTS };

/** Whether a request wants to be told what its answer cost. */
export function asksForCost(headers: HeaderReader): boolean {
  return headers.get('x-revox-trace') === '1';
}

export interface CompleteResult extends ExecutionResult {
  /** Undefined where there is nothing that anybody could keep. */
  readonly cacheControl?: string;
}

/** Adds to a result what it cannot say by itself. @param now our clock, ms */
export function toComplete(
  result: ExecutionResult,
  document: DocumentNode,
  context: RequestContext,
  isTraced: boolean,
  now: number,
): CompleteResult {
  const extensions = {
    ...result.extensions,
    ...toRemarks(context),
    ...(isTraced ? { upstream: toTrace(context) } : {}),
  };
  countRest(result, extensions, document, context);
  const { excess } = context.answer;
  // Before it becomes a text: that of a few kilobytes of document may be longer than a text can be.
  if (excess) return { errors: [new GraphQLError(excess.message, { originalError: excess })] };
  const mayBeKept = !isTraced && !result.errors?.length;
  return { ...result, extensions, cacheControl: mayBeKept ? toCacheControl(context.account, now) : NO_STORE };
}

/** Counts what no field has counted: errors, extensions, and what GraphQL itself answers of the schema. */
function countRest(
  { data, errors }: ExecutionResult,
  extensions: object,
  document: DocumentNode,
  { answer }: RequestContext,
): void {
  if (errors && !answer.isGivenUp) answer.addErrors(errors);
  if (Object.keys(extensions).length > 0) answer.addBytes(toBytes(extensions));
  if (measure(document).introspects && !answer.isGivenUp) answer.addBytes(toBytes(data));
  answer.measureTexts();
}

function toBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

function toRemarks({ oddities, paginationNotes }: RequestContext) {
  const unrecognized = oddities.reported;
  return {
    ...(unrecognized.length > 0 ? { unrecognized } : {}),
    ...(paginationNotes.length > 0 ? { pagination: paginationNotes } : {}),
  };
}

/** What an answer cost upstream: requests sent, every question with where its answer came from, and what was not as documented in them. */
function toTrace({ account: { counts, calls }, budget, oddities }: RequestContext) {
  const drift = oddities.drift.slice(0, MOST_DRIFT);
  return {
    requests: budget.sent,
    cacheHits: counts.cache,
    coalesced: counts.coalesced,
    stale: counts.stale,
    calls: calls.map((call) => ({ ...call, ms: Math.round(call.ms * 10) / 10 })),
    ...(drift.length > 0 ? { drift } : {}),
  };
}
