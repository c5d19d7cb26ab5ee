/** Apollo Client in the process of the gateway: without a port, over `gateway.fetch`. */
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { createGateway, readSettings } from 'revox-graphql-gateway';
import { ERROR_CODES, type ErrorExtensions } from 'revox-graphql-gateway/extensions';
import { createSandbox, sampleIds } from 'revox-graphql-gateway/sandbox';
import { waitBeforeRetry } from './retry-delay.js';

const sandbox = createSandbox();
const gateway = createGateway(
  readSettings({
    REVOX_BASE_URL: `http://sandbox.test${sandbox.basePath}`,
    REVOX_API_KEY: 'sk_demo_a',
    LOG_LEVEL: 'error',
  }),
  { fetch: sandbox.fetch },
);
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: new HttpLink({
    uri: 'http://localhost/graphql',
    fetch: (url, init) => gateway.fetch(new Request(url, init)),
  }),
});

const ids = sampleIds(sandbox);
const { data } = await client.query<{ call: { id: string } | null }, { id: string }>({
  query: gql`query OneCall($id: ID!) { call(id: $id) { id } }`,
  variables: { id: ids.richCallId },
});
sandbox.control.fail('/campaigns', { status: 429, headers: { 'retry-after': '40' } });
const failure = await client
  .query({ query: gql`query Campaigns { campaigns(first: 1) { nodes { id } } }` })
  .catch((error: unknown) => error);
const extensions: Partial<ErrorExtensions> = CombinedGraphQLErrors.is(failure)
  ? (failure.errors[0]?.extensions ?? {})
  : {};
const results = {
  isSameCall: data?.call?.id === ids.richCallId,
  upstream: sandbox.log.map(
    ({ path, status }) => `${path.replace(/\?.*|[0-9a-f-]{36}/, '')} ${status}`,
  ),
  code: extensions.code,
  isKnown: ERROR_CODES.some((code) => code === extensions.code),
  waitMs: waitBeforeRetry(extensions),
  node: process.versions.node.split('.')[0],
};
client.stop();
await gateway.dispose();
process.stdout.write(`${JSON.stringify(results)}\n`);
