import { readdirSync, readFileSync, statSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/**
 * Every layer, the layers it may import from, and the packages it may use. `(types)`: only their types.
 * A layer is a folder; the files at the top of `src` and of `src/http` are layers of one file. Imports are `./` within a folder and `#layer/…` between
 * folders; only generated files use others.
 */
const ALLOWED_IMPORTS: { readonly [layer: string]: string } = {
  binding: 'errors, generated, graphql, rest',
  cache: 'errors, lru-cache, rest',
  'cache/redis': '@redis/client, cache, generated, lru-cache, node:crypto, node:util, node:zlib',
  config: 'node:fs, node:path, zod',
  context: 'binding (types), cache (types), errors, loaders, lru-cache, pagination (types), rest, rest/resilience (types)',
  'drain.ts': 'node:http (types), node:net',
  federation: 'context (types), errors, generated, graphql (types), resolvers',
  'gateway.ts':
    'cache, cache/redis, config, context, federation, http/auth, http/documents, http/error-response.ts (types), http/handler.ts, http/limits, http/example-operation.ts (types), http/message.ts (types), observability, pagination, rest, rest/resilience, rest/transport',
  generated: 'context (types), graphql (types), pagination (types)',
  'http/auth':
    'cache (types), context (types), errors, graphql-yoga (types), http/error-response.ts, http/limits (types), http/message.ts, jose, node:crypto, observability (types)',
  'http/compression.ts': 'http/error-response.ts, http/headers, http/message.ts, node:util, node:zlib',
  'http/documents': 'cache, graphql, graphql-yoga (types), http/auth (types), http/message.ts, node:crypto',
  'http/example-operation.ts': '',
  'http/error-response.ts': 'errors (types), http/headers',
  'http/fast-path':
    'context (types), graphql, graphql-yoga (types), http/auth, http/documents, http/headers, http/large-results.ts, http/limits, http/message.ts, http/operation-result.ts, http/report-operation.ts, http/scheduler.ts (types), lru-cache, node:crypto, observability (types)',
  'http/handler.ts':
    'http/auth, http/compression.ts, http/error-response.ts, http/headers, http/limits (types), http/message.ts, http/probes.ts, http/yoga, observability (types)',
  'http/headers': 'context (types), http/message.ts (types), lru-cache, node:crypto',
  'http/large-results.ts': 'context (types), http/auth (types), http/scheduler.ts (types)',
  'http/limits': 'errors, graphql, graphql-yoga (types), http/mask-error.ts, http/message.ts, http/read-body.ts, pagination',
  'http/mask-error.ts': 'errors, graphql',
  'http/message.ts': 'http/read-body.ts',
  'http/operation-result.ts': 'context (types), graphql, http/headers, http/limits, http/message.ts (types)',
  'http/probes.ts': 'http/error-response.ts, http/headers, http/message.ts (types)',
  'http/read-body.ts': 'errors, graphql',
  'http/report-operation.ts': 'context (types), graphql (types), observability (types)',
  'http/scheduler.ts': 'http/fair-queue.ts, http/message.ts',
  'http/yoga':
    'http/example-operation.ts (types), @apollo/usage-reporting-protobuf, @graphql-yoga/plugin-apollo-inline-trace, @graphql-yoga/render-graphiql, context (types), graphql, graphql-yoga, http/auth, http/documents, http/fast-path, http/headers, http/large-results.ts, http/limits, http/mask-error.ts, http/message.ts (types), http/operation-result.ts, http/report-operation.ts, http/scheduler.ts, observability (types)',
  'index.ts': 'config, gateway.ts, node-handler.ts, observability (types)',
  loaders: 'cache (types), dataloader, errors, generated (types), pagination, rest (types)',
  'main.ts': 'config, drain.ts, gateway.ts, node:net (types), node:v8, observability, sandbox, server.ts',
  'node-handler.ts': '@whatwg-node/server, node:http (types)',
  'node-message.ts': 'http/message.ts (types), node:http (types)',
  observability:
    '@opentelemetry/api, @opentelemetry/sdk-node, cache (types), generated, node:crypto, pino, prom-client, rest (types)',
  pagination: 'errors, lru-cache, node:crypto',
  resolvers: '@graphql-tools/schema, binding, cache (types), context (types), errors, generated, graphql, pagination',
  'response-sender.ts': 'node:http (types)',
  rest: 'errors, generated (types), node:crypto, node:util, rest/resilience, rest/transport',
  'rest/resilience': 'errors, rest (types)',
  'rest/transport': 'errors, node:zlib, undici',
  sandbox: 'node:http, sandbox/api, sandbox/data',
  'sandbox/api': 'sandbox/data (types)',
  'sandbox/data': 'sandbox/api',
  'server.ts':
    '@whatwg-node/server, config (types), http/error-response.ts, http/headers, http/limits, http/message.ts, node-message.ts, node:http, node:net (types), response-sender.ts',
  errors: '',
  'http/fair-queue.ts': '',
};

/** What leads out of the house, and the rooms, or files, that may open it. */
const RESTRICTED_APIS: { readonly [api: string]: readonly string[] } = {
  // main.ts exempts the demo's own upstream from the proxy of the environment.
  'process.env': ['config', 'main.ts'],
  'process.exit': ['main.ts'],
  'process.on': ['main.ts'],
  'process.exitCode': ['main.ts'],
  'process.argv': ['main.ts'],
  console: ['observability'],
  // The clock is handed in everywhere else.
  'Date.now': ['gateway.ts', 'observability/logger.ts', 'sandbox/sandbox.ts'],
  'new Date()': [],
  'performance.now': ['gateway.ts', 'server.ts'],
  setTimeout: ['gateway.ts', 'main.ts', 'server.ts', 'sandbox/sandbox.ts'],
  setInterval: [],
  // The network: to the upstream, and where requests come in.
  fetch: ['rest'],
  undici: ['rest'],
  '@redis/client': ['cache/redis/redis-connection.ts'],
  'node:http': ['server.ts', 'response-sender.ts', 'node-message.ts', 'node-handler.ts', 'drain.ts', 'sandbox/serve-sandbox.ts'],
  'node:https': [],
  'node:http2': [],
  'node:tls': [],
  'node:dgram': [],
  'node:dns': [],
  'node:child_process': [],
  'node:worker_threads': [],
  // Read once, at the start.
  'node:fs': ['config/trusted-documents.ts'],
  'node:fs/promises': [],
  // Types.
  'node:net': ['main.ts', 'server.ts', 'drain.ts'],
  // A credential never goes anywhere else.
  '#rest/credential.ts': ['rest', 'context'],
};

/**
 * Who may write a getter into an object literal: what there is one of, or few. V8 makes a hidden class for each such object, in the old generation, and
 * that holds what the getter sees until everything is collected: of a thing of one operation, all that the operation has read. Those are classes.
 */
const GETTER_ALLOWLIST = new Set([
  'cache/fair-lru.ts',
  'cache/single-flight.ts',
  'cache/memory-store.ts',
  'cache/redis/redis-connection.ts',
  'cache/caching-client.ts',
  'http/scheduler.ts',
  'http/yoga/server.ts',
  'observability/upstream-observer.ts',
  'rest/resilience/body-limiter.ts',
  'rest/resilience/circuit-breakers.ts',
  'rest/resilience/circuit-breaker.ts',
  'rest/client.ts',
  'rest/resilience/expiring-map.ts',
  'rest/resilience/rate-limit-cooldown.ts',
  'rest/resilience/concurrency-limiter.ts',
]);

/** Packages that are dear to load, and that not everyone needs: each is loaded where it is needed, and no start waits for it. */
const LAZY_PACKAGES = [
  '@apollo/usage-reporting-protobuf',
  '@graphql-yoga/plugin-apollo-inline-trace',
  '@graphql-yoga/render-graphiql',
  '@opentelemetry/sdk-node',
  '@redis/client',
  'jose',
];

const BANNED_NAMES = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared', 'lib'];

const SRC = new URL('../src/', import.meta.url);
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => statSync(new URL(path, SRC)).isFile())
  .map((path): SourceFile => ({ path, text: readFileSync(new URL(path, SRC), 'utf8') }));

