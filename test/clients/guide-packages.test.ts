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
  HttpLink,
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
import type { RawValues } from './guide/raw-values.ts';
import { giveCallOlderAssistant } from './older-assistant.ts';
import { serveLiveGateway } from './served-live-gateway.ts';

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
    const CALL = 'query Call($id: ID!) { call(id: $id) { id status } }';
    interface UrqlGuide {
      readonly keys: Readonly<Record<string, unknown>>;
      createUrqlClient(url: string, send: typeof fetch, rawValues: RawValues): UrqlClient;
    }

    async function createClient(url: string, send = fetch, rawValues: RawValues = new Map()) {
      const { createUrqlClient } = await load<UrqlGuide>('urql-client');
      return createUrqlClient(url, send, rawValues);
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
      const { FEED } = await load<{ FEED: DocumentNode }>('attempts-feed');
      const client = await createClient(gateway.url);
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
      const client = await createClient(gateway.url);
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
      const client = await createClient(gateway.url);
      const query = `query Both($callId: ID!, $assistantId: ID!) {
        call(id: $callId) { id assistant { inCall: __typename id prompt } }
        assistant(id: $assistantId) { id name prompt }
      }`;
      await client.query(query, variables).toPromise();
      expect(client.readQuery(query, variables)?.data).toMatchObject(expected);
      expect(gateway.traffic().sort()).toEqual(traffic.toSorted());
    });

    test('urql shows null for a call that does not exist', async () => {
      await using gateway = await serveTestGateway({ settings: NO_CACHE });
      const client = await createClient(gateway.url);
      const result = await client.query(CALL, { id: 'no-such-call' }).toPromise();
      expect(result.error).toBeUndefined();
      expect(result.data).toEqual({ call: null });
      expect(gateway.traffic()).toEqual(['GET /call/no-such-call']);
      const again = await client.query(CALL, { id: 'no-such-call' }).toPromise();
      expect(again.data).toEqual({ call: null });
      expect(gateway.traffic()).toEqual([]);
    });

    const ROWS = `query Rows($id: ID!, $after: String) {
      campaign(id: $id) { id list: rows(first: 20, after: $after) { ...Page } }
    }
    fragment Page on CampaignRowConnection {
      edges { node { id } } pageInfo { hasNextPage endCursor }
    }`;
    const ATTEMPTS = `query Attempts($after: String) {
      list: callAttempts(first: 20, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }
    }`;
    test.each([
      { list: 'rows', query: ROWS, fails: '/rows' },
      { list: 'rows, if their campaign fails, too,', query: ROWS, fails: '/campaigns' },
      { list: 'attempts', query: ATTEMPTS, fails: '/call' },
    ])(
      'a list of $list in urql keeps its pages when the next page fails, and gets that page with another attempt',
      async ({ query, fails }) => {
        await using gateway = await serveTestGateway({
          settings: { ...NO_CACHE, REVOX_RETRIES: '0' },
        });
        const { control } = gateway.sandbox;
        const { loadMore } = await load<{
          loadMore(client: UrqlClient, query: string, variables: object): Promise<unknown>;
        }>('urql-pages');
        const { largeCampaignId: id } = sampleIds(gateway.sandbox);
        const client = await createClient(gateway.url);
        const variables = query === ROWS ? { id } : {};
        let shown: { edges: { node: { id: string } }[]; pageInfo: { endCursor: string } };
        const list = client.query(query, variables).subscribe(({ data }) => {
          shown = data?.campaign?.list ?? data?.list;
        });
        const next = () => ({ ...variables, after: shown.pageInfo.endCursor });
        await expect.poll(() => shown?.edges.length).toBe(20);
        expect(await loadMore(client, query, next())).toBeUndefined();
        await expect.poll(() => shown?.edges.length).toBe(40);

        gateway.traffic();
        control.fail(fails === '/rows' ? `/campaigns/${id}/rows` : fails, { status: 503 });
        expect(await loadMore(client, query, next())).toMatchObject({
          graphQLErrors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
        });
        expect(gateway.traffic()).not.toEqual([]);
        expect(shown!.edges).toHaveLength(40);

        control.heal();
        expect(await loadMore(client, query, next())).toBeUndefined();
        await expect.poll(() => shown?.edges.length).toBe(60);
        list.unsubscribe();
        const { attempts, rows } = control.data(KEY_A);
        expect(shown!.edges.map(({ node }) => node.id)).toEqual(
          (query === ROWS ? rows[id]! : attempts).slice(0, 60).map((item) => item.id),
        );
      },
    );

    test('urql renders the call of an event in a query of the call, and sends each request by POST', async () => {
      await using gateway = await serveLiveGateway({ settings: { REVOX_API_KEY: KEY_A } });
      const id = 'c1';
      gateway.putCall({ id, status: 'calling' });
      const methods: unknown[] = [];
      const client = await createClient(gateway.url, (url, init) => {
        methods.push(init?.method);
        return fetch(url, init);
      });
      const seen: unknown[] = [];
      const events: unknown[] = [];
      const query = client
        .query(CALL, { id })
        .subscribe(({ data }) => seen.push(data?.call?.status));
      await gateway.until(() => seen.includes('CALLING'));
      const subscription = client
        .subscription('subscription Watch($id: ID!) { callUpdated(id: $id) { id status } }', { id })
        .subscribe(({ data }) => events.push(data?.callUpdated.status));
      await gateway.passUntil(() => events.length > 0);
      gateway.putCall({ id, status: 'completed' });
      await gateway.passUntil(() => seen.includes('COMPLETED') && gateway.ends.includes('over'));
      query.unsubscribe();
      subscription.unsubscribe();
      expect(seen).toEqual(['CALLING', 'COMPLETED']);
      expect(events.at(-1)).toBe('COMPLETED');
      expect(methods).toEqual(['POST', 'POST']);
      expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
    });

    test('urql keeps the raw values of a response, which a result from its store does not have', async () => {
      await using gateway = await serveTestGateway({ settings: NO_CACHE });
      const { richCallId: id } = sampleIds(gateway.sandbox);
      gateway.sandbox.control.transform('/call/', ({ call }) => ({
        call: {
          ...call,
          status: 'on-hold',
          last_call_attempt: {
            ...call.last_call_attempt,
            transcript: [{ role: 'narrator', content: 'Once.' }],
          },
        },
      }));
      const rawValues: RawValues = new Map();
      const client = await createClient(gateway.url, fetch, rawValues);
      const query = `query Card($id: ID!) {
        call(id: $id) { id status lastCallAttempt { id transcript { role } } }
      }`;
      const { data } = await client.query(query, { id }).toPromise();
      const { data: stored, extensions } = (await client.query(query, { id }).toPromise()) ?? {};
      expect(stored).toEqual(data);
      // Otherwise no exchange would be needed.
      expect(extensions?.unrecognized).toBeUndefined();
      expect(data.call).toMatchObject({
        status: 'UNRECOGNIZED',
        lastCallAttempt: { transcript: [{ role: 'UNRECOGNIZED' }] },
      });
      // A message of a transcript has no id.
      expect([...rawValues]).toEqual([[`Call:${id}`, { status: 'on-hold' }]]);
      expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
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

    const MOCKS = { Call: () => ({ status: 'CALLING', scheduledAt: '2026-02-01T08:00:00Z' }) };
    const MOCKED_CALL = {
      status: 'CALLING',
      createdAt: '2026-01-31T12:00:00Z',
      scheduledAt: '2026-02-01T08:00:00Z',
      llmModel: { __typename: expect.stringMatching(/LlmModel$/) },
      campaign: { name: expect.any(String) },
    };
    const createMockedFetch = async () =>
      (
        await load<{ createMockedFetch(sdl: string, mocks: object): typeof fetch }>('mocked-fetch')
      ).createMockedFetch(SDL, MOCKS);

    test('Apollo Client over a mocked fetch gets the values of the test, and values of the schema for all others', async () => {
      const link = new HttpLink({ uri: '/graphql', fetch: await createMockedFetch() });
      const client = new Client({ cache: createCache(), link });
      open.push(client);
      const { data } = await client.query<{ call: object }>({
        query: CARD,
        variables: { id: 'c' },
      });
      expect(data?.call).toMatchObject(MOCKED_CALL);
    });

    test('urql over a mocked fetch gets them, too, although the call has another id', async () => {
      const { createUrqlClient } = await load<{
        createUrqlClient(url: string, send: typeof fetch, rawValues: RawValues): UrqlClient;
      }>('urql-client');
      const client = createUrqlClient('/graphql', await createMockedFetch(), new Map());
      const { data } = await client.query(CARD, { id: 'c' }).toPromise();
      expect(data?.call).toMatchObject(MOCKED_CALL);
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
