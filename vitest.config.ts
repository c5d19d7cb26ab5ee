import { createRequire } from 'node:module';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';
import type { InlineConfig } from 'vitest/node';

const require = createRequire(import.meta.url);
const SOURCE = join(import.meta.dirname, 'src');

/** Tests that measure the heap or replace modules: each needs a process of its own. */
const ISOLATED = ['test/http/parser-cache.test.ts', 'test/integration/isolation.test.ts'];

/**
 * Behaviour that must be the same on every pipeline. The other files of `test/http` choose no
 * pipeline.
 */
const PIPELINE_TESTS = [
  'test/integration/**/*.test.ts',
  'test/http/jwt.test.ts',
  'test/http/lazy-loading.test.ts',
];
/** Tests with real client libraries. Some wait for the timers of a library. */
const CLIENT_TESTS = ['test/clients/**/*.test.ts'];
/** Properties that hold for random documents, data and faults. */
const FUZZ_TESTS = ['test/**/*.fuzz.test.ts'];
/** Tests that send each request through all pipelines. */
const PIPELINE_COMPARISONS = [
  'test/http/fast-path.test.ts',
  'test/integration/cached-response-isolation.test.ts',
  'test/integration/cached-response-validity.test.ts',
  'test/integration/cached-responses.test.ts',
  'test/sockets/pipeline-equivalence.test.ts',
];
/**
 * Tests that wait for real time limits, start processes, or send very many requests over sockets.
 * `npm ci && npm test` must end within two minutes, so only `test:pipelines` runs them.
 */
const REAL_TIME_TESTS = [
  'test/cli/launcher.test.ts',
  'test/integration/many-subscribers.test.ts',
  'test/integration/many-unaccepted-keys.test.ts',
  'test/sockets/access-matrix-handshakes.test.ts',
  'test/sockets/access-matrix-sockets.test.ts',
  'test/sockets/callback-drain.test.ts',
  'test/sockets/callback-subscriptions.test.ts',
  'test/sockets/cors-rejections.test.ts',
  'test/sockets/embedded-process.test.ts',
  'test/sockets/event-streams.test.ts',
  'test/sockets/half-closed-clients.test.ts',
  'test/sockets/half-open-clients.test.ts',
  'test/sockets/hostile-web-sockets.test.ts',
  'test/sockets/idle-clients.test.ts',
  'test/sockets/paths.test.ts',
  'test/sockets/recorded-routers.test.ts',
  'test/sockets/rejected-requests.test.ts',
  'test/sockets/request-media-types.test.ts',
  'test/sockets/silent-connections.test.ts',
  'test/sockets/slow-clients.test.ts',
  'test/sockets/unread-responses.test.ts',
  'test/sockets/web-pages.test.ts',
  'test/sockets/web-socket-credentials.test.ts',
  'test/sockets/web-socket-endings.test.ts',
  'test/sockets/web-socket-upgrades.test.ts',
  'test/sockets/web-sockets.test.ts',
  'test/sockets/webhooks.test.ts',
];
/**
 * Tests that no pipeline can affect: their clients send streams, which Yoga opens on every pipeline,
 * their connections send no complete request, their gateway is another process, or their subject is
 * the upstream connection or what the gateway knows of a key.
 */
const SAME_ON_EVERY_PIPELINE = [
  'test/integration/access-matrix-streams.test.ts',
  'test/integration/cached-responses.fuzz.test.ts',
  'test/integration/many-subscribers.test.ts',
  'test/integration/many-unaccepted-keys.test.ts',
  'test/integration/pipelines.test.ts',
  'test/integration/subscription-calls.test.ts',
  'test/integration/subscription-campaigns.test.ts',
  'test/integration/subscription-ends.test.ts',
  'test/integration/subscription-executions.test.ts',
  'test/integration/subscription-feed*.test.ts',
  'test/integration/subscription-lists.test.ts',
  'test/integration/subscription-metrics.test.ts',
  'test/integration/webhook-requests.test.ts',
  'test/sockets/access-matrix-*.test.ts',
  'test/sockets/callback-drain.test.ts',
  'test/sockets/callback-subscriptions.test.ts',
  'test/sockets/demo.test.ts',
  'test/sockets/drain.test.ts',
  'test/sockets/embedded-process.test.ts',
  'test/sockets/event-streams.test.ts',
  'test/sockets/failure-causes.test.ts',
  'test/sockets/failure-conditions.test.ts',
  'test/sockets/half-open-clients.test.ts',
  'test/sockets/hostile-web-sockets.test.ts',
  'test/sockets/log-output.test.ts',
  'test/sockets/recorded-routers.test.ts',
  'test/sockets/sandbox-webhooks.test.ts',
  'test/sockets/silent-connections.test.ts',
  'test/sockets/trusted-documents-startup.test.ts',
  'test/sockets/web-pages.test.ts',
  'test/sockets/web-socket*.test.ts',
];
const NOT_PIPELINE_TESTS = [...ISOLATED, ...PIPELINE_COMPARISONS, ...SAME_ON_EVERY_PIPELINE];

