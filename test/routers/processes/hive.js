// The configuration file of Hive Gateway, as in docs/guides/federation.md.
import { defineConfig } from '@graphql-hive/gateway';
import { GraphQLError } from 'graphql';

export const gatewayConfig = defineConfig({
  propagateHeaders: {
    fromClientToSubgraphs: ({ request, subgraphName }) =>
      subgraphName === 'revox'
        ? {
            'router-authorization': process.env.REVOX_ROUTER_SECRET,
            authorization: request.headers.get('authorization'),
          }
        : {},
  },
  plugins: () => [requireEventStream()],
  // Subscriptions by POST. The default is GET, with the whole document in the URL.
  transportEntries: { revox: { options: { method: 'POST' } } },
});

/**
 * Hive Gateway sends its clients event streams only. It would refuse another client with 406 after
 * it has subscribed at the subgraph, and keep that subscription.
 */
function requireEventStream() {
  return {
    onSubscribe({ args, setResultAndStopExecution }) {
      const accept = args.contextValue.request?.headers.get('accept');
      if (!accept || /text\/event-stream|\*\/\*/.test(accept)) return;
      const message = 'Subscriptions are event streams: Accept must contain text/event-stream.';
      setResultAndStopExecution({ errors: [new GraphQLError(message)] });
    },
  };
}
