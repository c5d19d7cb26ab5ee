import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createTestGateway, KEY_A } from '../support/test-gateway.ts';
import { readAccessMatrix, toMeanings, withTitles } from './access-matrix.ts';
import { ALLOWED, ORIGINS, OWN, SECRET, SETTINGS, toSettings } from './access-matrix-origins.ts';

const QUERY = 'query ($id: ID!) { call(id: $id) { id } }';
const SUBSCRIPTION = 'subscription ($id: ID!) { callUpdated(id: $id) { id } }';
const STREAM_TYPES = ['text/event-stream', 'multipart/mixed;subscriptionSpec=1.0'];
const TYPE = { 'content-type': 'application/json' };

type Sent = (id: string) => { readonly search?: string; readonly init?: RequestInit };

const toSearch = (id: string) =>
  `?${new URLSearchParams({ query: QUERY, variables: JSON.stringify({ id }) })}`;
const toText = (query: string) => String(new URLSearchParams({ query }));
const post: Sent = (id) => ({
  init: {
    method: 'POST',
    headers: TYPE,
    body: JSON.stringify({ query: QUERY, variables: { id } }),
  },
});

const REQUESTS: { readonly [word: string]: Sent } = {
  POST: post,
  'POST as text/plain': (id) => ({
    init: { ...post(id).init, headers: { 'content-type': 'text/plain' } },
  }),
  'POST without a secret': post,
  'POST without a key': post,
  GET: (id) => ({ search: toSearch(id) }),
  'GET from the address bar': (id) => ({
    search: toSearch(id),
    init: { headers: { 'sec-fetch-site': 'none' } },
  }),
  'GET of an event stream': (id) => ({
    search: toSearch(id),
    init: { headers: { accept: 'text/event-stream' } },
  }),
  'the GraphiQL page': (id) => ({
    search: toSearch(id),
    init: { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } },
  }),
  preflight: () => ({
    init: { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } },
  }),
};

const rows = readAccessMatrix('Pages of other origins');
const titled = withTitles(rows, ['settings', 'request', 'Origin', 'Sec-Fetch-Site']);

function toRequest(row: Record<string, string>, id: string) {
  const { search = '', init } = toMeanings(REQUESTS, row.request)(id);
  const headers = new Headers(init?.headers);
  const origin = toMeanings(ORIGINS, row.Origin);
  if (origin !== undefined) headers.set('origin', origin);
  if (row['Sec-Fetch-Site'] !== 'none') headers.set('sec-fetch-site', row['Sec-Fetch-Site']!);
  const isBare = row.request === 'preflight' || row.request?.includes('without');
  if (!isBare && row.settings!.includes('pass-through'))
    headers.set('authorization', `Bearer ${KEY_A}`);
  if (!isBare && row.settings!.includes('secrets')) headers.set('router-authorization', SECRET);
  return { search, init, headers };
}