/**
 * `expect.poll` waits for processes and sockets, which a busy machine delays by seconds: the default
 * of one second fails tests whose condition still comes true.
 */
const POLL = { timeout: 30_000 };

/** The upstreams of tests are on this machine: no proxy of the environment stands between. */
const ENV = { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' };

/** Named by the script: `redis` for `npm run test:redis`. */
const SUITE = process.env.npm_lifecycle_event?.replace(/^test:?/, '') || 'unit';

/** `npm test` runs `unit` and `isolated`. The other projects need a program, a quiet machine or time; each has a script. */
export default defineConfig({
  resolve: {
    // Node loads Yoga and Vite loads the tests. Without this each gets its own copy of graphql, and `instanceof GraphQLError` is false between them.
    alias: [
      { find: /^graphql$/, replacement: require.resolve('graphql/index.js') },
      // Examples of the guides import the package as applications do.
      { find: /^revox-graphql-gateway$/, replacement: join(SOURCE, 'index.ts') },
      { find: /^revox-graphql-gateway\/sandbox$/, replacement: join(SOURCE, 'sandbox/index.ts') },
    ],
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
          ...CLIENT_TESTS,
          ...FUZZ_TESTS,
          ...PIPELINE_COMPARISONS,
          ...REAL_TIME_TESTS,
        ],
        isolate: false,
      }),
      project('isolated', ISOLATED),
      project('fuzz', FUZZ_TESTS),
      project('pipeline-comparisons', PIPELINE_COMPARISONS),
      // With every pipeline on, as `unit` has them.
      project('real-time', REAL_TIME_TESTS, { isolate: false }),
      // Sockets distinguish only the responses of Yoga from those of the other pipelines.
      pipeline('yoga-only', [...PIPELINE_TESTS, 'test/sockets/**/*.test.ts'], {
        FAST_PATH: 'off',
        RESPONSE_CACHE: 'off',
      }),
      pipeline('no-fast-path', PIPELINE_TESTS, { FAST_PATH: 'off' }),
      pipeline('no-planned-execution', PIPELINE_TESTS, {
        PLANNED_EXECUTION: 'off',
        RESPONSE_CACHE: 'off',
      }),
      pipeline('no-response-cache', PIPELINE_TESTS, { RESPONSE_CACHE: 'off' }),
      project('faults', ['test/faults/**/*.faults.ts']),
      // Outages under load take 20 s on a quiet machine, and 45 s on one with a load of 20.
      project('redis', ['test/redis/**/*.redis.ts'], { testTimeout: 180_000 }),
      // Several routers start at the same time, some of them within a test.
      project('routers', ['test/routers/**/*.routers.ts'], { testTimeout: 180_000 }),
      // Concurrent tests wait for the reconnect timers of clients, and for one another.
      project('clients', CLIENT_TESTS, { maxConcurrency: 20, testTimeout: 180_000 }),
      project('browser', ['test/browser/**/*.browser.ts']),
      project('examples', ['test/examples/**/*.examples.ts']),
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

/** @param off the pipelines that the gateways of the tests do not have */
function pipeline(name: string, include: string[], off: Readonly<Record<string, 'off'>>) {
  return project(name, include, {
    exclude: NOT_PIPELINE_TESTS,
    isolate: false,
    env: { ...ENV, ...off },
  });
}

function project(name: string, include: string[], more: Partial<InlineConfig> = {}) {
  return {
    extends: true as const,
    test: {
      name,
      include,
      testTimeout: 60_000,
      // Hooks start browsers, clusters and several routers at the same time.
      hookTimeout: 180_000,
      expect: { poll: POLL },
      env: ENV,
      ...more,
    },
  };
}
