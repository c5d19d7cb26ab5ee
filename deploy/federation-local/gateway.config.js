// Hive Gateway at http://127.0.0.1:4100/graphql.
import { defineConfig } from '@graphql-hive/gateway';
import { GraphQLError } from 'graphql';

export const gatewayConfig = defineConfig({
  supergraph: 'supergraph.graphql',
  host: '127.0.0.1',
  port: 4100,
  propagateHeaders: {
    // The demo requires neither. A gateway in pass-through mode needs the first, one with ROUTER_SECRETS the second.
    fromClientToSubgraphs: ({ request, subgraphName }) =>
      subgraphName === 'revox'
        ? {
            authorization: request.headers.get('authorization'),
            'router-authorization': process.env.REVOX_ROUTER_SECRET,
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
