import { readdirSync, readFileSync, statSync } from 'node:fs';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';

/**
 * The layers, with the layers that each may import and the packages that it may use. `(types)`
 * allows types only. A layer is a folder; the files at the top of `src` and of `src/http` are
 * layers of one file. Imports are `./` within a folder and `#layer/…` between folders; only
 * generated files use others.
 */
const ALLOWED_IMPORTS: { readonly [layer: string]: string } = {
  binding: 'errors, extensions.ts (types), generated, graphql, rest, rest/transport',
  cache: 'cancellation.ts, errors, extensions.ts (types), lru-cache, rest',
  'cancellation.ts': '',
  'cache/redis':
    'cache, generated, lru-cache, node:crypto, node:util, node:zlib, redis, rest/transport',
  cli: 'config, doctor, drain.ts, gateway.ts, generated, node:net (types), node:util, node:v8, observability, sandbox, server, system-clock.ts',
  config: 'check-arguments.ts, node:fs, node:path, node:util, zod',
  context:
    'binding, cache (types), cancellation.ts, errors, extensions.ts (types), loaders, lru-cache, pagination (types), rest, rest/resilience (types), live (types)',
  coordination:
    'cache (types), cache/redis, config, generated, live, node:crypto, redis, rest/resilience',
  doctor:
    'binding, config, doctor/services, errors, extensions.ts (types), generated, node:diagnostics_channel, node:util, pagination, plural.ts, rest, rest/resilience, rest/transport, system-clock.ts',
  'doctor/services': 'redis, config, doctor (types), errors, http/auth, jose, rest/transport',
  'check-arguments.ts': '',
  'drain.ts': 'node:http (types), node:net',
  execution: 'binding, graphql',
  'extensions.ts': 'errors',
  federation: 'context (types), errors, generated, graphql, resolvers',
  'gateway-interface.ts':
    'http/error-response.ts (types), http/message.ts (types), http/websocket (types)',
  'gateway-options.ts':
    'check-arguments.ts, http/example-operation.ts (types), observability (types)',
  'gateway.ts':
    'cache, cache/redis, config, context, coordination, federation, gateway-options.ts, http/auth, http/callback, http/documents, http/handler.ts, http/limits, http/response-cache, http/routes.ts, observability, pagination, rest, rest/resilience, rest/transport, system-clock.ts, live, gateway-interface.ts (types)',
  generated: 'context (types), graphql (types), pagination (types)',
  'http/auth':
    'cancellation.ts (types), context (types), errors, http/error-response.ts, http/headers, http/limits (types), http/message.ts, http/response-cache (types), jose, node:crypto, live (types)',
  'http/callback': 'config, errors, http/streams, live, rest/transport',
  'http/compression.ts':
    'http/error-response.ts, http/headers, http/message.ts, node:util, node:zlib',
  'http/decode-body.ts':
    'errors, graphql, http/headers (types), http/read-body.ts, node:stream/promises, node:zlib',
  'http/documents':
    'cache, graphql, graphql-yoga (types), http/auth (types), http/message.ts, node:crypto',
  'http/example-operation.ts': '',
  'http/error-response.ts': 'errors (types), http/headers',
  'http/fast-path':
    'cancellation.ts (types), execution, graphql, http/auth (types), http/headers, http/large-results.ts, http/message.ts (types), http/operation-result.ts, http/report-operation.ts, http/response-cache, http/response-headers.ts, http/scheduler.ts (types), http/warm-operations, observability (types)',
  'http/graphql-server.ts':
    'cancellation.ts (types), graphql (types), graphql-yoga (types), http/auth (types), http/documents, http/example-operation.ts (types), http/fast-path, http/limits, http/mask-error.ts, http/message.ts (types), http/plain-pipeline.ts, http/report-operation.ts (types), http/response-cache, http/scheduler.ts, http/warm-operations, http/yoga, observability (types), http/streams, live (types)',
  'http/handler.ts':
    'cancellation.ts (types), http/auth, http/compression.ts, http/error-response.ts, http/headers, http/limits (types), http/graphql-server.ts, http/message.ts, http/health-endpoints.ts, http/routes.ts, observability (types), http/streams, http/webhooks, http/websocket',
  'http/headers': 'context (types), http/message.ts (types), lru-cache',
  'http/large-results.ts': 'context (types), http/auth (types), http/scheduler.ts (types)',
  'http/limits':
    'errors, graphql, graphql-yoga (types), http/decode-body.ts, http/headers, http/mask-error.ts, http/message.ts, http/read-body.ts, pagination',
  'http/mask-error.ts': 'errors, graphql',
  'http/message.ts': 'cancellation.ts (types), http/read-body.ts',
  'http/operation-result.ts':
    'context (types), extensions.ts (types), graphql, http/headers, http/limits, http/message.ts (types)',
  'http/plain-pipeline.ts':
    'graphql (types), http/auth, http/fast-path, http/headers, http/limits (types), http/message.ts (types), http/operation-result.ts, http/read-body.ts, http/response-cache, http/scheduler.ts (types), http/warm-operations, observability (types)',
  'http/health-endpoints.ts': 'http/error-response.ts, http/headers, http/message.ts (types)',
  'http/read-body.ts': 'errors, graphql',
  'http/report-operation.ts': 'context (types), graphql (types), observability (types)',
  'http/response-cache':
    'cache (types), context (types), http/headers, http/message.ts, http/response-headers.ts, http/warm-operations, observability (types)',
  'http/streams':
    'cancellation.ts (types), context (types), execution, graphql, http/auth, http/error-response.ts, http/fast-path, http/headers, http/message.ts (types), http/operation-result.ts, http/report-operation.ts, http/warm-operations, http/yoga (types), live, observability (types)',
  'http/response-headers.ts': 'http/headers, http/message.ts',
  'http/routes.ts':
    'http/error-response.ts, http/headers, http/health-endpoints.ts, http/message.ts (types)',
  'http/scheduler.ts': 'http/fair-queue.ts, http/message.ts',
  'http/warm-operations':
    'graphql, http/documents, http/headers, http/limits, http/message.ts (types), lru-cache, node:crypto, observability (types)',
  'http/webhooks':
    'errors, http/auth, http/decode-body.ts, http/error-response.ts, http/headers, http/limits, http/read-body.ts, http/routes.ts, live',
  'http/websocket':
    'errors, graphql, graphql-ws, http/auth, http/error-response.ts, http/headers, http/limits (types), http/message.ts, http/streams, live (types), node:http, node:stream (types), observability (types), ws',
  'http/yoga':
    'http/example-operation.ts (types), @apollo/usage-reporting-protobuf, @graphql-yoga/plugin-apollo-inline-trace, @graphql-yoga/render-graphiql, context (types), graphql, graphql-yoga, http/auth, http/documents, http/headers, http/large-results.ts, http/limits, http/mask-error.ts, http/message.ts, http/operation-result.ts, http/read-body.ts, http/report-operation.ts, http/response-cache (types), http/scheduler.ts, node:crypto, observability (types), live',
  'index.ts': 'config, gateway.ts, node-handler.ts, observability (types)',
  loaders:
    'cache (types), dataloader, errors, generated (types), pagination, rest (types), rest/transport',
  live: 'cache, config (types), errors, generated (types), loaders, node:crypto, pagination, rest, rest/resilience',
  'main.ts': 'cli',
  'node-handler.ts':
    '@whatwg-node/server, check-arguments.ts, http/error-response.ts, node:http (types), node:stream',
  observability:
    '@opentelemetry/api, @opentelemetry/sdk-node, cache (types), errors, generated, node:crypto, node:perf_hooks, pino, plural.ts, prom-client, rest (types), live',
  pagination: 'errors, lru-cache, node:crypto, rest (types)',
  'plural.ts': '',
  redis: '@redis/client, node:crypto',
  resolvers:
    '@graphql-tools/schema, binding, cache (types), context (types), errors, generated, graphql, pagination, live',
  rest: 'cancellation.ts (types), errors, extensions.ts (types), generated (types), node:crypto, node:util, rest/resilience, rest/transport',
  'rest/resilience': 'cancellation.ts (types), errors, rest (types)',
  'rest/transport': 'cancellation.ts (types), errors, generated, node:crypto, node:zlib, undici',
  sandbox: 'check-arguments.ts, node:http, sandbox/api, sandbox/data',
  'sandbox/api': 'sandbox/data (types)',
  'sandbox/data': 'sandbox/api',
  server:
    '@whatwg-node/server, cancellation.ts, config (types), http/error-response.ts, http/headers, http/limits, http/message.ts, node:http, node:net (types), system-clock.ts, http/streams, http/websocket (types)',
  'system-clock.ts': '',
  errors: '',
  'http/fair-queue.ts': '',
};

