import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type ApolloClient,
  type ApolloLink,
  ApolloClient as Client,
  type DocumentNode,
  gql,
} from '@apollo/client';
import type { Client as UrqlClient } from '@urql/core';
import { buildSchema, isObjectType } from 'graphql';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { writeDocuments } from '../support/document-files.ts';
import { serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { createCache } from './guide/apollo-cache.ts';
import { createHttpLink } from './guide/apollo-persisted.ts';
import { giveCallOlderAssistant } from './older-assistant.ts';

const FOLDER = join(import.meta.dirname, 'guide');
const ROOT = join(import.meta.dirname, '../..');
const SDL = readFileSync(join(ROOT, 'sdl/client.graphql'), 'utf8');
/** The packages of `guide/package.json` that are missing, or installed in another version. */
const missing = Object.entries(readJson('package.json').devDependencies ?? {})
  .filter(([name, version]) => {
    const { version: installed } = readJson(`node_modules/${name}/package.json`);
    return version.startsWith('file:') ? !installed : installed !== version;
  })
  .map((entry) => entry.join('@'));
const isInstalled = missing.length === 0;

if (!isInstalled)
  console.warn(
    'The tests of the packages in test/clients/guide are skipped: run npm run install:clients',
  );
test.runIf(process.env.CI === 'true')('CI has the packages of test/clients/guide', () => {
  expect(missing).toEqual([]);
});

/** The compilers take seconds, and more on a busy machine. */
const COMPILER_TIMEOUT_MS = 300_000;

interface PackageJson {
  readonly version?: string;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function readJson(path: string): PackageJson {
  const file = join(FOLDER, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** Modules that need the packages of the folder; `guide/tsconfig.json` checks their types. */
function load<T>(name: string): Promise<T> {
  return import(/* @vite-ignore */ join(FOLDER, `${name}.ts`)) as Promise<T>;
}

async function run(program: string, args: readonly string[], env = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
    cwd: FOLDER,
    env: { ...process.env, ...env },
  }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`${program} has failed: ${error.stdout}${error.stderr}`);
  });
  return stdout;
}