describe('The house', () => {
  test('has the rooms of the table, and no others', () => {
    expect([...new Set(files.map(({ path }) => layerOf(path)))].sort()).toEqual(Object.keys(ALLOWED_IMPORTS).sort());
  });

  test('has walls: every file imports what its room may import', () => {
    expect(files.flatMap(importViolations)).toEqual([]);
  });

  test('has no wall that is open for nobody: what the table allows is in use', () => {
    const used = new Map(Object.keys(ALLOWED_IMPORTS).map((room) => [room, new Set<string>()]));
    for (const file of files) for (const { target } of importsOf(file)) used.get(layerOf(file.path))?.add(target);
    const unused = Object.keys(ALLOWED_IMPORTS).flatMap((room) =>
      allowedImportsOf(room)
        .filter(({ target }) => !used.get(room)?.has(target))
        .map(({ target }) => `${room}: ${target}`),
    );
    expect(unused).toEqual([]);
  });

  test('is built in one direction: no room reaches itself through others', () => {
    expect(findCycles(ALLOWED_IMPORTS)).toEqual([]);
  });

  test('has doors, and each is opened only where it may be', () => {
    expect(files.flatMap(restrictedApiViolations)).toEqual([]);
  });

  test('is written in its own way: `./` inside, `#room/…` across', () => {
    expect(files.filter(({ path }) => layerOf(path) !== 'generated').flatMap(pathViolations)).toEqual([]);
  });

  test('keeps nothing alive by a getter: those of single operations are of classes', () => {
    expect(files.filter(({ path }) => layerOf(path) !== 'sandbox').flatMap(getterViolations)).toEqual([]);
    expect(files.filter(hasGetterInLiteral).map(({ path }) => path)).toEqual(expect.arrayContaining([...GETTER_ALLOWLIST]));
  });

  test('starts without what may never be needed', () => {
    const loaded = loadedModules(['main.ts', 'index.ts'], files);
    expect(LAZY_PACKAGES.filter((name) => loaded.has(name))).toEqual([]);
    expect([...loaded]).toEqual(expect.arrayContaining(['graphql', 'http/handler.ts']));
    const named = new Set(files.flatMap(importsOf).map(({ target }) => target));
    expect(LAZY_PACKAGES.filter((name) => !named.has(name))).toEqual([]);
  });

  test('names its files for what they are, in kebab case', () => {
    expect(files.flatMap(({ path }) => nameViolations(path))).toEqual([]);
  });
});

