import { createConfig } from './vitest.config.ts';

/** What starts processes and installs packages as those do who run the gateway: apart from `npm test`, which is quick. */
export default createConfig('deploy', ['test/deploy/**/*.deploy.ts']);
