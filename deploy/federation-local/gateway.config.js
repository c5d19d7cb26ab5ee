// Hive Gateway at http://127.0.0.1:4100/graphql.
import { defineConfig } from '@graphql-hive/gateway';

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
});
