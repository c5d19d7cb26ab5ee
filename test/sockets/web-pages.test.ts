import { describe, expect, test } from 'vitest';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { type GraphQLResult, KEY_A } from '../support/test-gateway.ts';

const HTML = '<!DOCTYPE html><title>Just a moment...</title>';
const CALL = 'query ($id: ID!) { call(id: $id) { id status } }';
const INVALID = [{ extensions: { code: 'UPSTREAM_INVALID_RESPONSE' } }];

interface Page {
  readonly name: string;
  readonly body: string | Uint8Array;
  readonly contentType: string | null;
  readonly headers?: Record<string, string>;
}

const PAGES: readonly Page[] = [
  { name: 'declared as HTML', body: HTML, contentType: 'text/html; charset=utf-8' },
  { name: 'declared as HTML, which holds plain text', body: 'Forbidden', contentType: 'Text/HTML' },
  { name: 'without a type', body: `\n\n  ${HTML}`, contentType: null },
  { name: 'with a generic type', body: HTML, contentType: 'application/octet-stream' },
  { name: 'declared as text', body: HTML, contentType: 'text/plain' },
  { name: 'declared as JSON', body: HTML, contentType: 'application/json' },
  { name: 'with a byte order mark', body: `\ufeff${HTML}`, contentType: null },
  { name: 'in UTF-16', body: Buffer.from(`\ufeff${HTML}`, 'utf16le'), contentType: null },
  {
    name: 'of XML',
    body: '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    contentType: 'application/xml',
  },
  { name: 'of a problem in XML', body: '<problem/>', contentType: 'application/problem+xml' },
];

const STATUSES = [200, 203, 400, 401, 403, 404, 405, 410, 422];

/** Retries without a delay, and a clock that only the test moves. */
async function serve(settings: Record<string, string> = {}) {
  const clock = { now: Date.now() };
  const served = await serveTestGateway({
    settings,
    gateway: { random: () => 0, now: () => clock.now },
  });
  return { ...served, clock, [Symbol.asyncDispose]: served.close };
}

async function execute(
  { url }: Pick<ServedGateway, 'url'>,
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<GraphQLResult> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as GraphQLResult;
}

describe.each(PAGES)('A web page $name', ({ body, contentType, headers = {} }) => {
  test.each(STATUSES)(
    'with status %i is retried, is an error at its field, and is not cached',
    async (status) => {
      await using served = await serve({ REVOX_RETRIES: '1' });
      const { control } = served.sandbox;
      const { id } = control.data(KEY_A).calls[0]!;
      control.corrupt('/call/', body, { status, contentType, headers }, 2);

      const failed = await execute(served, CALL, { id });
      expect(failed).toMatchObject({ data: { call: null }, errors: INVALID });
      expect(served.traffic()).toEqual([`GET /call/${id}`, `GET /call/${id}`]);

      const { data, errors } = await execute(served, CALL, { id });
      expect([data.call.id, errors]).toEqual([id, undefined]);
      expect(served.traffic()).toEqual([`GET /call/${id}`]);
      expect(served.unexpectedErrors).toEqual([]);
    },
  );
});

describe('Stale-if-error', () => {
  test.each([200, 302, 401, 403, 404, 410])(
    'a cached call survives a web page with status %i, in pass-through mode too',
    async (status) => {
      await using served = await serve({ REVOX_API_KEY: '', REVOX_RETRIES: '0' });
      const { control } = served.sandbox;
      const authorization = { authorization: `Bearer ${KEY_A}` };
      const [id, other] = control.data(KEY_A).calls.map((call) => call.id);
      const { data } = await execute(served, CALL, { id }, authorization);
      served.clock.now += 3_700_000;
      // Another response renews the acceptance of the key.
      await execute(served, CALL, { id: other }, authorization);
      served.traffic();

      control.corrupt(`/call/${id}`, HTML, { status, contentType: 'text/html' }, 1);
      const stale = await execute(served, CALL, { id }, authorization);
      expect(stale).toEqual({ data });
      expect(served.traffic()).toEqual([`GET /call/${id}`]);

      // Nothing was dropped: the other call is still served from the cache.
      expect((await execute(served, CALL, { id: other }, authorization)).errors).toBe(undefined);
      expect(served.traffic()).toEqual([]);
    },
  );

  test('a web page with status 401 or 403 does not reject the key, and its other objects stay cached', async () => {
    await using served = await serve({ REVOX_API_KEY: '', REVOX_RETRIES: '0' });
    const { control } = served.sandbox;
    const headers = { authorization: `Bearer ${KEY_A}` };
    const [first, second, third] = control.data(KEY_A).calls.map(({ id }) => id);
    await execute(served, CALL, { id: first }, headers);
    served.traffic();
    for (const [status, id] of [
      [401, second],
      [403, third],
    ] as const) {
      control.corrupt(`/call/${id}`, HTML, { status, contentType: 'text/html' }, 1);
      const { errors } = await execute(served, CALL, { id }, headers);
      expect(errors).toMatchObject(INVALID);
      expect(served.traffic()).toEqual([`GET /call/${id}`]);
      expect((await execute(served, CALL, { id: first }, headers)).data.call.id).toBe(first);
      expect((await execute(served, CALL, { id }, headers)).data.call.id).toBe(id);
      expect(served.traffic()).toEqual([`GET /call/${id}`]);
    }
  });
});