describe('The rules can fail', () => {
  const found = (path: string, text: string) => {
    const file = { path, text };
    return [
      ...importViolations(file),
      ...restrictedApiViolations(file),
      ...pathViolations(file),
      ...nameViolations(path),
      ...getterViolations(file),
    ];
  };

  test.each([
    ['rest/x.ts', "import { connect } from '#pagination/connection.ts';", 'rest/x.ts:1 may not import #pagination/connection.ts'],
    ['pagination/x.ts', "export * from '#rest/client.ts';", 'pagination/x.ts:1 may not import #rest/client.ts'],
    ['errors/x.ts', "const rest = await import('#rest/client.ts');", 'errors/x.ts:1 may not import #rest/client.ts'],
    ['errors/x.ts', "let rest: import('#rest/client.ts').Get;", 'errors/x.ts:1 may not import #rest/client.ts'],
    [
      'http/yoga/x.ts',
      "import { createContextFactory } from '#context/request-context.ts';",
      'http/yoga/x.ts:1 may import only types of #context/request-context.ts',
    ],
    [
      'http/yoga/x.ts',
      "import { type RequestContext, createContextFactory } from '#context/request-context.ts';",
      'http/yoga/x.ts:1 may import only types of #context/request-context.ts',
    ],
    ['context/x.ts', 'const open = () => ({ get sum() { return 1; } });', 'context/x.ts: has a getter in an object literal'],
    ['sandbox/x.ts', "import { Hono } from 'hono';", 'sandbox/x.ts:1 may not import hono'],
    ['sandbox/x.ts', "import { toKey } from '#binding/names.ts';", 'sandbox/x.ts:1 may not import #binding/names.ts'],
    [
      'loaders/x.ts',
      "import { createServer } from 'node:http';",
      'loaders/x.ts:1 may not import node:http',
      'loaders/x.ts:1 may not open node:http',
    ],
    ['sandbox/x.ts', "import { createServer } from 'node:http';", 'sandbox/x.ts:1 may not open node:http'],
    ['http/x.ts', '\nconst port = process.env.PORT;', 'http/x.ts:2 may not open process.env'],
    ['http/x.ts', 'const { env } = process;', 'http/x.ts:1 may not open process.env'],
    ['rest/x.ts', "console.log('hello');", 'rest/x.ts:1 may not open console'],
    ['rest/x.ts', 'const log = globalThis.console;', 'rest/x.ts:1 may not open console'],
    ['http/x.ts', "await fetch('http://x.test');", 'http/x.ts:1 may not open fetch'],
    ['http/x.ts', 'const doors = [fetch];', 'http/x.ts:1 may not open fetch'],
    ['http/x.ts', 'const send = globalThis.fetch;', 'http/x.ts:1 may not open fetch'],
    ['cache/x.ts', 'const now = Date.now();', 'cache/x.ts:1 may not open Date.now'],
    ['cache/x.ts', 'const clock = { now: Date.now };', 'cache/x.ts:1 may not open Date.now'],
    ['cache/x.ts', 'const today = new Date();', 'cache/x.ts:1 may not open new Date()'],
    ['rest/x.ts', 'setTimeout(() => {}, 5);', 'rest/x.ts:1 may not open setTimeout'],
    ['gateway.ts', 'setInterval(() => {}, 5);', 'gateway.ts:1 may not open setInterval'],
    ['gateway.ts', "import { Credential } from '#rest/credential.ts';", 'gateway.ts:1 may not open #rest/credential.ts'],
    ['http/x.ts', "import { GatewayError } from '../errors/gateway-error.ts';", 'http/x.ts:1 climbs: ../errors/gateway-error.ts'],
    [
      'http/x.ts',
      "import { useHealth } from '#http/use-health.ts';",
      'http/x.ts:1 goes round: #http/use-health.ts is in the same folder',
    ],
    [
      'http/handler.ts',
      "import type { toCost } from './limits/cost.ts';",
      'http/handler.ts:1 goes down: ./limits/cost.ts is in another folder',
    ],
    ['http/useHealth.ts', '', 'http/useHealth.ts: is not in kebab case'],
    ['http/Health.ts', '', 'http/Health.ts: is not in kebab case'],
    ['http/utils.ts', '', 'http/utils.ts: has not found its name'],
    ['rest/misc/x.ts', '', 'rest/misc/x.ts: has not found its name'],
    ['rest/date-helpers.ts', '', 'rest/date-helpers.ts: has not found its name'],
    ['attic/x.ts', "import 'graphql';", 'attic/x.ts:1 may not import graphql'],
  ])('%s with %j', (path, text, ...faults) => {
    expect(found(path, text)).toEqual(faults);
  });

  test.each([
    ['http/yoga/x.ts', "import type { RequestContext } from '#context/request-context.ts';"],
    ['http/yoga/x.ts', "import { type RequestContext } from '#context/request-context.ts';"],
    ['http/yoga/x.ts', "export type { RequestContext } from '#context/request-context.ts';"],
    ['http/yoga/x.ts', "let context: import('#context/request-context.ts').RequestContext;"],
    ['http/x.ts', "import { useHealth } from './use-health.ts';"],
    ['rest/x.ts', "// console.log(process.env), setTimeout and `import '../x.ts'`\nconst text = 'Date.now()';"],
    ['rest/x.ts', 'const wait = options.setTimeout(5); const { console: log } = given; const date = new Date(5);'],
    ['http/x.ts', 'const answer = yoga.fetch(request);'],
    [
      'http/x.ts',
      'export const toTransport = (fetch: typeof globalThis.fetch) => fetch(url); interface Gateway { fetch(): void }',
    ],
    ['context/x.ts', 'class Account { get sum() { return 1; } }'],
    ['rest/resilience/circuit-breaker.ts', 'const circuit = { get state() { return 1; } };'],
    ['gateway.ts', 'const { now = Date.now } = options;'],
  ])('and do not where nothing is wrong: %s with %j', (path, text) => {
    expect(found(path, text)).toEqual([]);
  });

  test('what a file loads is found, whoever imports it, but not what is loaded later', () => {
    const house = [
      { path: 'main.ts', text: "import './a.ts'; import type { JWK } from 'jose';" },
      { path: 'a.ts', text: "export { b } from '#room/b.ts'; const { late } = await import('#room/late.ts');" },
      { path: 'room/b.ts', text: "import './c.ts';" },
      { path: 'room/c.ts', text: "import { Agent } from 'undici/agent';" },
      { path: 'room/late.ts', text: "import 'jose';" },
    ];
    expect([...loadedModules(['main.ts'], house)].sort()).toEqual(['a.ts', 'main.ts', 'room/b.ts', 'room/c.ts', 'undici']);
  });

  test('a round trip is found, however long', () => {
    expect(findCycles({ a: 'b', b: 'c, node:http', c: 'a', d: 'a' })).toEqual(['a', 'b', 'c']);
    expect(findCycles({ a: 'b', b: 'a (types)' })).toEqual([]);
  });
});

