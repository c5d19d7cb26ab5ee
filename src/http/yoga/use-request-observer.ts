import { getOperationAST } from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { type OnDrift, reportError, reportExecuted } from '#http/report-operation.ts';
import type { RequestObserver } from '#observability/request-observer.ts';

/** Tells who watches a request what only GraphQL knows of it: what is asked for, what it took, and what became of it. */
export function useRequestObserver(
  onDrift: OnDrift,
): Plugin<RequestContext & YogaInitialContext & { observer: RequestObserver }, { observer: RequestObserver }> {
  return {
    onValidate({ params: { documentAST }, context }) {
      const { query, variables, operationName } = context.params;
      const operation = getOperationAST(documentAST, operationName);
      if (!operation) return;
      context.observer.onOperation({ type: operation.operation, name: operation.name?.value, document: query ?? '', variables });
    },
    onExecute({ args: { contextValue } }) {
      contextValue.observer.onExecuteStart();
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