/** APIs with effects outside the process, and the layers or files that may use each of them. */
const RESTRICTED_APIS: { readonly [api: string]: readonly string[] } = {
  // The demo exempts its upstream from the proxy of the environment. By `NODE_ENV` the JSON parser
  // freezes values in development and tests, which changes no behaviour.
  'process.env': ['config', 'cli/demo.ts', 'rest/transport/parse-json.ts'],
  'process.exit': ['cli'],
  'process.on': ['cli'],
  'process.exitCode': ['cli'],
  'process.argv': ['main.ts'],
  console: ['observability'],
  // Every other file receives the clock as an option.
  'Date.now': [
    'doctor/run-doctor.ts',
    'gateway.ts',
    'observability/logger.ts',
    'sandbox/sandbox.ts',
  ],
  'new Date()': [],
  'performance.now': ['system-clock.ts'],
  setTimeout: ['system-clock.ts', 'sandbox/sandbox.ts'],
  setInterval: [],
  // The network: towards the upstream, and towards clients.
  fetch: ['rest', 'sandbox/webhooks.ts'],
  undici: ['rest'],
  '@redis/client': ['redis/query-server.ts', 'redis/redis-client.ts'],
  'node:http': [
    'server',
    'http/websocket',
    'node-handler.ts',
    'drain.ts',
    'sandbox/demo-endpoints.ts',
    'sandbox/serve-sandbox.ts',
  ],
  'node:https': [],
  'node:http2': [],
  'node:tls': [],
  'node:dgram': [],
  'node:dns': [],
  'node:child_process': [],
  'node:worker_threads': [],
  // Files are read once, at the start.
  'node:fs': ['config/trusted-documents.ts', 'config/ca-file.ts', 'config/env-file.ts'],
  'node:fs/promises': [],
  // Types only.
  'node:net': ['cli', 'server', 'drain.ts'],
  // Only these layers may handle credentials.
  '#rest/credential.ts': ['rest', 'context', 'doctor/upstream/probe-client.ts'],
};

