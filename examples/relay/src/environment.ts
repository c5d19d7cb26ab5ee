import {
  Environment,
  type FetchFunction,
  type GraphQLResponse,
  Network,
  RecordSource,
  Store,
} from 'relay-runtime';
import { keepRawValues } from './raw-values.ts';
import { RequestError } from './request-error.ts';

export function createEnvironment(): Environment {
  return new Environment({
    network: Network.create(fetchQuery),
    store: new Store(new RecordSource()),
  });
}

/** An operation has a text in development, and an id in a production build. */
const fetchQuery: FetchFunction = async ({ id, text }, variables) => {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ doc_id: id, query: text, variables }),
  });
  const result = await response.json();
  // Relay would store a page that failed as null, and lose the pages before it.
  if (result.errors) throw new RequestError(result.errors);
  keepRawValues(result);
  return result as GraphQLResponse;
};
