import { createRequire } from 'node:module';
import { configDefaults, defineConfig } from 'vitest/config';
import type { InlineConfig } from 'vitest/node';

const require = createRequire(import.meta.url);

/** Tests that measure the heap or replace modules: each needs a process of its own. */
const ISOLATED = ['test/http/parser-cache.test.ts', 'test/integration/isolation.test.ts'];

/** Behaviour that must be the same on every pipeline. */
const PIPELINE_TESTS = [
  'test/integration/**/*.test.ts',
  'test/http/**/*.test.ts',
  'test/sockets/**/*.test.ts',
];
/** Tests that send each request through all pipelines, over sockets. */
const PIPELINE_COMPARISONS = ['test/sockets/pipeline-equivalence.test.ts'];
/**
 * Tests that wait for real time limits, start processes, or send very many requests over sockets.
 * `npm ci && npm test` must end within two minutes, so only `test:pipelines` runs them.
 */
const REAL_TIME_TESTS = [
  'test/sockets/cors-rejections.test.ts',
  'test/sockets/embedded-process.test.ts',
  'test/sockets/half-closed-clients.test.ts',
  'test/sockets/idle-clients.test.ts',
  'test/sockets/paths.test.ts',
  'test/sockets/rejected-requests.test.ts',
  'test/sockets/request-media-types.test.ts',
  'test/sockets/silent-connections.test.ts',
  'test/sockets/slow-clients.test.ts',
  'test/sockets/unread-responses.test.ts',
  'test/sockets/web-pages.test.ts',
];
/** The demo runs in its own process, which has both pipelines. */
const NOT_PIPELINE_TESTS = [...ISOLATED, ...PIPELINE_COMPARISONS, 'test/sockets/demo.test.ts'];

/** The upstreams of tests are on this machine: no proxy of the environment stands between. */
const ENV = { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' };

/** Named by the script: `redis` for `npm run test:redis`. */
const SUITE = process.env.npm_lifecycle_event?.replace(/^test:?/, '') || 'unit';

/** `npm test` runs `unit` and `isolated`. The other projects need a program, a quiet machine or time; each has a script. */
export default defineConfig({
  resolve: {
    // Node loads Yoga and Vite loads the tests. Without this each gets its own copy of graphql, and `instanceof GraphQLError` is false between them.
    alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }],
  },
  test: {
    // CI adds up the counts of all suites.
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: `test-results/${SUITE}.json` }]]
      : ['default'],
    projects: [
      // Loading the modules takes longer than most files, so they share what is loaded. No module keeps state.
      project('unit', ['test/**/*.test.ts'], {
        exclude: [
          ...configDefaults.exclude,
          ...ISOLATED,
          ...PIPELINE_COMPARISONS,
          ...REAL_TIME_TESTS,
        ],
        isolate: false,
      }),
      project('isolated', ISOLATED),
      project('fuzz', ['test/**/*.fuzz.test.ts']),
      project('pipeline-comparisons', PIPELINE_COMPARISONS),
      project('yoga-only', PIPELINE_TESTS, {
        exclude: NOT_PIPELINE_TESTS,
        isolate: false,
        env: { ...ENV, FAST_PATH: 'off', RESPONSE_CACHE: 'off' },
      }),
      project('no-fast-path', PIPELINE_TESTS, {
        exclude: NOT_PIPELINE_TESTS,
        isolate: false,
        env: { ...ENV, FAST_PATH: 'off' },
      }),
      project('no-planned-execution', PIPELINE_TESTS, {
        exclude: NOT_PIPELINE_TESTS,
        isolate: false,
        env: { ...ENV, PLANNED_EXECUTION: 'off', RESPONSE_CACHE: 'off' },
      }),
      project('no-response-cache', PIPELINE_TESTS, {
        exclude: NOT_PIPELINE_TESTS,
        isolate: false,
        env: { ...ENV, RESPONSE_CACHE: 'off' },
      }),
      project('faults', ['test/faults/**/*.faults.ts']),
      project('redis', ['test/redis/**/*.redis.ts']),
      project('routers', ['test/routers/**/*.routers.ts']),
      project('browser', ['test/browser/**/*.browser.ts']),
      project('deploy', ['test/deploy/**/*.deploy.ts']),
      project('ops', ['test/observability-e2e/**/*.ops.ts']),
      // Latencies are measured, so one file at a time.
      project('security', ['test/security/**/*.security.ts'], { fileParallelism: false }),
      project('load', ['test/load/**/*.load.ts'], { testTimeout: 180_000 }),
      project('soak', ['test/soak/**/*.soak.ts']),
      project('cost', ['bench/cost-gate.ts']),
    ],
  },
});

function project(name: string, include: string[], more: Partial<InlineConfig> = {}) {
  return {
    extends: true as const,
    test: { name, include, testTimeout: 60_000, hookTimeout: 60_000, env: ENV, ...more },
  };
}
