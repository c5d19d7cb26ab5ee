import { type ExecutionResult, execute, type GraphQLError, type GraphQLSchema } from 'graphql';
import type { SessionSubscriber } from '#http/auth/session.ts';
import { withoutHttpExtension } from '#http/fast-path/graphql-response.ts';
import { EXECUTION_OPTIONS, withExtensions } from '#http/operation-result.ts';
import { type OnDrift, reportDrift } from '#http/report-operation.ts';
import type { AcceptedSubscription } from '#http/yoga/use-subscriptions.ts';
import type { ExecuteEvent, SerializedResult } from '#live/serialized-event.ts';

export interface ExecuteEventOptions {
  readonly schema: GraphQLSchema;
  readonly maskError: (error: unknown) => GraphQLError;
  readonly onDrift: OnDrift;
  /** Current time, in ms. */
  readonly now: () => number;
}

/**
 * Executes a subscription for one event, like a query: with a deadline, budgets and loaders of its
 * own.
 * @param isTraced whether each event has `extensions.upstream`
 */
export function createExecuteEvent(
  {
    document,
    operation,
    variables,
  }: Pick<AcceptedSubscription, 'document' | 'operation' | 'variables'>,
  createContext: SessionSubscriber['createEventContext'],
  isTraced: boolean,
  { schema, maskError, onDrift, now }: ExecuteEventOptions,
): ExecuteEvent {
  return async (event, pageOptions) => {
    const context = createContext(pageOptions);
    let result: ExecutionResult;
    try {
      result = await execute({
        schema,
        document,
        rootValue: event,
        contextValue: context,
        variableValues: variables,
        operationName: operation.name?.value,
        options: EXECUTION_OPTIONS,
      });
    } finally {
      context.end();
      reportDrift(context, onDrift);
    }
    const complete = withExtensions(result, document, context, isTraced, now());
    const errors = complete.errors?.map((error) => withoutHttpExtension(maskError(error)));
    return {
      ...serialize({ ...complete, errors }),
      hasMoreLookups: context.usage.dependencies.length > 0,
      requests: context.budget.sentRequests,
    };
  };
}

interface MaskedResult extends Omit<ExecutionResult, 'errors'> {
  readonly errors: readonly object[] | undefined;
}

function serialize(result: MaskedResult): SerializedResult {
  const { errors, data, extensions = {} } = result;
  const parts: string[] = [];
  if (errors?.length) parts.push(`"errors":${JSON.stringify(errors)}`);
  const dataAt = 'data' in result ? (parts[0]?.length ?? -1) + 2 : undefined;
  if (dataAt !== undefined) parts.push(`"data":${JSON.stringify(data)}`);
  const comparedJson = `{${parts.join(',')}}`;
  if (Object.keys(extensions).length > 0) parts.push(`"extensions":${JSON.stringify(extensions)}`);
  return { json: `{${parts.join(',')}}`, comparedJson, dataAt };
}