/**
 * Files that may write a getter into an object literal, because they create one such object or few.
 * V8 makes a hidden class for each such object, in the old generation, and that class retains what
 * the getter captures until a full collection: for an object of one operation, everything that the
 * operation has read. Such objects are classes instead.
 */
const GETTER_ALLOWLIST = new Set([
  'cache/fair-lru.ts',
  'cache/single-flight.ts',
  'cache/memory-store.ts',
  'cache/caching-client.ts',
  'http/scheduler.ts',
  'observability/upstream-observer.ts',
  'rest/resilience/body-limiter.ts',
  'rest/resilience/circuit-breakers.ts',
  'rest/resilience/circuit-breaker.ts',
  'rest/client.ts',
  'rest/resilience/expiring-map.ts',
  'rest/resilience/rate-limit-cooldown.ts',
  'rest/resilience/concurrency-limiter.ts',
]);

/**
 * Packages that are expensive to load and that many gateways do not need: each is loaded on first
 * use, and no start waits for it.
 */
const LAZY_PACKAGES = [
  '@apollo/usage-reporting-protobuf',
  '@graphql-yoga/plugin-apollo-inline-trace',
  '@graphql-yoga/render-graphiql',
  '@opentelemetry/sdk-node',
  '@redis/client',
  'graphql-ws',
  'jose',
  'ws',
];

const BANNED_NAMES = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared', 'lib'];

/**
 * Words that had several meanings each, with the terms that replace them. They may not be part of a
 * declared name, nor stand in a comment.
 */
const RETIRED_WORDS: { readonly [word: string]: string } = {
  tell: '`report` to an observer, `log`, `format`, `set` or `respond`',
  tells: '`reports`, `logs`, `sets` or `responds`',
  told: '`reported`, `logged` or `received`',
  errand: '`UpstreamRequest` or `operation`',
  remembered: '`cached`',
  anew: '`again`',
  nobody: 'a noun of the system, such as client, caller or request',
  somebody: 'a noun of the system, such as client, caller or request',
  everybody: 'a noun of the system, such as client, caller or request',
  whoever: 'a noun of the system, such as client, caller or request',
};

/** First words of a constant that is a bound. */
const RETIRED_PREFIXES: { readonly [prefix: string]: string } = {
  MOST_: '`MAX_`',
  LONGEST_: '`MAX_`',
  FARTHEST_: '`MAX_`',
  DEEPEST_: '`MAX_`',
  LEAST_: '`MIN_`',
  FEWEST_: '`MIN_`',
};

/** In lines. A longer file has more than one concept. */
const MAX_FILE_LENGTH = 300;

const SRC = new URL('../src/', import.meta.url);
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => statSync(new URL(path, SRC)).isFile())
  .map((path): SourceFile => ({ path, text: readFileSync(new URL(path, SRC), 'utf8') }));

