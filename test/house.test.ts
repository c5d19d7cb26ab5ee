import { readdirSync, readFileSync, statSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/**
 * Every room, the rooms it may import from, and the packages it may use. `(types)`: their types alone, never what they do.
 * Files at the top are rooms of one. Rooms import `./` inside and `#room/…` across; only generated files know other ways.
 */
const HOUSE: { readonly [room: string]: string } = {
  'main.ts': 'drain.ts, gateway.ts, server.ts, config, observability, sandbox, node:net (types), node:v8',
  'index.ts': 'config, observability (types), gateway.ts, node-handler.ts',
  'node-handler.ts': 'node:http (types), @whatwg-node/server',
  'server.ts': 'config (types), http, node-request.ts, sending.ts, node:http, node:net (types), @whatwg-node/server',
  'node-request.ts': 'http (types), node:http (types)',
  'sending.ts': 'node:http (types)',
  'drain.ts': 'node:http (types), node:net',
  'gateway.ts': 'cache, config, context, federation, http, observability, pagination, rest',
  http: 'cache, context (types), observability (types), pagination, errors, graphql, graphql-yoga, @apollo/usage-reporting-protobuf, @graphql-yoga/plugin-apollo-inline-trace, @graphql-yoga/render-graphiql, jose, lru-cache, node:crypto, node:util, node:zlib',
  resolvers: 'generated, binding, cache (types), context (types), pagination, errors, graphql, @graphql-tools/schema',
  federation: 'generated, context (types), resolvers, errors, graphql (types)',
  binding: 'generated, errors, graphql',
  context: 'loaders, binding (types), cache (types), pagination (types), rest, errors, lru-cache',
  loaders: 'generated (types), pagination, cache (types), rest (types), errors, dataloader',
  pagination: 'errors, lru-cache, node:crypto',
  cache: 'generated, binding, rest (types), errors, lru-cache, @redis/client, node:crypto, node:util, node:zlib',
  rest: 'generated (types), errors, undici, node:crypto, node:util, node:zlib',
  generated: 'context (types), pagination (types), graphql (types)',
  sandbox: 'node:http',
  config: 'zod, node:fs, node:path',
  errors: '',
  observability:
    'generated, cache (types), rest (types), pino, prom-client, @opentelemetry/api, @opentelemetry/sdk-node, node:crypto',
};

/** What leads out of the house, and the rooms, or files, that may open it. */
const DOORS: { readonly [door: string]: readonly string[] } = {
  // main.ts exempts the demo's own upstream from the proxy of the environment.
  'process.env': ['config', 'main.ts'],
  'process.exit': ['main.ts'],
  'process.on': ['main.ts'],
  'process.exitCode': ['main.ts'],
  'process.argv': ['main.ts'],
  console: ['observability'],
  // The clock is handed in everywhere else.
  'Date.now': ['gateway.ts', 'observability/structured-log.ts', 'sandbox/sandbox.ts'],
  'new Date()': [],
  'performance.now': ['gateway.ts', 'server.ts'],
  setTimeout: ['gateway.ts', 'main.ts', 'server.ts', 'sandbox/sandbox.ts'],
  setInterval: [],
  // The network: to the upstream, and where requests come in.
  fetch: ['rest'],
  undici: ['rest'],
  '@redis/client': ['cache/redis-link.ts'],
  'node:http': ['server.ts', 'sending.ts', 'node-request.ts', 'node-handler.ts', 'drain.ts', 'sandbox/serve-sandbox.ts'],
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
const GETTERS = new Set([
  'cache/fair-lru.ts',
  'cache/flights.ts',
  'cache/memory.ts',
  'cache/redis-link.ts',
  'cache/remember.ts',
  'http/beginnings.ts',
  'http/graphql-server.ts',
  'observability/upstream-watch.ts',
  'rest/body-limiter.ts',
  'rest/breaker.ts',
  'rest/circuit.ts',
  'rest/client.ts',
  'rest/forgetful-map.ts',
  'rest/pauses.ts',
  'rest/turns.ts',
]);

/** Packages that are dear to load, and that not everyone needs: each is loaded where it is needed, and no start waits for it. */
const LATE = [
  '@apollo/usage-reporting-protobuf',
  '@graphql-yoga/plugin-apollo-inline-trace',
  '@graphql-yoga/render-graphiql',
  '@opentelemetry/sdk-node',
  '@redis/client',
  'jose',
];

const NO_NAMES = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared', 'lib'];

const SRC = new URL('../src/', import.meta.url);
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => statSync(new URL(path, SRC)).isFile())
  .map((path): SourceFile => ({ path, text: readFileSync(new URL(path, SRC), 'utf8') }));

describe('The house', () => {
  test('has the rooms of the table, and no others', () => {
    expect([...new Set(files.map(({ path }) => roomOf(path)))].sort()).toEqual(Object.keys(HOUSE).sort());
  });

  test('has walls: every file imports what its room may import', () => {
    expect(files.flatMap(wallFaults)).toEqual([]);
  });

  test('has no wall that is open for nobody: what the table allows is in use', () => {
    const used = new Map(Object.keys(HOUSE).map((room) => [room, new Set<string>()]));
    for (const file of files) for (const { target } of importsOf(file)) used.get(roomOf(file.path))?.add(target);
    const unused = Object.keys(HOUSE).flatMap((room) =>
      allowedIn(room)
        .filter(({ target }) => !used.get(room)?.has(target))
        .map(({ target }) => `${room}: ${target}`),
    );
    expect(unused).toEqual([]);
  });

  test('is built in one direction: no room reaches itself through others', () => {
    expect(roundTrips(HOUSE)).toEqual([]);
  });

  test('has doors, and each is opened only where it may be', () => {
    expect(files.flatMap(doorFaults)).toEqual([]);
  });

  test('is written in its own way: `./` inside, `#room/…` across', () => {
    expect(files.filter(({ path }) => roomOf(path) !== 'generated').flatMap(pathFaults)).toEqual([]);
  });

  test('keeps nothing alive by a getter: those of single operations are of classes', () => {
    expect(files.filter(({ path }) => roomOf(path) !== 'sandbox').flatMap(getterFaults)).toEqual([]);
    expect(files.filter(hasGetterInLiteral).map(({ path }) => path)).toEqual(expect.arrayContaining([...GETTERS]));
  });

  test('starts without what may never be needed', () => {
    const loaded = loadedWith(['main.ts', 'index.ts'], files);
    expect(LATE.filter((name) => loaded.has(name))).toEqual([]);
    expect([...loaded]).toEqual(expect.arrayContaining(['graphql', 'http/handler.ts']));
    const named = new Set(files.flatMap(importsOf).map(({ target }) => target));
    expect(LATE.filter((name) => !named.has(name))).toEqual([]);
  });

  test('names its files for what they are, in kebab case', () => {
    expect(files.flatMap(({ path }) => nameFaults(path))).toEqual([]);
  });
});

describe('The rules can fail', () => {
  const found = (path: string, text: string) => {
    const file = { path, text };
    return [...wallFaults(file), ...doorFaults(file), ...pathFaults(file), ...nameFaults(path), ...getterFaults(file)];
  };

  test.each([
    ['rest/x.ts', "import { connect } from '#pagination/connection.ts';", 'rest/x.ts:1 may not import #pagination/connection.ts'],
    ['pagination/x.ts', "export * from '#rest/client.ts';", 'pagination/x.ts:1 may not import #rest/client.ts'],
    ['errors/x.ts', "const rest = await import('#rest/client.ts');", 'errors/x.ts:1 may not import #rest/client.ts'],
    ['errors/x.ts', "let rest: import('#rest/client.ts').Get;", 'errors/x.ts:1 may not import #rest/client.ts'],
    [
      'http/x.ts',
      "import { createContextFactory } from '#context/request-context.ts';",
      'http/x.ts:1 may import only types of #context/request-context.ts',
    ],
    [
      'http/x.ts',
      "import { type RequestContext, createContextFactory } from '#context/request-context.ts';",
      'http/x.ts:1 may import only types of #context/request-context.ts',
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
      'http/x.ts:1 goes round: #http/use-health.ts is in the same room',
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
    ['http/x.ts', "import type { RequestContext } from '#context/request-context.ts';"],
    ['http/x.ts', "import { type RequestContext } from '#context/request-context.ts';"],
    ['http/x.ts', "export type { RequestContext } from '#context/request-context.ts';"],
    ['http/x.ts', "let context: import('#context/request-context.ts').RequestContext;"],
    ['http/x.ts', "import { useHealth } from './use-health.ts';"],
    ['rest/x.ts', "// console.log(process.env), setTimeout and `import '../x.ts'`\nconst text = 'Date.now()';"],
    ['rest/x.ts', 'const wait = options.setTimeout(5); const { console: log } = given; const date = new Date(5);'],
    ['http/x.ts', 'const answer = yoga.fetch(request);'],
    [
      'http/x.ts',
      'export const toTransport = (fetch: typeof globalThis.fetch) => fetch(url); interface Gateway { fetch(): void }',
    ],
    ['context/x.ts', 'class Account { get sum() { return 1; } }'],
    ['rest/circuit.ts', 'const circuit = { get state() { return 1; } };'],
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
    expect([...loadedWith(['main.ts'], house)].sort()).toEqual(['a.ts', 'main.ts', 'room/b.ts', 'room/c.ts', 'undici']);
  });

  test('a round trip is found, however long', () => {
    expect(roundTrips({ a: 'b', b: 'c, node:http', c: 'a', d: 'a' })).toEqual(['a', 'b', 'c']);
    expect(roundTrips({ a: 'b', b: 'a (types)' })).toEqual([]);
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
  readonly isLate: boolean;
  readonly line: number;
}

function roomOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function allowedIn(room: string, house = HOUSE): { target: string; isTypeOnly: boolean }[] {
  const entries = (house[room] ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.map((entry) => ({ target: entry.replace(' (types)', ''), isTypeOnly: entry.endsWith(' (types)') }));
}

function wallFaults(file: SourceFile): string[] {
  const room = roomOf(file.path);
  return importsOf(file).flatMap(({ from, target, isTypeOnly, line }) => {
    if (target === room) return [];
    const allowed = allowedIn(room).find((entry) => entry.target === target);
    if (!allowed) return from.startsWith('../') ? [] : [`${file.path}:${line} may not import ${from}`];
    return allowed.isTypeOnly && !isTypeOnly ? [`${file.path}:${line} may import only types of ${from}`] : [];
  });
}

function pathFaults(file: SourceFile): string[] {
  return importsOf(file).flatMap(({ from, target, line }) => {
    if (from.startsWith('../')) return [`${file.path}:${line} climbs: ${from}`];
    if (from.startsWith('#') && target === roomOf(file.path))
      return [`${file.path}:${line} goes round: ${from} is in the same room`];
    return [];
  });
}

function nameFaults(path: string): string[] {
  const names = path.replace(/\.ts$/, '').split('/');
  if (!path.endsWith('.ts') || names.some((name) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)))
    return [`${path}: is not in kebab case`];
  return names.some((name) => name.split('-').some((word) => NO_NAMES.includes(word))) ? [`${path}: has not found its name`] : [];
}

function doorFaults(file: SourceFile): string[] {
  return [...importsOf(file).map(({ from, line }) => ({ door: from, line })), ...openedIn(file)].flatMap(({ door, line }) => {
    const openers = DOORS[door];
    const isAllowed = !openers || openers.includes(file.path) || openers.includes(roomOf(file.path));
    return isAllowed ? [] : [`${file.path}:${line} may not open ${door}`];
  });
}

function getterFaults(file: SourceFile): string[] {
  return hasGetterInLiteral(file) && !GETTERS.has(file.path) ? [`${file.path}: has a getter in an object literal`] : [];
}

function hasGetterInLiteral({ path, text }: SourceFile): boolean {
  const isFound = (node: ts.Node): boolean =>
    (ts.isGetAccessor(node) && ts.isObjectLiteralExpression(node.parent)) || (ts.forEachChild(node, isFound) ?? false);
  return isFound(parse(path, text));
}

/** Rooms that lead back to themselves by what they do; types do nothing. */
function roundTrips(house: typeof HOUSE): string[] {
  const next = (room: string) => allowedIn(room, house).filter(({ target, isTypeOnly }) => target in house && !isTypeOnly);
  return Object.keys(house).filter((start) => {
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
function loadedWith(paths: readonly string[], house: readonly SourceFile[]): Set<string> {
  const sources = new Map(house.map((file) => [file.path, file]));
  const loaded = new Set(paths);
  for (const path of loaded) {
    const file = sources.get(path);
    for (const { from, target, isTypeOnly, isLate } of file ? importsOf(file) : []) {
      if (!isTypeOnly && !isLate) loaded.add(fileOf(from, path) ?? target);
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
    const isLate = ts.isCallExpression(node);
    imports.push({
      from: specifier.text,
      target: targetOf(specifier.text, path),
      isTypeOnly,
      isLate,
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
  if (file !== undefined) return roomOf(file);
  return from.startsWith('node:')
    ? from
    : from
        .split('/')
        .slice(0, from.startsWith('@') ? 2 : 1)
        .join('/');
}

/** Doors opened by a global name: `console`, `globalThis.fetch`, `process.env`, `const { env } = process`, `new Date()`. */
function openedIn({ path, text }: SourceFile): { door: string; line: number }[] {
  const source = parse(path, text);
  const opened: { door: string; line: number }[] = [];
  walk(source, (node) => {
    const door = doorAt(node);
    if (door !== undefined) opened.push({ door, line: lineOf(source, node) });
  });
  return opened;
}

function doorAt(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && node.getText().startsWith('new Date') && !node.arguments?.length) return 'new Date()';
  if (ts.isPropertyAccessExpression(node)) {
    const name = node
      .getText()
      .replace(/\s|\?/g, '')
      .replace(/^globalThis\./, '');
    return name in DOORS ? name : undefined;
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer) {
    const names = node.name.elements.map(
      (element) => `${node.initializer?.getText()}.${(element.propertyName ?? element.name).getText()}`,
    );
    return names.find((name) => name in DOORS);
  }
  return ts.isIdentifier(node) && node.text in DOORS && isGlobal(node) ? node.text : undefined;
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