interface SourceFile {
  /** Within src. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  /** As it is written. */
  readonly from: string;
  /** The room or the package it leads to. */
  readonly target: string;
  readonly isTypeOnly: boolean;
  /** By `import()`. */
  readonly isLazy: boolean;
  readonly line: number;
}

/** The innermost folder or file that has a row; without one, the folder at the top. */
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

function allowedImportsOf(layer: string, table = ALLOWED_IMPORTS): { target: string; isTypeOnly: boolean }[] {
  const entries = (table[layer] ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.map((entry) => ({ target: entry.replace(' (types)', ''), isTypeOnly: entry.endsWith(' (types)') }));
}

function importViolations(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  return importsOf(file).flatMap(({ from, target, isTypeOnly, line }) => {
    if (target === layer) return [];
    const allowed = allowedImportsOf(layer).find((entry) => entry.target === target);
    if (!allowed) return from.startsWith('../') ? [] : [`${file.path}:${line} may not import ${from}`];
    return allowed.isTypeOnly && !isTypeOnly ? [`${file.path}:${line} may import only types of ${from}`] : [];
  });
}

function pathViolations(file: SourceFile): string[] {
  return importsOf(file).flatMap(({ from, line }) => {
    if (from.startsWith('../')) return [`${file.path}:${line} climbs: ${from}`];
    const target = fileOf(from, file.path);
    const isInFolder = target !== undefined && folderOf(target) === folderOf(file.path);
    if (from.startsWith('#') && isInFolder && folderOf(file.path) !== '') {
      return [`${file.path}:${line} goes round: ${from} is in the same folder`];
    }
    if (from.startsWith('./') && !isInFolder) return [`${file.path}:${line} goes down: ${from} is in another folder`];
    return [];
  });
}

function nameViolations(path: string): string[] {
  const names = path.replace(/\.ts$/, '').split('/');
  if (!path.endsWith('.ts') || names.some((name) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)))
    return [`${path}: is not in kebab case`];
  return names.some((name) => name.split('-').some((word) => BANNED_NAMES.includes(word)))
    ? [`${path}: has not found its name`]
    : [];
}

