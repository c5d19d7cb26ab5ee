import { type ExecutionResult, execute, type GraphQLError, type GraphQLSchema } from 'graphql';
import type { CancellationSignal } from '#cancellation.ts';
import { createPlannedExecutor } from '#execution/executor.ts';
import type { Session } from '#http/auth/session.ts';
import { NO_STORE } from '#http/headers/cache-control.ts';
import type { MediaType } from '#http/headers/media-type.ts';
import { waitToSerialize } from '#http/large-results.ts';
import type { PlainResponse } from '#http/message.ts';
import { EXECUTION_OPTIONS, withExtensions } from '#http/operation-result.ts';
import { type OnDrift, reportExecuted } from '#http/report-operation.ts';
import { type StoreResponse, storeResponse } from '#http/response-cache/cached-response.ts';
import type { OperationScheduler } from '#http/scheduler.ts';
import { toOperationInfo, type WarmOperation } from '#http/warm-operations/warm-operations.ts';
import type { RequestObserver } from '#observability/request-observer.ts';
import { toGraphQLResponse } from './graphql-response.ts';

export interface FastPathOptions {
  readonly schema: GraphQLSchema;
  /** False: graphql-js executes every operation. */
  readonly plannedExecution: boolean;
  readonly scheduler: OperationScheduler;
  readonly maskError: (error: unknown) => GraphQLError;
  readonly onDrift: OnDrift;
  /** Current time, in ms. */
  readonly now: () => number;
}

export interface FastPathRequest {
  readonly session: Session;
  readonly signal: CancellationSignal;
  readonly mediaType: MediaType;
  readonly observer: RequestObserver;
  /** Stores the response. Undefined if it must not be cached. */
  readonly store: StoreResponse | undefined;
  /** Whether the response has `extensions.upstream`. */
  readonly isTraced: boolean;
}

/**
 * Executes a warm operation, and returns the same response as Yoga.
 * @throws GatewayError, or the reason of the signal when the client has disconnected
 */
export type ExecuteWarmOperation = (
  operation: WarmOperation,
  request: FastPathRequest,
) => Promise<PlainResponse>;

/**
 * Fast path: executes a warm operation directly. Yoga's pipeline has two HTTP adapters and a list
 * of plugins, and takes several times as long as the execution itself.
 * `test/http/fast-path.test.ts` compares the two pipelines.
 */
export function createFastPath({
  schema,
  plannedExecution,
  scheduler,
  maskError,
  onDrift,
  now,
}: FastPathOptions): ExecuteWarmOperation {
  const executePlanned = plannedExecution
    ? createPlannedExecutor(schema, EXECUTION_OPTIONS)
    : undefined;

  return async (warmOperation, { session, store, isTraced, signal, mediaType, observer }) => {
    const { document, operation, variables, name } = warmOperation;
    observer.onOperation({ ...toOperationInfo(warmOperation), variables });
    const context = session.createContext(signal, observer.trace);
    observer.onExecuteStart('fast');
    let result: ExecutionResult<unknown>;
    try {
      const execution =
        executePlanned?.({ document, operation, variables, context }) ??
        execute({
          schema,
          document,
          contextValue: context,
          variableValues: variables,
          operationName: name,
          options: EXECUTION_OPTIONS,
        });
      // An operation that finds everything in memory has no promise to wait for.
      result = execution instanceof Promise ? await execution : execution;
    } finally {
      context.end();
      reportExecuted(context, observer, onDrift);
    }
    const turn = waitToSerialize(context, session, scheduler);
    if (turn) await turn;
    // The client has disconnected: skip the serialization.
    signal.throwIfAborted();
    const complete = withExtensions(result, document, context, isTraced, now());
    const errors = complete.errors?.map(maskError);
    const response = toGraphQLResponse(
      errors ? { ...complete, errors } : complete,
      complete.cacheControl ?? NO_STORE,
      mediaType,
      observer,
    );
    if (store && !errors) storeResponse(store, warmOperation, response.body, context);
    return response;
  };
}
