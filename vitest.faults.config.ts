import { createConfig } from './vitest.config.ts';

/** An upstream that goes wrong in every way, over real sockets and in real time. */
export default createConfig('faults', ['test/faults/**/*.faults.ts']);
