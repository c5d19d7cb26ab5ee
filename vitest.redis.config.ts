import { createConfig } from './vitest.config.ts';

/** What needs a redis-server on the machine: apart from `npm test`, which runs everywhere. */
export default createConfig('redis', ['test/redis/**/*.redis.ts']);