describe('Architecture', () => {
  test('the source has exactly the layers of the table', () => {
    expect([...new Set(files.map(({ path }) => layerOf(path)))].sort()).toEqual(
      Object.keys(ALLOWED_IMPORTS).sort(),
    );
  });

  test('every file imports only what its layer may import', () => {
    expect(files.flatMap(importViolations)).toEqual([]);
  });

  test('every import that the table allows is in use', () => {
    const used = new Map(Object.keys(ALLOWED_IMPORTS).map((layer) => [layer, new Set<string>()]));
    for (const file of files)
      for (const { target } of importsOf(file)) used.get(layerOf(file.path))?.add(target);
    const unused = Object.keys(ALLOWED_IMPORTS).flatMap((layer) =>
      allowedImportsOf(layer)
        .filter(({ target }) => !used.get(layer)?.has(target))
        .map(({ target }) => `${layer}: ${target}`),
    );
    expect(unused).toEqual([]);
  });

  test('no layer imports itself through other layers', () => {
    expect(findCycles(ALLOWED_IMPORTS)).toEqual([]);
  });

  test('every restricted API is used only where it is allowed', () => {
    expect(files.flatMap(restrictedApiViolations)).toEqual([]);
  });

  test('imports are written as `./` within a folder and as `#layer/…` between folders', () => {
    expect(
      files.filter(({ path }) => layerOf(path) !== 'generated').flatMap(pathViolations),
    ).toEqual([]);
  });

  test('only allowlisted files have a getter in an object literal', () => {
    expect(
      files.filter(({ path }) => layerOf(path) !== 'sandbox').flatMap(getterViolations),
    ).toEqual([]);
    expect(files.filter(hasGetterInLiteral).map(({ path }) => path)).toEqual(
      expect.arrayContaining([...GETTER_ALLOWLIST]),
    );
  });

  test('a start, also of the doctor, does not load the lazy packages', () => {
    const entries = ['main.ts', 'cli/start.ts', 'cli/serve.ts', 'index.ts', 'doctor/run-doctor.ts'];
    const loaded = loadedModules(entries, files);
    expect(LAZY_PACKAGES.filter((name) => loaded.has(name))).toEqual([]);
    expect([...loaded]).toEqual(expect.arrayContaining(['graphql', 'http/handler.ts']));
    const named = new Set(files.flatMap(importsOf).map(({ target }) => target));
    expect(LAZY_PACKAGES.filter((name) => !named.has(name))).toEqual([]);
  });

  test('file names are descriptive and in kebab case', () => {
    expect(files.flatMap(({ path }) => nameViolations(path))).toEqual([]);
  });

  test('names and comments use the terms of the field', () => {
    expect(
      files.filter(({ path }) => layerOf(path) !== 'generated').flatMap(wordViolations),
    ).toEqual([]);
  });

  test('every file has at most 300 lines', () => {
    expect(
      files.filter(({ path }) => layerOf(path) !== 'generated').flatMap(lengthViolations),
    ).toEqual([]);
  });
});

