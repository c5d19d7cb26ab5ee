import { createConfig } from './vitest.config.ts';

/** What those who run the gateway use: a real Prometheus, a collector of traces. Apart from `npm test`, which runs everywhere. */
export default createConfig('ops', ['test/ops/**/*.ops.ts']);
