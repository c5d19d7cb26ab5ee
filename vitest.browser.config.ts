import { createConfig } from './vitest.config.ts';

/** What needs a browser on the machine: apart from `npm test`, which runs everywhere. */
export default createConfig('browser', ['test/browser/**/*.browser.ts']);
