// The configuration file of Hive Gateway. Environment: ROUTER_SECRET.
import { defineConfig } from '@graphql-hive/gateway';

export const gatewayConfig = defineConfig({
  propagateHeaders: {
    fromClientToSubgraphs: ({ request, subgraphName }) =>
      subgraphName === 'revox'
        ? {
            authorization: request.headers.get('authorization'),
            'router-authorization': process.env.ROUTER_SECRET,
          }
        : {},
  },
});
