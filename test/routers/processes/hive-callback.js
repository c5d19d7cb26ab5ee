// The configuration of hive.js, with subscriptions over HTTP callback, as in docs/guides/federation.md.
import { defineConfig, MemPubSub } from '@graphql-hive/gateway';
import { gatewayConfig as base } from './hive.js';

export const gatewayConfig = defineConfig({
  ...base,
  pubsub: new MemPubSub(),
  webhooks: true,
  transportEntries: {
    revox: {
      options: {
        subscriptions: {
          kind: 'http-callback',
          location: '/graphql',
          options: {
            path: '/callback',
            // Ends with `path`: where the gateway reaches this router.
            public_url: process.env.REVOX_CALLBACK_URL,
            // The gateway sends a check at 0.8 of this time, in ms.
            heartbeat_interval: 5_000,
          },
        },
      },
    },
  },
});
