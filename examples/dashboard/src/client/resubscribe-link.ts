import { ApolloLink } from '@apollo/client';
import {
  CombinedGraphQLErrors,
  CombinedProtocolErrors,
  graphQLResultHasProtocolErrors,
  PROTOCOL_ERRORS_SYMBOL,
  ServerError,
} from '@apollo/client/errors';
import { OperationTypeNode } from 'graphql';
import { map, retry, throwError, timer } from 'rxjs';

/** Subscribes again after an interruption, which Apollo Client takes for the end. */
export const resubscribeLink = new ApolloLink((operation, forward) =>
  operation.operationType === OperationTypeNode.SUBSCRIPTION
    ? forward(operation).pipe(
        map((result) => {
          if (graphQLResultHasProtocolErrors(result))
            throw result.extensions[PROTOCOL_ERRORS_SYMBOL];
          if ('data' in result) return result;
          throw new CombinedGraphQLErrors(result);
        }),
        retry({
          delay(error) {
            const seconds = toRetryAfter(error);
            return seconds === undefined ? throwError(() => error) : timer(1000 * seconds);
          },
        }),
      )
    : forward(operation),
);

/** In seconds. Undefined: an error that another attempt does not mend. */
function toRetryAfter(error: unknown): number | undefined {
  if (CombinedProtocolErrors.is(error) || CombinedGraphQLErrors.is(error))
    return error.errors[0]?.extensions?.retryAfter as number | undefined;
  if (!ServerError.is(error)) return 3;
  const header = error.response.headers.get('retry-after');
  return header === null ? undefined : Number(header);
}
