import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);

/** What every suite shares; the others stand in `vitest.*.config.ts`. */
export function createConfig(suite: string, include: string[], more: { maxWorkers?: string } = {}) {
  return defineConfig({
    resolve: {
      // Yoga is loaded by Node and the tests by Vite: without this each gets its own copy of graphql,
      // and `instanceof GraphQLError` is false between them.
      alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }],
    },
    test: {
      include,
      ...more,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // The upstreams of tests are on this machine: no proxy of the environment stands between.
      env: { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' },
      // CI adds the suites up.
      reporters: process.env.CI ? ['default', ['json', { outputFile: `test-results/${suite}.json` }]] : ['default'],
    },
  });
}

// Vitest would leave one processor to whoever watches: of two, that is half.
export default createConfig('unit', ['test/**/*.test.ts'], { maxWorkers: '100%' });