describe('CORS matrix of docs/reference/access-matrix.md', () => {
  test.each(titled)('%s', async (_title, row) => {
    const gateway = createTestGateway({ settings: toSettings(row) });
    const { richCallId: id } = sampleIds(gateway.sandbox);
    const { search, init, headers } = toRequest(row, id);

    const response = await gateway.fetch(`${OWN}/graphql${search}`, { ...init, headers });
    const text = await response.text();

    const code = /"code":"(\w+)"/.exec(text)?.[1];
    expect([response.status, code].filter(Boolean).join(' ')).toBe(row.response);
    expect(response.headers.get('access-control-allow-origin')).toBe(
      toMeanings(ORIGINS, row['Access-Control-Allow-Origin']) ?? null,
    );
    expect(response.headers.get('access-control-expose-headers')).toBe(
      row['Access-Control-Allow-Origin'] === 'none'
        ? null
        : 'Allow, Retry-After, WWW-Authenticate, X-Request-Id',
    );
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
    const varies = (response.headers.get('vary') ?? '')
      .split(', ')
      .filter((name) => name !== 'Accept-Encoding');
    expect(varies).toEqual([
      'Authorization',
      'Router-Authorization',
      'Accept',
      ...(row.settings!.includes('CORS_ORIGINS') ? ['Origin'] : []),
    ]);
    const isFetched = row.response === '200' && row.request !== 'the GraphiQL page';
    expect(text.includes(`"id":"${id}"`)).toBe(isFetched);
    expect(gateway.traffic()).toEqual(isFetched ? [`GET /call/${id}`] : []);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test.each(
    titled.flatMap(([title, row]) =>
      /^(GET|POST)/.test(row.request!)
        ? STREAM_TYPES.map(
            (accept) => [`${title}, as a subscription over ${accept}`, row, accept] as const,
          )
        : [],
    ),
  )('%s', async (_title, row, accept) => {
    const gateway = createTestGateway({ settings: toSettings(row) });
    const { richCallId: id } = sampleIds(gateway.sandbox);
    const { search, init, headers } = toRequest(row, id);
    headers.set('accept', accept);

    const response = await gateway.fetch(
      `${OWN}/graphql${search.replace(toText(QUERY), toText(SUBSCRIPTION))}`,
      {
        ...init,
        ...(init?.body ? { body: String(init.body).replace(QUERY, SUBSCRIPTION) } : {}),
        headers,
      },
    );
    // The call is over, so the stream ends after its first event.
    const text = await response.text();

    const code = /"code":"(\w+)"/.exec(text)?.[1];
    expect([response.status, code].filter(Boolean).join(' ')).toBe(row.response);
    expect(response.headers.get('access-control-allow-origin')).toBe(
      toMeanings(ORIGINS, row['Access-Control-Allow-Origin']) ?? null,
    );
    expect(response.headers.get('vary')).toContain('Authorization, Router-Authorization, Accept');
    const isFetched = row.response === '200';
    expect(text.includes(`{"data":{"callUpdated":{"id":"${id}"}}}`)).toBe(isFetched);
    expect(gateway.traffic()).toEqual(isFetched ? [`GET /call/${id}`] : []);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('every word that this test defines occurs in the CORS table of docs/reference/access-matrix.md', () => {
    const wordsOf = (...columns: string[]) =>
      new Set(columns.flatMap((column) => rows.map((row) => row[column]!)));
    expect(new Set([...wordsOf('settings')].flatMap((cell) => cell.split(', ')))).toEqual(
      new Set(Object.keys(SETTINGS)),
    );
    expect(wordsOf('request')).toEqual(new Set(Object.keys(REQUESTS)));
    expect(wordsOf('Origin', 'Access-Control-Allow-Origin')).toEqual(new Set(Object.keys(ORIGINS)));
  });
});

describe('CORS preflight', () => {
  const gateway = createTestGateway({ settings: { REVOX_API_KEY: '', CORS_ORIGINS: ALLOWED } });
  const preflight = (headers: Record<string, string>, path = '/graphql') =>
    gateway.fetch(path, {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'POST', ...headers },
    });
  const allowances = ({ headers }: Response) =>
    Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));

  test('a preflight from an allowed origin receives the allowed methods, headers and max-age', async () => {
    const response = await preflight({
      origin: ALLOWED,
      'access-control-request-headers': 'authorization,content-type, x-revox-trace',
    });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(allowances(response)).toEqual({
      'access-control-allow-origin': ALLOWED,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, content-type, x-revox-trace',
      'access-control-expose-headers': 'Allow, Retry-After, WWW-Authenticate, X-Request-Id',
      'access-control-max-age': '7200',
    });
    expect(gateway.traffic()).toEqual([]);
  });

  test.each(['', 'a b', 'a,,b', 'a\u00e9', '"a"', '*/*'])(
    'a preflight response does not echo the invalid header name %j',
    async (names) => {
      const response = await preflight({
        origin: ALLOWED,
        'access-control-request-headers': names,
      });
      expect(Object.keys(allowances(response))).not.toContain('access-control-allow-headers');
      expect(response.status).toBe(204);
    },
  );

  test('a preflight from an unknown origin receives no CORS headers', async () => {
    expect(
      allowances(
        await preflight({
          origin: 'https://evil.test',
          'access-control-request-headers': 'authorization',
        }),
      ),
    ).toEqual({});
  });

  test.each(['/health', '/ready', '/', '/nope'])(
    'a request for %s receives no CORS headers',
    async (path) => {
      expect(allowances(await preflight({ origin: ALLOWED }, path))).toEqual({});
      expect(allowances(await gateway.fetch(path, { headers: { origin: ALLOWED } }))).toEqual({});
    },
  );

  test('a page can read the rejection of a Host header that does not name this machine', async () => {
    const guarded = createTestGateway({ settings: { CORS_ORIGINS: ALLOWED } });
    const response = await guarded.fetch('http://elsewhere.test/graphql', {
      headers: { origin: ALLOWED },
    });
    expect(response.status).toBe(403);
    expect(allowances(response)).toMatchObject({ 'access-control-allow-origin': ALLOWED });
    expect(guarded.traffic()).toEqual([]);
  });

  test.each<Record<string, string>>([
    {},
    { origin: ALLOWED },
    { 'access-control-request-method': 'POST' },
  ])('an OPTIONS request with the headers %j is not treated as a preflight', async (headers) => {
    const response = await gateway.fetch('/graphql', { method: 'OPTIONS', headers });
    expect(response.status).toBe(401);
  });
});
