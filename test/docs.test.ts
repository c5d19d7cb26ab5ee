import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type DocumentNode,
  isExecutableDefinitionNode,
  parse,
  print,
  validate,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { brokenLinksOf } from './support/markdown-links.ts';

const ROOT = join(import.meta.dirname, '..');
const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const schema = buildSchema(readFileSync(join(ROOT, 'sdl/subgraph.graphql'), 'utf8'), {
  assumeValidSDL: true,
});

/** The examples of docs/guides/clients.md. */
const GUIDE = join(ROOT, 'test/clients/guide');

/** Its operation selects fields of two subgraphs. */
const SUPERGRAPH_PAGE = 'docs/guides/federation.md';

/** The operations of a page. Its other GraphQL examples are type definitions. */
function operationsOf(text: string): { name: string; document: DocumentNode }[] {
  return Array.from(text.matchAll(/^ *```graphql\n(.*?)^ *```/gms), ([, code = '']) => parse(code))
    .filter(({ definitions }) => definitions.every(isExecutableDefinitionNode))
    .map((document) => ({ name: print(document).split('\n')[0] ?? '', document }));
}

describe.each(documents)('Document %s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8');

  test(`${path} names only files that exist`, () => {
    const named = Array.from(
      text.matchAll(/`((?:test|src|schema|sdl|docs)\/[\w./-]+\.\w+)`/g),
      ([, name]) => name ?? '',
    );
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  test(`${path} has no broken links`, () => {
    expect(brokenLinksOf(join(ROOT, path))).toEqual([]);
  });

  test.each(path === SUPERGRAPH_PAGE ? [] : operationsOf(text))(
    `${path} shows an operation of the schema: $name`,
    ({ document }) => {
      expect(validate(schema, document)).toEqual([]);
    },
  );
});

test('docs/guides/live-calls.md shows each client as test/clients runs it', () => {
  const page = readFileSync(join(ROOT, 'docs/guides/live-calls.md'), 'utf8');
  const shown = Array.from(page.matchAll(/```ts\n(.*?)```/gs), ([, code]) => code);
  const snippets = join(ROOT, 'test/clients/snippets');
  // `fetchSubscriptions` is mentioned only: applications need the other transport of urql.
  const run = readdirSync(snippets)
    .filter((name) => name !== 'urql-fetch.ts')
    .map((name) => readFileSync(join(snippets, name), 'utf8'));
  expect(shown.toSorted()).toEqual(run.toSorted());
});

test('docs/guides/clients.md shows each example as the tests run it', () => {
  const page = readFileSync(join(ROOT, 'docs/guides/clients.md'), 'utf8');
  const shown = Array.from(page.matchAll(/```(?:ts|js|tsx|jsx)\n(.*?)```/gs), ([, code]) => code);
  const examples = ['', 'pages/']
    .flatMap((folder) => readdirSync(join(GUIDE, folder)).map((name) => `${folder}${name}`))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(GUIDE, name));
  const configurations = ['codegen.ts', 'vite.config.ts'].map((name) =>
    join(ROOT, 'examples/dashboard', name),
  );
  // The examples of docs/guides/live-calls.md are files beside those of the page.
  const run = [...configurations, ...examples].map((path) =>
    readFileSync(path, 'utf8').replaceAll('../snippets/', './'),
  );
  expect(shown.toSorted()).toEqual(run.toSorted());
  // The options of the plugin of gql.tada.
  const [plugins] = Array.from(page.matchAll(/```json\n(.*?)```/gs), ([, json]) => json);
  const options = readFileSync(join(GUIDE, 'tsconfig.json'), 'utf8');
  expect(options.replace(/^ {4}/gm, '')).toContain(plugins?.trim());
});

test('docs/guides/clients.md shows Relay as the example and test/clients run it', () => {
  const page = readFileSync(join(ROOT, 'docs/guides/clients.md'), 'utf8');
  const [section = ''] = /^## Relay\n.*?(?=^## )/ms.exec(page) ?? [];
  const shown = Array.from(section.matchAll(/```\w+\n(.*?)```/gs), ([, code]) => code);
  const run = [
    'examples/relay/relay.production.json',
    'examples/relay/src/environment.ts',
    'test/clients/relay-app/new-attempts.ts',
  ].map((name) => readFileSync(join(ROOT, name), 'utf8'));
  expect(shown).toEqual(run);
});

test('docs/guides/embedding.md shows the files that test:deploy compiles and runs', () => {
  const page = readFileSync(join(ROOT, 'docs/guides/embedding.md'), 'utf8');
  const shown = Array.from(page.matchAll(/```ts\n(.*?)```/gs), ([, code]) => code);
  const run = ['retry-delay.ts', 'application-test.ts'].map((name) =>
    readFileSync(join(ROOT, 'test/deploy/consumer', name), 'utf8'),
  );
  expect(shown).toEqual(expect.arrayContaining(run));
});

test('docs/guides/federation.md shows the configurations that test/routers runs', () => {
  const page = readFileSync(join(ROOT, 'docs/guides/federation.md'), 'utf8');
  const read = (name: string) => {
    const text = readFileSync(join(ROOT, 'test/routers/processes', name), 'utf8');
    // The first line says what the file is.
    return text.replace(/^(\/\/|#) .*\n/, '').trim();
  };
  const [apolloClass] = /^class Revox .*?^}$/ms.exec(read('apollo.js')) ?? [];
  const transports = ['hive-ws.js', 'hive-callback.js'].map((name) => {
    const [options = 'none'] = /^ {2}(pubsub|transportEntries).*?^ {2}},$/ms.exec(read(name)) ?? [];
    return options.replace(/^ {2}/gm, '');
  });
  for (const configuration of [
    read('hive.js'),
    ...transports,
    read('grafbase.toml'),
    apolloClass ?? 'none',
  ])
    expect.soft(page).toContain(configuration);
  for (const [, yaml = ''] of page.matchAll(/```yaml\n(.*?)```/gs))
    expect.soft(parseYaml(yaml)).toBeTypeOf('object');
});

test('deploy/federation-local has the settings for subscriptions of docs/guides/federation.md', () => {
  const [guide, example] = [
    'docs/guides/federation.md',
    'deploy/federation-local/gateway.config.js',
  ]
    .map((name) => readFileSync(join(ROOT, name), 'utf8'))
    .map((text) => [
      /^ {2}plugins: .*?^}\);$/ms.exec(text)?.[0],
      /^\/\*\*(?:(?!^\/\*\*).)*?^function requireEventStream.*?^}$/ms.exec(text)?.[0],
    ]);
  expect(guide).not.toContain(undefined);
  expect(example).toEqual(guide);
});