describe('Architecture rules', () => {
  const found = (path: string, text: string) => {
    const file = { path, text };
    return [
      ...importViolations(file),
      ...restrictedApiViolations(file),
      ...pathViolations(file),
      ...nameViolations(path),
      ...getterViolations(file),
      ...wordViolations(file),
      ...lengthViolations(file),
    ];
  };

  test.each([
    [
      'rest/x.ts',
      "import { connect } from '#pagination/connection.ts';",
      'rest/x.ts:1 must not import #pagination/connection.ts',
    ],
    [
      'pagination/x.ts',
      "export * from '#rest/client.ts';",
      'pagination/x.ts:1 must import only types from #rest/client.ts',
    ],
    [
      'errors/x.ts',
      "const rest = await import('#rest/client.ts');",
      'errors/x.ts:1 must not import #rest/client.ts',
    ],
    [
      'errors/x.ts',
      "let rest: import('#rest/client.ts').Get;",
      'errors/x.ts:1 must not import #rest/client.ts',
    ],
    [
      'http/yoga/x.ts',
      "import { createContextFactory } from '#context/request-context.ts';",
      'http/yoga/x.ts:1 must import only types from #context/request-context.ts',
    ],
    [
      'http/yoga/x.ts',
      "import { type RequestContext, createContextFactory } from '#context/request-context.ts';",
      'http/yoga/x.ts:1 must import only types from #context/request-context.ts',
    ],
    [
      'context/x.ts',
      'const open = () => ({ get sum() { return 1; } });',
      'context/x.ts: has a getter in an object literal',
    ],
    ['sandbox/x.ts', "import { Hono } from 'hono';", 'sandbox/x.ts:1 must not import hono'],
    [
      'sandbox/x.ts',
      "import { toKey } from '#binding/names.ts';",
      'sandbox/x.ts:1 must not import #binding/names.ts',
    ],
    [
      'loaders/x.ts',
      "import { createServer } from 'node:http';",
      'loaders/x.ts:1 must not import node:http',
      'loaders/x.ts:1 must not use node:http',
    ],
    [
      'sandbox/x.ts',
      "import { createServer } from 'node:http';",
      'sandbox/x.ts:1 must not use node:http',
    ],
    ['http/x.ts', '\nconst port = process.env.PORT;', 'http/x.ts:2 must not use process.env'],
    ['http/x.ts', 'const { env } = process;', 'http/x.ts:1 must not use process.env'],
    ['rest/x.ts', "console.log('hello');", 'rest/x.ts:1 must not use console'],
    ['rest/x.ts', 'const log = globalThis.console;', 'rest/x.ts:1 must not use console'],
    ['http/x.ts', "await fetch('http://x.test');", 'http/x.ts:1 must not use fetch'],
    ['http/x.ts', 'const doors = [fetch];', 'http/x.ts:1 must not use fetch'],
    ['http/x.ts', 'const send = globalThis.fetch;', 'http/x.ts:1 must not use fetch'],
    ['cache/x.ts', 'const now = Date.now();', 'cache/x.ts:1 must not use Date.now'],
    ['cache/x.ts', 'const clock = { now: Date.now };', 'cache/x.ts:1 must not use Date.now'],
    ['cache/x.ts', 'const today = new Date();', 'cache/x.ts:1 must not use new Date()'],
    ['rest/x.ts', 'setTimeout(() => {}, 5);', 'rest/x.ts:1 must not use setTimeout'],
    ['gateway.ts', 'setInterval(() => {}, 5);', 'gateway.ts:1 must not use setInterval'],
    [
      'gateway.ts',
      "import { Credential } from '#rest/credential.ts';",
      'gateway.ts:1 must not use #rest/credential.ts',
    ],
    [
      'http/x.ts',
      "import { GatewayError } from '../errors/gateway-error.ts';",
      'http/x.ts:1 uses ../: ../errors/gateway-error.ts',
    ],
    [
      'http/x.ts',
      "import { useHealth } from '#http/use-health.ts';",
      'http/x.ts:1 must be imported as ./, from the same folder: #http/use-health.ts',
    ],
    [
      'http/handler.ts',
      "import type { toCost } from './limits/cost.ts';",
      'http/handler.ts:1 must be imported as #layer/…, from another folder: ./limits/cost.ts',
    ],
    ['http/useHealth.ts', '', 'http/useHealth.ts: is not in kebab case'],
    ['http/Health.ts', '', 'http/Health.ts: is not in kebab case'],
    ['http/utils.ts', '', 'http/utils.ts: needs a descriptive name'],
    ['rest/misc/x.ts', '', 'rest/misc/x.ts: needs a descriptive name'],
    ['rest/date-helpers.ts', '', 'rest/date-helpers.ts: needs a descriptive name'],
    ['attic/x.ts', "import 'graphql';", 'attic/x.ts:1 must not import graphql'],
    [
      'http/x.ts',
      'function tellClient() {}',
      'http/x.ts:1 `tellClient`: `tell` is retired, write `report` to an observer, `log`, `format`, `set` or `respond`',
    ],
    [
      'http/x.ts',
      'const call = { toldAt: 5 };',
      'http/x.ts:1 `toldAt`: `told` is retired, write `reported`, `logged` or `received`',
    ],
    [
      'http/x.ts',
      'const MOST_BYTES = 5; const LEAST_SQUARES = 5;',
      'http/x.ts:1 `MOST_BYTES`: `MOST_` is retired, write `MAX_`',
      'http/x.ts:1 `LEAST_SQUARES`: `LEAST_` is retired, write `MIN_`',
    ],
    [
      'http/x.ts',
      '/**\n * Nobody waits.\n */\nexport const waiting = 0; // It is tried anew.',
      'http/x.ts:1 comment: `nobody` is retired, write a noun of the system, such as client, caller or request',
      'http/x.ts:4 comment: `anew` is retired, write `again`',
    ],
    ['http/x.ts', '\n'.repeat(301), 'http/x.ts: has 301 lines of at most 300'],
  ])('the rules find the violation in %s with %j', (path, text, ...faults) => {
    expect(found(path, text)).toEqual(faults);
  });

  test.each([
    ['http/yoga/x.ts', "import type { RequestContext } from '#context/request-context.ts';"],
    ['http/yoga/x.ts', "import { type RequestContext } from '#context/request-context.ts';"],
    ['http/yoga/x.ts', "export type { RequestContext } from '#context/request-context.ts';"],
    ['http/yoga/x.ts', "let context: import('#context/request-context.ts').RequestContext;"],
    ['http/x.ts', "import { useHealth } from './use-health.ts';"],
    [
      'rest/x.ts',
      "// console.log(process.env), setTimeout and `import '../x.ts'`\nconst text = 'Date.now()';",
    ],
    [
      'rest/x.ts',
      'const wait = options.setTimeout(5); const { console: log } = given; const date = new Date(5);',
    ],
    ['http/x.ts', 'const answer = yoga.fetch(request);'],
    [
      'http/x.ts',
      'export const toTransport = (fetch: typeof globalThis.fetch) => fetch(url); interface Gateway { fetch(): void }',
    ],
    ['context/x.ts', 'class Account { get sum() { return 1; } }'],
    ['rest/resilience/circuit-breaker.ts', 'const circuit = { get state() { return 1; } };'],
    ['gateway.ts', 'const { now = Date.now } = options;'],
    ['http/x.ts', "const intelligence = 'Nobody told me'; // The storyteller reports it.\n"],
    ['http/x.ts', 'const atLeast = list.MOST_BYTES; '.concat('\n'.repeat(300))],
  ])('the rules accept %s with %j', (path, text) => {
    expect(found(path, text)).toEqual([]);
  });

  test('the modules of a start include transitive imports and no lazy ones', () => {
    const sourceFiles = [
      { path: 'main.ts', text: "import './a.ts'; import type { JWK } from 'jose';" },
      {
        path: 'a.ts',
        text: "export { b } from '#layer/b.ts'; const { late } = await import('#layer/late.ts');",
      },
      { path: 'layer/b.ts', text: "import './c.ts';" },
      { path: 'layer/c.ts', text: "import { Agent } from 'undici/agent';" },
      { path: 'layer/late.ts', text: "import 'jose';" },
    ];
    expect([...loadedModules(['main.ts'], sourceFiles)].sort()).toEqual([
      'a.ts',
      'layer/b.ts',
      'layer/c.ts',
      'main.ts',
      'undici',
    ]);
  });

  test('an import cycle of any length is found', () => {
    expect(findCycles({ a: 'b', b: 'c, node:http', c: 'a', d: 'a' })).toEqual(['a', 'b', 'c']);
    expect(findCycles({ a: 'b', b: 'a (types)' })).toEqual([]);
  });
});

