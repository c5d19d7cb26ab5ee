import { type GraphQLError, getOperationAST } from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import type { RequestWatch } from '#observability/request-watch.ts';

/** Hears of a value in an answer of the upstream that was not as promised. */
export type OnDrift = (kind: string, type: string, field: string, times: number) => void;

/** Tells who watches a request what only GraphQL knows of it: what is asked for, what it took, and what became of it. */
export function useWatch(
  onDrift: OnDrift,
): Plugin<RequestContext & YogaInitialContext & { watch: RequestWatch }, { watch: RequestWatch }> {
  return {
    onValidate({ params: { documentAST }, context }) {
      const { query, variables, operationName } = context.params;
      const operation = getOperationAST(documentAST, operationName);
      if (!operation) return;
      context.watch.onAsked({ type: operation.operation, name: operation.name?.value, document: query ?? '', variables });
    },
    onExecute({ args: { contextValue } }) {
      contextValue.watch.onExecute();
      return {
        onExecuteDone() {
          tellExecuted(contextValue, contextValue.watch, onDrift);
        },
      };
    },
    onResultProcess({ result, serverContext }) {
      if (Symbol.asyncIterator in result || Array.isArray(result)) return;
      tellError(result, serverContext.watch);
    },
  };
}

/** Tells what an operation took. */
export function tellExecuted({ account, budget, oddities }: RequestContext, watch: RequestWatch, onDrift: OnDrift): void {
  const { counts, waitedMs } = account;
  const { cache: cacheHits, coalesced, stale } = counts;
  watch.onExecuted({ waitedMs, upstreamRequests: budget.sent, cacheHits, coalesced, stale });
  for (const { kind, type, field, count } of oddities.drift) onDrift(kind, type, field, count);
}

/** Tells what became of it, if that is an error. */
export function tellError({ errors: [first] = [] }: { readonly errors?: readonly GraphQLError[] }, watch: RequestWatch): void {
  if (first) watch.onError(String(first.extensions?.code ?? 'INTERNAL_SERVER_ERROR'));
}
