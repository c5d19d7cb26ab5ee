import { createConfig } from './vitest.config.ts';

/** What needs the composers and routers of `test/routers/processes/package.json`: apart from `npm test`, which runs without them. */
export default createConfig('routers', ['test/routers/**/*.routers.ts']);
