import { execute, GraphQLError } from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { NO_STORE, toCacheControl, VARY } from './cache-control.ts';

/** Of different kinds of drift that one trace tells. */
const MOST_DRIFT = 100;

export interface OperationOptions {
  /** Whether `x-revox-trace: 1` is answered with `extensions.upstream`. */
  readonly upstreamTrace: boolean;
  /** The clock, ms. */
  readonly now: () => number;
}

/** Ends an operation when its answer is complete, and says in `extensions` and in headers what the answer itself cannot. */
export function useOperation({ upstreamTrace, now }: OperationOptions): Plugin<RequestContext & YogaInitialContext> {
  return {
    // There are none in the schema; one that is asked for all the same is refused after its context has been made.
    onSubscribe: ({ args: { contextValue } }) => contextValue.end(),
    onExecute({ args: { contextValue }, setExecuteFn }) {
      // Yoga's own executor says that a variable does not fit, but not which one.
      setExecuteFn(execute);
      return {
        onExecuteDone({ result, setResult }) {
          contextValue.end();
          if (Symbol.asyncIterator in result) return;
          const { excess } = contextValue.answerSize;
          // Before it becomes a text: that of a few kilobytes of document may be longer than a text can be.
          if (excess) return setResult({ errors: [new GraphQLError(excess.message, { originalError: excess })] });
          const isTraced = upstreamTrace && contextValue.request.headers.get('x-revox-trace') === '1';
          const mayBeKept = !isTraced && !result.errors?.length;
          const cacheControl = mayBeKept ? toCacheControl(contextValue.account, now()) : NO_STORE;
          setResult({
            ...result,
            extensions: {
              ...result.extensions,
              ...toRemarks(contextValue),
              ...(isTraced ? { upstream: toTrace(contextValue) } : {}),
              // Yoga's way to give an answer headers; it takes them out of the body.
              http: { headers: { 'cache-control': cacheControl, vary: VARY } },
            },
          });
        },
      };
    },
  };
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
