// The configuration of hive.js, with subscriptions over WebSocket, as in docs/guides/federation.md.
import { defineConfig } from '@graphql-hive/gateway';
import { gatewayConfig as base } from './hive.js';

export const gatewayConfig = defineConfig({
  ...base,
  transportEntries: {
    revox: {
      options: {
        subscriptions: {
          kind: 'ws',
          location: '/graphql',
          options: {
            // The payload of `connection_init`. `propagateHeaders` does not count for WebSockets.
            connectionParams: {
              authorization: '{context.headers.authorization}',
              'router-authorization': process.env.REVOX_ROUTER_SECRET,
            },
          },
        },
      },
    },
  },
});
