// The configuration of hive.js, with the extensions of the subgraph `revox`.
import { defineConfig } from '@graphql-hive/gateway';
import { forwardExtensions } from './forward-extensions.js';
import { gatewayConfig as base } from './hive.js';

export const gatewayConfig = defineConfig({
  ...base,
  plugins: () => [...base.plugins(), forwardExtensions()],
});
