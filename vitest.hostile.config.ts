import { createConfig } from './vitest.config.ts';

/** Attacks on a gateway process; latencies are measured, so one at a time. */
export default createConfig('hostile', ['test/hostile/**/*.hostile.ts'], { maxWorkers: 1 });
