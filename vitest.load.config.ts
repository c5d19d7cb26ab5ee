import { createConfig } from './vitest.config.ts';

/** A process under load, and who of its users feels it: timings, each compared with another of the same run. */
export default createConfig('load', ['test/load/**/*.load.ts'], { testTimeout: 180_000 });