function restrictedApiViolations(file: SourceFile): string[] {
  return [...importsOf(file).map(({ from, line }) => ({ api: from, line })), ...restrictedApisUsedIn(file)].flatMap(
    ({ api, line }) => {
      const allowedUsers = RESTRICTED_APIS[api];
      const isAllowed = !allowedUsers || allowedUsers.some((user) => file.path === user || file.path.startsWith(`${user}/`));
      return isAllowed ? [] : [`${file.path}:${line} may not open ${api}`];
    },
  );
}

function getterViolations(file: SourceFile): string[] {
  return hasGetterInLiteral(file) && !GETTER_ALLOWLIST.has(file.path) ? [`${file.path}: has a getter in an object literal`] : [];
}

function hasGetterInLiteral({ path, text }: SourceFile): boolean {
  const isFound = (node: ts.Node): boolean =>
    (ts.isGetAccessor(node) && ts.isObjectLiteralExpression(node.parent)) || (ts.forEachChild(node, isFound) ?? false);
  return isFound(parse(path, text));
}

/** Rooms that lead back to themselves by what they do; types do nothing. */
function findCycles(table: typeof ALLOWED_IMPORTS): string[] {
  const next = (layer: string) =>
    allowedImportsOf(layer, table).filter(({ target, isTypeOnly }) => target in table && !isTypeOnly);
  return Object.keys(table).filter((start) => {
    const reached = new Set<string>();
    const queue = [start];
    for (const room of queue) {
      for (const { target } of next(room)) {
        if (!reached.has(target)) queue.push(target);
        reached.add(target);
      }
    }
    return reached.has(start);
  });
}