interface SourceFile {
  /** The path within src. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  /** The specifier as written. */
  readonly from: string;
  /** The layer or the package of the target. */
  readonly target: string;
  readonly isTypeOnly: boolean;
  /** Whether it is an `import()`. */
  readonly isLazy: boolean;
  readonly line: number;
}

/** The innermost folder or file with a row in the table; without one, the top folder. */
function layerOf(path: string): string {
  const parts = path.split('/');
  for (let length = parts.length; length > 0; length -= 1) {
    const layer = parts.slice(0, length).join('/');
    if (Object.hasOwn(ALLOWED_IMPORTS, layer)) return layer;
  }
  return parts[0] ?? '';
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function allowedImportsOf(
  layer: string,
  table = ALLOWED_IMPORTS,
): { target: string; isTypeOnly: boolean }[] {
  const entries = (table[layer] ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.map((entry) => ({
    target: entry.replace(' (types)', ''),
    isTypeOnly: entry.endsWith(' (types)'),
  }));
}

function importViolations(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  return importsOf(file).flatMap(({ from, target, isTypeOnly, line }) => {
    if (target === layer) return [];
    const allowed = allowedImportsOf(layer).find((entry) => entry.target === target);
    if (!allowed)
      return from.startsWith('../') ? [] : [`${file.path}:${line} must not import ${from}`];
    return allowed.isTypeOnly && !isTypeOnly
      ? [`${file.path}:${line} must import only types from ${from}`]
      : [];
  });
}

function pathViolations(file: SourceFile): string[] {
  return importsOf(file).flatMap(({ from, line }) => {
    if (from.startsWith('../')) return [`${file.path}:${line} uses ../: ${from}`];
    const target = fileOf(from, file.path);
    const isInFolder = target !== undefined && folderOf(target) === folderOf(file.path);
    if (from.startsWith('#') && isInFolder && folderOf(file.path) !== '') {
      return [`${file.path}:${line} must be imported as ./, from the same folder: ${from}`];
    }
    if (from.startsWith('./') && !isInFolder)
      return [`${file.path}:${line} must be imported as #layer/…, from another folder: ${from}`];
    return [];
  });
}

function nameViolations(path: string): string[] {
  const names = path.replace(/\.ts$/, '').split('/');
  if (!path.endsWith('.ts') || names.some((name) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)))
    return [`${path}: is not in kebab case`];
  return names.some((name) => name.split('-').some((word) => BANNED_NAMES.includes(word)))
    ? [`${path}: needs a descriptive name`]
    : [];
}

function restrictedApiViolations(file: SourceFile): string[] {
  return [
    ...importsOf(file).map(({ from, line }) => ({ api: from, line })),
    ...restrictedApisUsedIn(file),
  ].flatMap(({ api, line }) => {
    const allowedUsers = RESTRICTED_APIS[api];
    const isAllowed =
      !allowedUsers ||
      allowedUsers.some((user) => file.path === user || file.path.startsWith(`${user}/`));
    return isAllowed ? [] : [`${file.path}:${line} must not use ${api}`];
  });
}

function wordViolations({ path, text }: SourceFile): string[] {
  const source = parse(path, text);
  const at = (position: number) =>
    `${path}:${source.getLineAndCharacterOfPosition(position).line + 1}`;
  const violations: string[] = [];
  walk(source, (node) => {
    if (!ts.isIdentifier(node) || !isDeclaredName(node)) return;
    for (const [prefix, instead] of Object.entries(RETIRED_PREFIXES))
      if (node.text.startsWith(prefix))
        violations.push(
          `${at(node.getStart())} \`${node.text}\`: \`${prefix}\` is retired, write ${instead}`,
        );
    for (const word of wordsOf(node.text))
      if (Object.hasOwn(RETIRED_WORDS, word))
        violations.push(
          `${at(node.getStart())} \`${node.text}\`: \`${word}\` is retired, write ${RETIRED_WORDS[word]}`,
        );
  });
  for (const { start, comment } of commentsOf(text))
    for (const word of new Set(comment.toLowerCase().match(/[a-z]+/g)))
      if (Object.hasOwn(RETIRED_WORDS, word))
        violations.push(
          `${at(start)} comment: \`${word}\` is retired, write ${RETIRED_WORDS[word]}`,
        );
  return violations;
}

/** Whether a name is declared here, and not only used: names of libraries are not ours. */
function isDeclaredName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    !ts.isPropertyAccessExpression(parent) && (parent as { readonly name?: ts.Node }).name === node
  );
}

