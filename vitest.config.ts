import { createRequire } from 'node:module';
import { configDefaults, defineConfig } from 'vitest/config';
import type { InlineConfig } from 'vitest/node';

const require = createRequire(import.meta.url);

/** What every suite shares; the others stand in `vitest.*.config.ts`. */
export function createConfig(
  suite: string,
  include: string[],
  more: Pick<InlineConfig, 'maxWorkers' | 'projects' | 'testTimeout'> = {},
) {
  return defineConfig({
    resolve: {
      // Yoga is loaded by Node and the tests by Vite: without this each gets its own copy of graphql,
      // and `instanceof GraphQLError` is false between them.
      alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }],
    },
    test: {
      include,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      ...more,
      // The upstreams of tests are on this machine: no proxy of the environment stands between.
      env: { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' },
      // CI adds the suites up.
      reporters: process.env.CI ? ['default', ['json', { outputFile: `test-results/${suite}.json` }]] : ['default'],
    },
  });
}

/** What measures the heap, or swaps one module for another, has a process to itself. */
const ALONE = ['test/http/document-cache.test.ts', 'test/hostile/blocking.test.ts', 'test/contract/isolation.test.ts'];

export default createConfig('unit', [], {
  // Vitest would leave one processor to whoever watches: of two, that is half.
  maxWorkers: '100%',
  // Loading the modules takes longer than most files: the others share what is loaded. No module of ours keeps state for a test to find.
  projects: [
    // Packages bring tests of their own: those of the routers stand below `test/`.
    {
      extends: true,
      test: {
        name: 'unit',
        include: ['test/**/*.test.ts'],
        exclude: [...configDefaults.exclude, ...ALONE],
        isolate: false,
      },
    },
    { extends: true, test: { name: 'alone', include: ALONE } },
  ],
});
