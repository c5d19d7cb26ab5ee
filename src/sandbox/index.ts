/** A fake upstream for tests and trials, exported as `revox-graphql-gateway/sandbox`. */
export {
  createDemoEndpoints,
  type DemoEndpoints,
  type DemoEndpointsOptions,
} from './demo-endpoints.ts';
export { type SampleIds, sampleIds } from './sample-ids.ts';
export { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
export { type ServeSandboxOptions, serveSandbox } from './serve-sandbox.ts';
export type { WebhookOptions } from './webhooks.ts';