/** The words of a name in camel case or in upper case, in lower case. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
}

function commentsOf(text: string): { start: number; comment: string }[] {
  const comments = new Map<number, string>();
  const collect = (ranges: readonly ts.CommentRange[] = []) => {
    for (const { pos, end } of ranges) comments.set(pos, text.slice(pos, end));
  };
  const collectAround = (token: ts.Node) => {
    collect(ts.getLeadingCommentRanges(text, token.getFullStart()));
    collect(ts.getTrailingCommentRanges(text, token.getEnd()));
    for (const child of token.getChildren()) collectAround(child);
  };
  collectAround(parse('x.ts', text));
  return [...comments]
    .map(([start, comment]) => ({ start, comment }))
    .sort((a, b) => a.start - b.start);
}

function lengthViolations({ path, text }: SourceFile): string[] {
  const { length } = text.match(/\n/g) ?? [];
  return length > MAX_FILE_LENGTH
    ? [`${path}: has ${length} lines of at most ${MAX_FILE_LENGTH}`]
    : [];
}

function getterViolations(file: SourceFile): string[] {
  return hasGetterInLiteral(file) && !GETTER_ALLOWLIST.has(file.path)
    ? [`${file.path}: has a getter in an object literal`]
    : [];
}

function hasGetterInLiteral({ path, text }: SourceFile): boolean {
  const isFound = (node: ts.Node): boolean =>
    (ts.isGetAccessor(node) && ts.isObjectLiteralExpression(node.parent)) ||
    (ts.forEachChild(node, isFound) ?? false);
  return isFound(parse(path, text));
}

/** Layers that import themselves through others; type imports do not count. */
function findCycles(table: typeof ALLOWED_IMPORTS): string[] {
  const next = (layer: string) =>
    allowedImportsOf(layer, table).filter(
      ({ target, isTypeOnly }) => target in table && !isTypeOnly,
    );
  return Object.keys(table).filter((start) => {
    const reached = new Set<string>();
    const queue = [start];
    for (const layer of queue) {
      for (const { target } of next(layer)) {
        if (!reached.has(target)) queue.push(target);
        reached.add(target);
      }
    }
    return reached.has(start);
  });
}