/** The files and packages that are loaded when these files are. */
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

/** Every way to name another module: import, export, `import()`, and the type `import('…')`. */
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
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node, node.arguments[0], false);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal, true);
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

/** Within src; undefined: it is a package's. */
function fileOf(from: string, path: string): string | undefined {
  if (from.startsWith('#')) return from.slice(1);
  return from.startsWith('.') ? new URL(from, `file:///${path}`).pathname.slice(1) : undefined;
}

/** `#rest/client.ts` and, from a generated file, `../rest/client.ts` lead to `rest`; a package's inner paths to the package. */
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

/** Doors opened by a global name: `console`, `globalThis.fetch`, `process.env`, `const { env } = process`, `new Date()`. */
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
  if (ts.isNewExpression(node) && node.getText().startsWith('new Date') && !node.arguments?.length) return 'new Date()';
  if (ts.isPropertyAccessExpression(node)) {
    const name = node
      .getText()
      .replace(/\s|\?/g, '')
      .replace(/^globalThis\./, '');
    return name in RESTRICTED_APIS ? name : undefined;
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer) {
    const names = node.name.elements.map(
      (element) => `${node.initializer?.getText()}.${(element.propertyName ?? element.name).getText()}`,
    );
    return names.find((name) => name in RESTRICTED_APIS);
  }
  return ts.isIdentifier(node) && node.text in RESTRICTED_APIS && isGlobal(node) ? node.text : undefined;
}

/** Whether a name stands for what everyone has: it is no key, no declaration, no type, and nothing nearer is called the same. */
function isGlobal(node: ts.Identifier): boolean {
  const { parent } = node;
  const isName = 'name' in parent && parent.name === node;
  const isKey = 'propertyName' in parent && parent.propertyName === node;
  return !isName && !isKey && !ts.isTypeNode(parent) && !isDeclaredAbove(node);
}

/** A parameter of the same name hides the global one. */
function isDeclaredAbove(node: ts.Identifier): boolean {
  for (let scope: ts.Node = node; scope; scope = scope.parent) {
    if (ts.isFunctionLike(scope) && scope.parameters.some(({ name }) => name.getText() === node.text)) return true;
  }
  return false;
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
}
