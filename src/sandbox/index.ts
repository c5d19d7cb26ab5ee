/** A fake upstream for tests and trials, exported as `revox-graphql-gateway/sandbox`. */
export { type SampleIds, sampleIds } from './sample-ids.ts';
export { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
export { serveSandbox } from './serve-sandbox.ts';
