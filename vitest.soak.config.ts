import { createConfig } from './vitest.config.ts';

/** What takes long and measures the process as a whole. */
export default createConfig('soak', ['test/soak/**/*.soak.ts']);
