import { GraphQLError, type GraphQLSchema, getOperationAST, type OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { SubscriptionRecord } from './use-subscriptions.ts';

const MESSAGES: Readonly<Record<OperationTypeNode, string>> = {
  query: 'This API has no queries.',
  mutation: 'This API is read-only: it has no mutations. Send a query.',
  subscription:
    'This gateway has no subscriptions (SUBSCRIPTIONS). Send a query, and repeat it to see changes.',
};

const ONLY_SUBSCRIPTIONS =
  'A WebSocket carries only subscriptions: send this operation as an HTTP POST to the same path.';

/**
 * Rejects an operation whose type the schema does not have, or the transport does not carry, in plain
 * words. Before validation: the first error would otherwise be that a type of one of its variables is
 * unknown.
 */
export function useReadOnly(
  schema: GraphQLSchema,
): Plugin<{ subscriptionRecord: SubscriptionRecord }> {
  return {
    onParse({ context: { request, params, subscriptionRecord } }) {
      return ({ result }) => {
        if (result === null || result instanceof Error) return;
        const operation = getOperationAST(result, params.operationName);
        if (!operation) return;
        const isCarried =
          operation.operation === 'subscription' || subscriptionRecord.transport === undefined;
        if (isCarried && schema.getRootType(operation.operation)) return;
        throw new GraphQLError(isCarried ? MESSAGES[operation.operation] : ONLY_SUBSCRIPTIONS, {
          nodes: operation,
          extensions: {
            code: 'BAD_USER_INPUT',
            // GraphQL over HTTP demands 405 for a mutation by GET.
            http:
              request.method === 'GET' && operation.operation === 'mutation'
                ? { status: 405, headers: { allow: 'POST' } }
                : { spec: true, status: 400 },
          },
        });
      };
    },
  };
}
