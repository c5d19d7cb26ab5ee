import { createConfig } from './vitest.config.ts';

/** What operations cost in requests and in memory: figures that are the same on every machine. */
export default createConfig('cost', ['bench/gate.ts']);
