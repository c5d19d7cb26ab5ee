import { getOperationAST } from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { type OnDrift, reportError, reportExecuted } from '#http/report-operation.ts';
import type { RequestObserver } from '#observability/request-observer.ts';

/**
 * Reports to the observer what is known only inside of Yoga: the operation of a request, its
 * upstream requests and its error.
 */
export function useRequestObserver(
  onDrift: OnDrift,
): Plugin<
  RequestContext & YogaInitialContext & { observer: RequestObserver },
  { observer: RequestObserver }
> {
  return {
    onValidate({ params: { documentAST }, context }) {
      const { query, variables, operationName } = context.params;
      const operation = getOperationAST(documentAST, operationName);
      if (!operation) return;
      context.observer.onOperation({
        type: operation.operation,
        name: operation.name?.value,
        document: query ?? '',
        variables,
      });
    },
    onExecute({ args: { contextValue } }) {
      contextValue.observer.onExecuteStart('yoga');
      return {
        onExecuteDone() {
          reportExecuted(contextValue, contextValue.observer, onDrift);
        },
      };
    },
    onResultProcess({ result, serverContext }) {
      if (Symbol.asyncIterator in result || Array.isArray(result)) return;
      reportError(result, serverContext.observer);
    },
  };
}