describe.skipIf(!isInstalled)('Examples with packages', () => {
  const open: { stop(): void }[] = [];
  beforeAll(async () => {
    await run('node_modules/gql.tada/bin/cli.js', ['generate', 'output']);
    await run(
      join(ROOT, 'node_modules/@graphql-codegen/cli/esm/bin.js'),
      ['--config', 'codegen.persisted.ts', '--silent'],
      { NODE_ENV: 'production' },
    );
  }, COMPILER_TIMEOUT_MS);
  beforeEach(() => {
    vi.spyOn(console, 'error');
    vi.spyOn(console, 'warn');
  });
  afterEach(() => {
    for (const client of open.splice(0)) client.stop();
    // Clients log what they cannot store.
    const problems = [
      ...vi.mocked(console.error).mock.calls,
      ...vi.mocked(console.warn).mock.calls,
    ];
    vi.restoreAllMocks();
    expect(problems).toEqual([]);
  });

  test(
    'the examples compile with strict types',
    async () => {
      expect(await run(join(ROOT, 'node_modules/typescript/bin/tsc'), ['-p', '.'])).toBe('');
    },
    COMPILER_TIMEOUT_MS,
  );

  describe('urql with Graphcache', () => {
    interface UrqlGuide {
      readonly keys: Readonly<Record<string, unknown>>;
      createUrqlClient(url: string, send: typeof fetch): UrqlClient;
    }

    test('Graphcache has a key for each type of the schema without an id', async () => {
      const { keys } = await load<UrqlGuide>('urql-client');
      const schema = buildSchema(SDL);
      const roots = [schema.getQueryType(), schema.getSubscriptionType()];
      const parts = Object.values(schema.getTypeMap())
        .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
        .filter((type) => !roots.includes(type as never))
        .filter((type) => isObjectType(type) && String(type.getFields().id?.type) !== 'ID!')
        .map(({ name }) => name);
      expect(Object.keys(keys).toSorted()).toEqual(parts.toSorted());
    });

    test('urql appends pages to the list of their filter, and requests each page once', async () => {
      await using gateway = await serveTestGateway();
      const { createUrqlClient } = await load<UrqlGuide>('urql-client');
      const { FEED } = await load<{ FEED: DocumentNode }>('attempts-feed');
      const client = createUrqlClient(gateway.url, fetch);
      const idsIn = (status: string) => idsOf(gateway.sandbox, status);
      const read = async (variables: object) => {
        const { data, error } = await client.query(FEED, variables).toPromise();
        expect(error).toBeUndefined();
        return data.callAttempts as {
          edges: { node: { id: string } }[];
          pageInfo: { hasNextPage: boolean; endCursor: string };
        };
      };

      const first = await read({ statuses: ['COMPLETED'] });
      expect(gateway.traffic()).toHaveLength(2);
      const other = await read({ statuses: ['ERRORED'] });
      expect(gateway.traffic()).toHaveLength(2);
      const after = first.pageInfo.endCursor;
      const both = await read({ statuses: ['COMPLETED'], after });
      expect(gateway.traffic().length).toBeLessThanOrEqual(2);
      const shown = ({ edges }: typeof first) => edges.map(({ node }) => node.id);
      expect(shown(first)).toEqual(idsIn('completed').slice(0, 50));
      expect(shown(both)).toEqual(idsIn('completed').slice(0, 100));
      expect(shown(other)).toEqual(idsIn('errored').slice(0, 50));

      // The page comes from the store of the client.
      expect(shown(await read({ statuses: ['COMPLETED'], after }))).toEqual(shown(both));
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    });

    test('urql shows a call of a campaign row from its store, without a request', async () => {
      await using gateway = await serveTestGateway({ settings: NO_CACHE });
      const { createUrqlClient } = await load<UrqlGuide>('urql-client');
      const client = createUrqlClient(gateway.url, fetch);
      const { largeCampaignId: id } = sampleIds(gateway.sandbox);
      const rows = await client
        .query(
          `query Rows($id: ID!) {
            campaign(id: $id) {
              id
              rows(first: 20) {
                edges { node { id call { id status llmModel { __typename } assistant { id voice { voiceId } } } } }
                pageInfo { hasNextPage endCursor }
              }
            }
          }`,
          { id },
        )
        .toPromise();
      expect(rows.error).toBeUndefined();
      expect(gateway.traffic().length).toBeGreaterThan(0);
      const edges: { node: { call: { id: string } | null } }[] = rows.data.campaign.rows.edges;
      const call = edges.map(({ node }) => node.call).find(Boolean)!;
      const card = await client
        .query('query Card($id: ID!) { call(id: $id) { id status } }', { id: call.id })
        .toPromise();
      expect(card.data.call).toMatchObject({ id: call.id });
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    });

    test('urql stores the assistant of a call beside the assistant of today', async () => {
      await using gateway = await serveTestGateway({ settings: NO_CACHE });
      const { variables, expected, traffic } = giveCallOlderAssistant(gateway.sandbox);
      const { createUrqlClient } = await load<UrqlGuide>('urql-client');
      const client = createUrqlClient(gateway.url, fetch);
      const query = `query Both($callId: ID!, $assistantId: ID!) {
        call(id: $callId) { id assistant { inCall: __typename id prompt } }
        assistant(id: $assistantId) { id name prompt }
      }`;
      await client.query(query, variables).toPromise();
      expect(client.readQuery(query, variables)?.data).toMatchObject(expected);
      expect(gateway.traffic().sort()).toEqual(traffic.toSorted());
    });
  });

  test('a production build sends ids that the gateway accepts as trusted documents, and no text', async () => {
    const { CARD } = await load<{ CARD: DocumentNode }>('pages/call-card');
    await using gateway = await serveTestGateway({
      settings: {
        ...NO_CACHE,
        TRUSTED_DOCUMENTS: writeDocuments({
          'documents.json': readJson('__generated__/documents/persisted-documents.json'),
        }),
        TRUSTED_DOCUMENTS_ONLY: 'on',
      },
    });
    const { richCallId: id } = sampleIds(gateway.sandbox);
    const query = (link: ApolloLink) => {
      const client = new Client({ cache: createCache(), link });
      open.push(client);
      return client.query<{ call: object }>({ query: CARD, variables: { id } });
    };
    const { data } = await query(createHttpLink(gateway.url, true));
    expect(data?.call).toMatchObject({
      __typename: 'Call',
      id,
      campaign: { __typename: 'Campaign' },
    });
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    // The link of a development build sends the text, which differs from the trusted one.
    await expect(query(createHttpLink(gateway.url, false))).rejects.toMatchObject({
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    expect(gateway.traffic()).toEqual([]);
  });

  describe('Tests of an application', () => {
    const CARD: DocumentNode = gql`query Card($id: ID!) {
      call(id: $id) { id status createdAt scheduledAt llmModel { __typename } campaign { id name } }
    }`;

    test('a mocked client returns the values of the test, and values of the schema for all others', async () => {
      const { createMockedClient } = await load<{
        createMockedClient(sdl: string, mocks: object): ApolloClient;
      }>('schema-mocks');
      const client = createMockedClient(SDL, {
        Call: () => ({ status: 'CALLING', scheduledAt: '2026-02-01T08:00:00Z' }),
      });
      open.push(client);
      const { data } = await client.query<{ call: object }>({
        query: CARD,
        variables: { id: 'c' },
      });
      expect(data?.call).toMatchObject({
        status: 'CALLING',
        createdAt: '2026-01-31T12:00:00Z',
        scheduledAt: '2026-02-01T08:00:00Z',
        llmModel: { __typename: expect.stringMatching(/LlmModel$/) },
        campaign: { name: expect.any(String) },
      });
    });

    test('a client over the sandbox gets data of the Revox API, and the faults that a test asks for', async () => {
      const { createSandboxedClient } = await load<{
        createSandboxedClient(): {
          client: ApolloClient;
          control: Sandbox['control'];
          dispose(): Promise<void>;
        };
      }>('sandboxed-client');
      const { client, control, dispose } = createSandboxedClient();
      const [id, other] = control.data(KEY_A).calls.map((call) => call.id);
      const { data } = await client.query<{ call: object }>({ query: CARD, variables: { id } });
      expect(data?.call).toMatchObject({ id });
      expect([...control.requestCounts()]).toEqual([[`/call/${id}`, 1]]);

      control.clearLog();
      control.fail('/call/', { status: 503 });
      await expect(client.query({ query: CARD, variables: { id: other } })).rejects.toMatchObject({
        errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
      });
      expect([...control.requestCounts().keys()]).toEqual([`/call/${other}`]);
      await dispose();
    });
  });
});

/** The ids of the attempts of calls with this status, in the order of the list. */
function idsOf({ control }: Sandbox, status: string): string[] {
  const { calls, attempts } = control.data(KEY_A);
  const ids = new Set(
    calls
      .filter((call) => call.status === status)
      .flatMap((call) => call.call_attempts.map(({ id }) => id)),
  );
  return attempts.map(({ id }) => id).filter((id) => ids.has(id));
}
