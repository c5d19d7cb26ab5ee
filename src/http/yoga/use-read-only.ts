import { GraphQLError, type GraphQLSchema, getOperationAST, type OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';

const MESSAGES: Readonly<Record<OperationTypeNode, string>> = {
  query: 'This API has no queries.',
  mutation: 'This API is read-only: it has no mutations. Send a query.',
  subscription:
    'This API is read-only and has no subscriptions. Send a query, and repeat it to see changes.',
};

/**
 * Rejects an operation whose type the schema does not have, in plain words. Before validation: the
 * first error would otherwise be that a type of one of its variables is unknown.
 */
export function useReadOnly(schema: GraphQLSchema): Plugin {
  return {
    onParse({ context: { request, params } }) {
      return ({ result }) => {
        if (result === null || result instanceof Error) return;
        const operation = getOperationAST(result, params.operationName);
        if (!operation || schema.getRootType(operation.operation)) return;
        throw new GraphQLError(MESSAGES[operation.operation], {
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
