import { inspect } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { createLiveGateway, type LiveGateway, putCallState } from '../support/live-gateway.ts';
import { KEY_A, KEY_B, type TestGatewayOptions } from '../support/test-gateway.ts';
import {
  NEXT_WEBHOOK_SECRET,
  postWebhook,
  toWebhook,
  WEBHOOK_SECRET,
} from '../support/webhooks.ts';
import { readAccessMatrix, toMeanings, withTitles } from './access-matrix.ts';

const CALL_UPDATED = 'subscription { callUpdated(id: "c1") { status } }';
const MEBIBYTE = 2 ** 20;
const PATH = '/webhooks/revox';

function createGateway({ settings, ...options }: TestGatewayOptions = {}): LiveGateway {
  return createLiveGateway({
    settings: { WEBHOOK_SECRETS: WEBHOOK_SECRET, ...settings },
    ...options,
  });
}

/** A gateway that watches the call `c1`, whose next poll is due in 25 s. */
async function createWatchingGateway(options?: TestGatewayOptions): Promise<LiveGateway> {
  const gateway = createGateway(options);
  gateway.putCall({ id: 'c1', status: 'scheduled', scheduled_at: null });
  await gateway.subscribe(CALL_UPDATED);
  await gateway.pass(5_000);
  gateway.traffic();
  return gateway;
}

