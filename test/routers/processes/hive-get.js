// The configuration of hive.js, with subscriptions by GET, as Hive Gateway sends them by default.
import { defineConfig } from '@graphql-hive/gateway';
import { gatewayConfig as base } from './hive.js';

export const gatewayConfig = defineConfig({ ...base, transportEntries: {} });
