import {
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { createPlannedExecutor } from '#execution/executor.ts';
import { ResponseData } from '#execution/response-data.ts';
import type { SessionSubscriber } from '#http/auth/session.ts';
import { withoutHttpExtension } from '#http/fast-path/graphql-response.ts';
import { EXECUTION_OPTIONS, withExtensions } from '#http/operation-result.ts';
import { type OnDrift, reportDrift } from '#http/report-operation.ts';
import type { AcceptedSubscription } from '#http/yoga/use-subscriptions.ts';
import type { ExecuteEvent, SerializedResult } from '#live/serialized-event.ts';
import { type EventContext, toEventOperation, toEventSchema } from './event-schema.ts';

export interface ExecuteEventOptions {
  readonly schema: GraphQLSchema;
  /** False: graphql-js executes every event. */
  readonly plannedExecution: boolean;
  readonly maskError: (error: unknown) => GraphQLError;
  readonly onDrift: OnDrift;
  /** Current time, in ms. */
  readonly now: () => number;
}

/** Creates the execution of the events of a subscription. */
export type CreateExecuteEvent = (
  subscription: Pick<AcceptedSubscription, 'document' | 'operation' | 'variables'>,
  createContext: SessionSubscriber['createEventContext'],
  /** Whether each event has `extensions.upstream`. */
  isTraced: boolean,
) => ExecuteEvent;

/**
 * Executes a subscription for one event, like a query: by a plan, with a deadline, budgets and
 * loaders of its own.
 */
export function createEventExecution({
  schema,
  plannedExecution,
  maskError,
  onDrift,
  now,
}: ExecuteEventOptions): CreateExecuteEvent {
  const executePlanned = plannedExecution
    ? createPlannedExecutor(toEventSchema(schema), EXECUTION_OPTIONS)
    : undefined;
  /** By operation, because a plan belongs to its operation. */
  const eventOperations = new WeakMap<OperationDefinitionNode, OperationDefinitionNode>();

  return (subscription, createContext, isTraced) => {
    const { document, operation, variables } = subscription;
    const eventOperation = eventOperations.get(operation) ?? toEventOperation(operation);
    eventOperations.set(operation, eventOperation);
    return async (event, pageOptions) => {
      const context: EventContext = { ...createContext(pageOptions), event };
      let result: ExecutionResult<unknown>;
      try {
        result = await (executePlanned?.({
          document,
          operation: eventOperation,
          variables,
          context,
        }) ??
          execute({
            schema,
            document,
            rootValue: event,
            contextValue: context,
            variableValues: variables,
            operationName: operation.name?.value,
            options: EXECUTION_OPTIONS,
          }));
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
  };
}

interface MaskedResult extends Omit<ExecutionResult<unknown>, 'errors'> {
  readonly errors: readonly object[] | undefined;
}

function serialize(result: MaskedResult): SerializedResult {
  const { errors, data, extensions = {} } = result;
  const parts: string[] = [];
  if (errors?.length) parts.push(`"errors":${JSON.stringify(errors)}`);
  const dataAt = 'data' in result ? (parts[0]?.length ?? -1) + 2 : undefined;
  if (dataAt !== undefined)
    parts.push(`"data":${data instanceof ResponseData ? data.toJson() : JSON.stringify(data)}`);
  const comparedJson = `{${parts.join(',')}}`;
  if (Object.keys(extensions).length > 0) parts.push(`"extensions":${JSON.stringify(extensions)}`);
  return { json: `{${parts.join(',')}}`, comparedJson, dataAt };
}