async function traffic(gateway: LiveGateway): Promise<string[]> {
  await gateway.pass(50);
  return gateway.traffic();
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('Secrets of webhooks', () => {
  test.each([
    ['a wrong secret', `${PATH}/${'x'.repeat(32)}`],
    ['a part of the secret', `${PATH}/${WEBHOOK_SECRET.slice(0, -1)}`],
    ['the secret and more', `${PATH}/${WEBHOOK_SECRET}x`],
    ['a segment more', `${PATH}/${WEBHOOK_SECRET}/${WEBHOOK_SECRET}`],
    ['two slashes at the end', `${PATH}/${WEBHOOK_SECRET}//`],
    ['both secrets', `${PATH}/${WEBHOOK_SECRET},${NEXT_WEBHOOK_SECRET}`],
    ['an empty secret', `${PATH}/`],
    ['no secret', PATH],
    ['another service', `/webhooks/other/${WEBHOOK_SECRET}`],
    ['the secret as a parameter', `${PATH}?secret=${WEBHOOK_SECRET}`],
    ['another case of the route', `/Webhooks/Revox/${WEBHOOK_SECRET}`],
    ['a prefix', `/api${PATH}/${WEBHOOK_SECRET}`],
  ])('a webhook with %s gets the 404 of an unknown path, and polls nothing', async (_, path) => {
    const gateway = await createWatchingGateway();
    const init = { method: 'POST', body: JSON.stringify(toWebhook('c1')) };
    const response = await gateway.fetch(path, init);
    const unknown = await gateway.fetch('/unknown', init);
    const text = await response.text();
    expect(response.status).toBe(404);
    expect(text).not.toContain('webhook-secret');
    expect(text.replace(/"\/[^ ]+ does/, '"/unknown does')).toBe(await unknown.text());
    expect(await traffic(gateway)).toEqual([]);
  });

  test('a wrong secret is counted', async () => {
    const gateway = createGateway();
    await postWebhook(gateway, {}, { secret: NEXT_WEBHOOK_SECRET });
    expect(await gateway.metric('webhooks_total{result="secret"}')).toBe(1);
    expect(await gateway.metric(`http_responses_total{route="${PATH}",status="404"}`)).toBe(1);
  });

  test('without WEBHOOK_SECRETS the path does not exist', async () => {
    const gateway = await createWatchingGateway({ settings: { WEBHOOK_SECRETS: '' } });
    for (const secret of ['', 'undefined', WEBHOOK_SECRET])
      expect((await postWebhook(gateway, toWebhook('c1'), { secret })).status).toBe(404);
    expect(await traffic(gateway)).toEqual([]);
  });

  test('two secrets are accepted at once, so that one can replace the other', async () => {
    const gateway = await createWatchingGateway({
      settings: { WEBHOOK_SECRETS: `${NEXT_WEBHOOK_SECRET}, ${WEBHOOK_SECRET}` },
    });
    for (const secret of [WEBHOOK_SECRET, NEXT_WEBHOOK_SECRET]) {
      expect((await postWebhook(gateway, toWebhook('c1'), { secret })).status).toBe(204);
      expect(await traffic(gateway)).toEqual(['GET /call/c1']);
      await gateway.pass(2_000);
    }
  });

  test('below BASE_PATH, with and without a slash at the end', async () => {
    const gateway = createGateway({ settings: { BASE_PATH: '/webhooks/revox' } });
    const send = async (path: string) =>
      (await gateway.fetch(path, { method: 'POST', body: '{"call_id":"c1"}' })).status;
    expect(await send(`/webhooks/revox${PATH}/${WEBHOOK_SECRET}`)).toBe(204);
    expect(await send(`/webhooks/revox${PATH}/${WEBHOOK_SECRET}/`)).toBe(204);
    expect(await send(`${PATH}/${WEBHOOK_SECRET}`)).toBe(404);
    expect(gateway.traffic()).toEqual([]);
  });

  test('no secret is in a log line, a metric, a trace or a response', async () => {
    const exporter = new InMemorySpanExporter();
    const tracerProvider = new TracerProvider({
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
    });
    const captured = captureLog();
    const gateway = createGateway({
      settings: { BASE_PATH: '/api' },
      gateway: { tracerProvider, log: captured.log },
    });
    const responses: string[] = [];
    for (const method of ['POST', 'GET', 'PUT', 'OPTIONS'])
      for (const path of [
        `/api${PATH}/${WEBHOOK_SECRET}`,
        `/api${PATH}/${WEBHOOK_SECRET}/more`,
        `${PATH}/${WEBHOOK_SECRET}`,
        `/api/webhook/${WEBHOOK_SECRET}`,
        `/api${PATH}/${WEBHOOK_SECRET}?query={__typename}`,
      ]) {
        const response = await gateway.fetch(path, {
          method,
          body: method === 'POST' ? '{"call_order_id":' : null,
        });
        responses.push(inspect([response, await response.text()], { depth: 9 }));
      }
    const metrics = await (await gateway.fetch('/api/metrics')).text();
    // Twenty requests of this test, and the one for the metrics.
    expect(captured.lines.length).toBe(21);
    const everything = [...captured.lines, metrics, inspect(exporter.getFinishedSpans())];
    expect(everything.join('\n')).not.toContain(WEBHOOK_SECRET);
    // `inspect` shows the URL of the request that the test has sent, which is not part of the response.
    expect(responses.join('\n').replaceAll(/url: '.*'/g, '')).not.toContain(WEBHOOK_SECRET);
    expect(captured.read(PATH)).toHaveLength(12);
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

describe('Access matrix of webhooks', () => {
  const WORDS: { readonly [word: string]: string } = {
    none: '',
    'the secret': WEBHOOK_SECRET,
    'the next secret': NEXT_WEBHOOK_SECRET,
    'both secrets': `${WEBHOOK_SECRET},${NEXT_WEBHOOK_SECRET}`,
    'a truncated secret': WEBHOOK_SECRET.slice(1),
    'a Revox key': KEY_A,
  };
  const rows = readAccessMatrix('Webhooks');
  test.each(withTitles(rows, ['WEBHOOK_SECRETS', 'secret', 'method', 'other credentials']))(
    '%s',
    async (_, row) => {
      const sent: (string | null)[] = [];
      const gateway: LiveGateway = createGateway({
        settings: { REVOX_API_KEY: '', WEBHOOK_SECRETS: toMeanings(WORDS, row.WEBHOOK_SECRETS) },
        upstream: (request) => {
          sent.push(request.headers.get('authorization'));
          return gateway.sandbox.fetch(request);
        },
      });
      const keys = [KEY_A, KEY_B].map((key) => `Bearer ${key}`);
      for (const [index, authorization] of keys.entries()) {
        const call = { id: 'c1', status: 'scheduled', scheduled_at: null } as const;
        putCallState(gateway.sandbox, call, [KEY_A, KEY_B][index]);
        await gateway.subscribe(CALL_UPDATED, {}, { authorization });
      }
      await gateway.pass(5_000);
      sent.splice(0);
      const credential = toMeanings(WORDS, row['other credentials']);
      const response = await postWebhook(gateway, toWebhook('c1'), {
        secret: toMeanings(WORDS, row.secret),
        headers: credential === '' ? {} : { authorization: `Bearer ${credential}` },
        ...(row.method === 'GET' && { method: 'GET', body: null }),
      });
      const text = await response.text();
      const code = /"code":"(\w+)"/.exec(text)?.[1] ?? '';
      expect(`${response.status} ${code}`.trim()).toBe(row.response);
      await gateway.pass(50);
      const expected = { 'the key of each subscriber': keys, none: [] };
      expect(sent.sort()).toEqual(toMeanings(expected, row['credential sent to Revox']));
    },
  );
});

describe('Requests of webhooks', () => {
  test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s gets 405 with Allow, and 404 with a wrong secret',
    async (method) => {
      const gateway = await createWatchingGateway();
      const response = await gateway.fetch(`${PATH}/${WEBHOOK_SECRET}`, { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
      const other = await gateway.fetch(`${PATH}/${NEXT_WEBHOOK_SECRET}`, { method });
      expect([other.status, other.headers.get('allow')]).toEqual([404, null]);
      expect(await traffic(gateway)).toEqual([]);
    },
  );

  test.each([
    ['no body', undefined],
    ['an empty body', ''],
    ['half a JSON text', '{"call_order_id":"c1"'],
    ['JSON and more', '{"call_order_id":"c1"}{}'],
    ['a form', 'call_order_id=c1'],
    ['a list', '[{"call_order_id":"c1"}]'],
    ['a text', '"c1"'],
    ['null', 'null'],
    ['no id', '{"status":"completed"}'],
    ['an empty id', '{"call_order_id":""}'],
    ['a number as id', '{"call_order_id":1}'],
    ['an object as id', '{"call_order_id":{"toString":"c1"}}'],
    ['a list as id', '{"call_order_id":["c1"]}'],
    ['a longer id', JSON.stringify({ call_order_id: 'c'.repeat(201) })],
    ['an id in the prototype', '{"__proto__":{"call_order_id":"c1"}}'],
    ['an id further down', '{"call":{"call_order_id":"c1"}}'],
    ['a body in UTF-16', Buffer.from('{"call_order_id":"c1"}', 'utf16le')],
    ['invalid UTF-8', Buffer.from('{"call_order_id":"c1","x":"\xff"}', 'latin1')],
  ])('a body with %s gets 400, and polls nothing', async (_, body) => {
    const gateway = await createWatchingGateway();
    const response = await postWebhook(gateway, {}, { body: body ?? null });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      errors: [{ message: expect.any(String), extensions: { code: 'BAD_USER_INPUT' } }],
    });
    expect(await traffic(gateway)).toEqual([]);
    expect(await gateway.metric('webhooks_total{result="invalid"}')).toBe(1);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test.each([
    ['a byte order mark', Buffer.from('\ufeff{"call_order_id":"c1"}')],
    ['a repeated key', '{"call_order_id":"c2","call_order_id":"c1"}'],
    ['an order id that is no text', '{"call_order_id":null,"call_id":"c1"}'],
    ['deep nesting', `{"call_order_id":"c1","x":${'['.repeat(400_000)}${']'.repeat(400_000)}}`],
    ['a mebibyte', JSON.stringify({ call_order_id: 'c1', x: 'x'.repeat(MEBIBYTE - 32) })],
  ])('a body with %s is accepted', async (_, body) => {
    const gateway = await createWatchingGateway();
    expect((await postWebhook(gateway, {}, { body })).status).toBe(204);
    expect(await traffic(gateway)).toEqual(['GET /call/c1']);
  });

  test.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'nonsense'])(
    'JSON with the content type %s is accepted: the documentation of Revox states none',
    async (type) => {
      const gateway = await createWatchingGateway();
      const headers = new Headers(type === undefined ? {} : { 'content-type': type });
      const body = encode(toWebhook('c1'));
      expect((await postWebhook(gateway, {}, { body, headers })).status).toBe(204);
      expect(await traffic(gateway)).toEqual(['GET /call/c1']);
    },
  );

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ])('a body in %s is decoded, up to the limit', async (coding, compress) => {
    const gateway = await createWatchingGateway();
    const headers = { 'content-encoding': coding };
    const send = (body: Uint8Array<ArrayBuffer>) => postWebhook(gateway, {}, { body, headers });
    const bomb = compress(encode({ call_order_id: 'c1', x: 'x'.repeat(16 * MEBIBYTE) }));
    expect((await send(new Uint8Array(bomb))).status).toBe(413);
    expect((await send(encode(toWebhook('c1')))).status).toBe(400);
    expect(await traffic(gateway)).toEqual([]);
    expect((await send(new Uint8Array(compress(encode(toWebhook('c1')))))).status).toBe(204);
    expect(await traffic(gateway)).toEqual(['GET /call/c1']);
  });

  test('an unknown coding gets 415', async () => {
    const gateway = await createWatchingGateway();
    const headers = { 'content-encoding': 'zstd' };
    expect((await postWebhook(gateway, toWebhook('c1'), { headers })).status).toBe(415);
    expect(await traffic(gateway)).toEqual([]);
  });

  test('a larger body gets 413, with and without Content-Length', async () => {
    const gateway = await createWatchingGateway();
    const body = encode({ call_order_id: 'c1', x: 'x'.repeat(MEBIBYTE) });
    const headers = { 'content-length': String(body.byteLength) };
    for (const init of [{ body }, { body, headers }])
      expect((await postWebhook(gateway, {}, init)).status).toBe(413);
    expect(await traffic(gateway)).toEqual([]);
    expect(await gateway.metric('webhooks_total{result="limited"}')).toBe(2);
  });

  test('large bodies that do not end are bounded together, and small webhooks pass', async () => {
    const gateway = await createWatchingGateway();
    const ends: (() => void)[] = [];
    const headers = { 'content-length': String(MEBIBYTE) };
    const sendSlowly = () => {
      const body = new ReadableStream({ start: (stream) => void ends.push(() => stream.close()) });
      return postWebhook(gateway, {}, { body, headers, duplex: 'half' } as RequestInit);
    };
    const slow = Array.from({ length: 8 }, sendSlowly);
    expect((await sendSlowly()).status).toBe(429);
    expect((await postWebhook(gateway, toWebhook('c1'))).status).toBe(204);
    expect(await traffic(gateway)).toEqual(['GET /call/c1']);
    for (const end of ends) end();
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(Array(8).fill(400));
    const late = sendSlowly();
    ends.at(-1)?.();
    expect((await late).status).toBe(400);
  });

  test('over a hundred webhooks a second get 429; wrong secrets do not count', async () => {
    const gateway = await createWatchingGateway();
    for (let n = 0; n < 300; n += 1)
      await postWebhook(gateway, {}, { secret: NEXT_WEBHOOK_SECRET });
    const statuses: number[] = [];
    for (let n = 0; n < 1_000; n += 1)
      statuses.push((await postWebhook(gateway, { call_id: `c${n % 2}` })).status);
    expect(statuses).toEqual([...Array(100).fill(204), ...Array(900).fill(429)]);
    const refused = await postWebhook(gateway, { call_id: 'c1' });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await traffic(gateway)).toEqual(['GET /call/c1']);
    await gateway.pass(1_000);
    expect((await postWebhook(gateway, { call_id: 'c1' })).status).toBe(204);
  });

  test('while the gateway drains, webhooks are still answered', async () => {
    const gateway = await createWatchingGateway();
    gateway.drain();
    expect((await postWebhook(gateway, toWebhook('c1'))).status).toBe(204);
  });

  test('every credential is irrelevant: a webhook needs none, and none replaces the secret', async () => {
    const gateway = await createWatchingGateway({
      settings: { ROUTER_SECRETS: 'a-router-secret' },
    });
    const headers = { 'router-authorization': 'a-router-secret' };
    const init = { headers, secret: 'a-router-secret' };
    expect((await postWebhook(gateway, toWebhook('c1'), init)).status).toBe(404);
    expect((await postWebhook(gateway, toWebhook('c1'))).status).toBe(204);
  });
});
