import { type ExecutionArgs, execute, GraphQLError } from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import type { SessionContext } from '#http/auth/session.ts';
import { VARY } from '#http/headers/cache-control.ts';
import { waitToSerialize } from '#http/large-results.ts';
import { EXECUTION_OPTIONS, isTraceRequested, withExtensions } from '#http/operation-result.ts';
import type { ExecutionRecord } from '#http/response-cache/store-yoga-response.ts';
import type { OperationScheduler } from '#http/scheduler.ts';

export interface OperationLifecycleOptions {
  /** Whether `x-revox-trace: 1` adds `extensions.upstream` to a response. */
  readonly upstreamTrace: boolean;
  readonly scheduler: OperationScheduler;
  /** Current time, in ms. */
  readonly now: () => number;
}

/** Ends an operation when its result is complete, and adds its extensions and headers. */
export function useOperationLifecycle({
  upstreamTrace,
  now,
  scheduler,
}: OperationLifecycleOptions): Plugin<
  SessionContext & RequestContext & YogaInitialContext & { executionRecord?: ExecutionRecord }
> {
  return {
    onExecute({ args: { contextValue, document }, setExecuteFn }) {
      // Yoga's own executor ignores `EXECUTION_OPTIONS`, and reports up to 51 errors of variables.
      setExecuteFn(async (args: ExecutionArgs) => {
        const result = await execute({ ...args, options: EXECUTION_OPTIONS });
        try {
          if (contextValue.session)
            await waitToSerialize(contextValue, contextValue.session, scheduler);
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
          const { cacheControl, ...completeResult } = withExtensions(
            result,
            document,
            contextValue,
            isTraced,
            now(),
          );
          const { executionRecord } = contextValue;
          if (executionRecord) {
            executionRecord.context = contextValue;
            executionRecord.hasErrors = completeResult.errors !== undefined;
          }
          if (cacheControl === undefined) return setResult(completeResult);
          // Yoga's way to set headers of a response. Yoga removes the extension from the body.
          const http = { headers: { 'cache-control': cacheControl, vary: VARY } };
          setResult({ ...completeResult, extensions: { ...completeResult.extensions, http } });
        },
      };
    },
  };
}