describe('Lists', () => {
  const LIST = `query ($after: String) {
    callAttempts(first: 50, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
  }`;

  test.each([400, 404, 410, 200, 403])(
    'a web page with status %i in the middle of a list is an error of that page, and not the end',
    async (status) => {
      await using served = await serve({ REVOX_RETRIES: '0' });
      const { control } = served.sandbox;
      control.corrupt(/^\/call\?page=2/, HTML, { status, contentType: 'text/html' });

      const first = await execute(served, LIST);
      expect(first).toMatchObject({ data: { callAttempts: null }, errors: INVALID });
      expect(served.traffic()).toEqual([
        'GET /call?page=1&page_size=50',
        'GET /call?page=2&page_size=50',
      ]);
      control.heal();
      const whole = await execute(served, LIST);
      expect(whole.data.callAttempts.nodes).toHaveLength(50);
      expect(whole.data.callAttempts.pageInfo.hasNextPage).toBe(true);
      expect(served.traffic()).toEqual(['GET /call?page=2&page_size=50']);
    },
  );

  test.each([400, 422, 404])(
    'a web page with status %i for page 0 does not show that pages are numbered from 1',
    async (status) => {
      await using served = await serve({ REVOX_RETRIES: '0', REVOX_FIRST_PAGE: 'auto' });
      const { control } = served.sandbox;
      control.corrupt(/^\/call\?page=0/, HTML, { status, contentType: 'text/html' });
      const failed = await execute(served, '{ callAttempts(first: 1) { nodes { id } } }');
      expect(failed).toMatchObject({ data: { callAttempts: null }, errors: INVALID });
      expect(served.traffic()).toEqual(['GET /call?page=0&page_size=50']);
    },
  );
});

describe('Bodies that are no web pages', () => {
  test.each([
    ['an object', '{"message":"<b>No such call</b>"}', 'application/json'],
    ['a problem', '{"title":"Not found"}', 'application/problem+json'],
    ['an array', ' [{"code":"not_found"}]', 'application/json'],
    ['a text', '"not found"', 'application/json'],
    ['null', 'null', 'application/json'],
    ['JSON that is declared as HTML', '{"error":"Not found"}', 'text/html'],
    ['plain text', 'Not found', 'text/plain'],
    ['an empty body', '', null],
  ])('a 404 with %s means that the object does not exist', async (_name, body, contentType) => {
    await using served = await serve();
    served.sandbox.control.corrupt('/call/', body, { status: 404, contentType });
    expect(await execute(served, CALL, { id: 'gone' })).toEqual({ data: { call: null } });
    expect(served.traffic()).toEqual(['GET /call/gone']);
  });

  test('a 200 with valid JSON is read whatever its declared type', async () => {
    await using served = await serve();
    const { control } = served.sandbox;
    const call = control.data(KEY_A).calls[0]!;
    control.corrupt('/call/', JSON.stringify({ call }), { contentType: 'text/html' });
    expect((await execute(served, CALL, { id: call.id })).data.call.id).toBe(call.id);
    expect(served.traffic()).toEqual([`GET /call/${call.id}`]);
  });

  test('a 429 is a rate limit and a 503 an unavailable upstream, although both send a web page', async () => {
    await using served = await serve({ REVOX_RETRIES: '0' });
    const { control } = served.sandbox;
    for (const [status, code] of [
      [503, 'UPSTREAM_UNAVAILABLE'],
      [429, 'RATE_LIMITED'],
    ] as const) {
      control.corrupt('/call/', HTML, { status, contentType: 'text/html' }, 1);
      const { errors } = await execute(served, CALL, { id: 'x' });
      expect(errors).toMatchObject([{ extensions: { code } }]);
      expect(served.traffic()).toEqual(['GET /call/x']);
    }
  });
});