/** The files and packages that are loaded with these files. */
function loadedModules(paths: readonly string[], sourceFiles: readonly SourceFile[]): Set<string> {
  const sources = new Map(sourceFiles.map((file) => [file.path, file]));
  const loaded = new Set(paths);
  for (const path of loaded) {
    const file = sources.get(path);
    for (const { from, target, isTypeOnly, isLazy } of file ? importsOf(file) : []) {
      if (!isTypeOnly && !isLazy) loaded.add(fileOf(from, path) ?? target);
    }
  }
  return loaded;
}

/** Every reference to another module: import, export, `import()`, and the type `import('…')`. */
function importsOf({ path, text }: SourceFile): Import[] {
  const source = parse(path, text);
  const imports: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, isTypeOnly: boolean) => {
    if (!specifier || !ts.isStringLiteral(specifier)) return;
    const isLazy = ts.isCallExpression(node);
    imports.push({
      from: specifier.text,
      target: targetOf(specifier.text, path),
      isTypeOnly,
      isLazy,
      line: lineOf(source, node),
    });
  };
  walk(source, (node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isOfTypes(node.importClause));
    if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node, node.arguments[0], false);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node, node.argument.literal, true);
  });
  return imports;
}

function isOfTypes(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  return (
    !name &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

/** The file within src; `undefined` for a package. */
function fileOf(from: string, path: string): string | undefined {
  if (from.startsWith('#')) return from.slice(1);
  return from.startsWith('.') ? new URL(from, `file:///${path}`).pathname.slice(1) : undefined;
}

/**
 * `#rest/client.ts` and, from a generated file, `../rest/client.ts` lead to `rest`; a path inside a
 * package leads to the package.
 */
function targetOf(from: string, path: string): string {
  const file = fileOf(from, path);
  if (file !== undefined) return layerOf(file);
  return from.startsWith('node:')
    ? from
    : from
        .split('/')
        .slice(0, from.startsWith('@') ? 2 : 1)
        .join('/');
}

/**
 * Restricted APIs used by a global name: `console`, `globalThis.fetch`, `process.env`,
 * `const { env } = process`, `new Date()`.
 */
function restrictedApisUsedIn({ path, text }: SourceFile): { api: string; line: number }[] {
  const source = parse(path, text);
  const found: { api: string; line: number }[] = [];
  walk(source, (node) => {
    const api = restrictedApiAt(node);
    if (api !== undefined) found.push({ api, line: lineOf(source, node) });
  });
  return found;
}

function restrictedApiAt(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && node.getText().startsWith('new Date') && !node.arguments?.length)
    return 'new Date()';
  if (ts.isPropertyAccessExpression(node)) {
    const name = node
      .getText()
      .replace(/\s|\?/g, '')
      .replace(/^globalThis\./, '');
    return name in RESTRICTED_APIS ? name : undefined;
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer) {
    const names = node.name.elements.map(
      (element) =>
        `${node.initializer?.getText()}.${(element.propertyName ?? element.name).getText()}`,
    );
    return names.find((name) => name in RESTRICTED_APIS);
  }
  return ts.isIdentifier(node) && node.text in RESTRICTED_APIS && isGlobal(node)
    ? node.text
    : undefined;
}

/**
 * Whether an identifier is the global: it is not a key, a declaration or a type, and no parameter
 * shadows it.
 */
function isGlobal(node: ts.Identifier): boolean {
  const { parent } = node;
  const isName = 'name' in parent && parent.name === node;
  const isKey = 'propertyName' in parent && parent.propertyName === node;
  return !isName && !isKey && !ts.isTypeNode(parent) && !isDeclaredAbove(node);
}

/** Whether a parameter of the same name shadows the global. */
function isDeclaredAbove(node: ts.Identifier): boolean {
  for (let scope: ts.Node = node; scope; scope = scope.parent) {
    if (
      ts.isFunctionLike(scope) &&
      scope.parameters.some(({ name }) => name.getText() === node.text)
    )
      return true;
  }
  return false;
}

/** Parsed once for all rules, by their text. */
const parsedSources = new Map<string, ts.SourceFile>();
afterAll(() => parsedSources.clear());

function parse(path: string, text: string): ts.SourceFile {
  const known = parsedSources.get(text);
  if (known) return known;
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  parsedSources.set(text, source);
  return source;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
}
