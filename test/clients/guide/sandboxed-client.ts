import { ApolloClient, HttpLink } from '@apollo/client';
import { createGateway, readSettings } from 'revox-graphql-gateway';
import { createSandbox } from 'revox-graphql-gateway/sandbox';
import { createCache } from './apollo-cache.ts';

/** A client, a gateway and a Revox API in the process of the test, without a port. */
export function createSandboxedClient() {
  const sandbox = createSandbox();
  const gateway = createGateway(
    readSettings({ REVOX_BASE_URL: 'http://revox.test/api', REVOX_API_KEY: 'sk_demo_a' }),
    {
      fetch: sandbox.fetch,
      log: { info() {}, error() {}, unexpected: console.error },
    },
  );
  const client = new ApolloClient({
    cache: createCache(),
    link: new HttpLink({
      uri: 'http://localhost/graphql',
      fetch: (input, init) => gateway.fetch(new Request(input, init)),
    }),
  });
  return {
    client,
    control: sandbox.control,
    async dispose() {
      client.stop();
      await gateway.dispose();
    },
  };
}
