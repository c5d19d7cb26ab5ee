import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import {
  CombinedGraphQLErrors,
  CombinedProtocolErrors,
  graphQLResultHasProtocolErrors,
  PROTOCOL_ERRORS_SYMBOL,
  ServerError,
} from '@apollo/client/errors';
import { SetContextLink } from '@apollo/client/link/context';
import { OperationTypeNode } from 'graphql';
import { map, retry, throwError, timer } from 'rxjs';

/** Subscribes again after an interruption, which Apollo Client takes for the end. */
const resubscribeLink = new ApolloLink((operation, forward) =>
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

export function createApolloClient(url: string, readToken: () => string) {
  const tokenLink = new SetContextLink(({ headers }) => ({
    headers: { ...headers, authorization: `Bearer ${readToken()}` },
  }));
  const httpLink = new HttpLink({ uri: url });
  return new ApolloClient({
    link: ApolloLink.from([resubscribeLink, tokenLink, httpLink]),
    cache: new InMemoryCache({ possibleTypes: { Node: ['Assistant', 'Call', 'Campaign'] } }),
  });
}
