import { type ExecutionArgs, execute, GraphQLError } from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import type { SessionContext } from '#http/auth/session.ts';
import { VARY } from '#http/headers/cache-control.ts';
import { waitToSerialize } from '#http/large-results.ts';
import { EXECUTION_OPTIONS, isTraceRequested, withExtensions } from '#http/operation-result.ts';
import type { OperationScheduler } from '#http/scheduler.ts';

export interface OperationLifecycleOptions {
  /** Whether `x-revox-trace: 1` is answered with `extensions.upstream`. */
  readonly upstreamTrace: boolean;
  readonly scheduler: OperationScheduler;
  /** The clock, ms. */
  readonly now: () => number;
}

/** Ends an operation when its answer is complete, and says in `extensions` and in headers what the answer itself cannot. */
export function useOperationLifecycle({
  upstreamTrace,
  now,
  scheduler,
}: OperationLifecycleOptions): Plugin<SessionContext & RequestContext & YogaInitialContext> {
  return {
    // There are none in the schema; one that is asked for all the same is refused after its context has been made.
    onSubscribe: ({ args: { contextValue } }) => contextValue.end(),
    onExecute({ args: { contextValue, document }, setExecuteFn }) {
      // Yoga's own executor says that a variable does not fit, but not which one.
      setExecuteFn(async (args: ExecutionArgs) => {
        const result = await execute({ ...args, options: EXECUTION_OPTIONS });
        try {
          if (contextValue.session) await waitToSerialize(contextValue, contextValue.session, scheduler);
          return result;
        } catch (error) {
          return { errors: [new GraphQLError('', { originalError: error as Error })] };
        }
      });
      return {
        onExecuteDone({ result, setResult }) {
          contextValue.end();
          if (Symbol.asyncIterator in result) return;
          const isTraced = upstreamTrace && isTraceRequested(contextValue.request.headers);
          const { cacheControl, ...completeResult } = withExtensions(result, document, contextValue, isTraced, now());
          if (cacheControl === undefined) return setResult(completeResult);
          // Yoga's way to give an answer headers; it takes them out of the body.
          const http = { headers: { 'cache-control': cacheControl, vary: VARY } };
          setResult({ ...completeResult, extensions: { ...completeResult.extensions, http } });
        },
      };
    },
  };
}
