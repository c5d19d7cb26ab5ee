import { expect, test } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { createGateway } from '#gateway.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';

const MEBIBYTE = 2 ** 20;
const SMALL = '{ assistants(first: 1) { nodes { id } } }';
const LARGE = `{${Array.from({ length: 99 }, (_, n) => `a${n}: _service { sdl }`).join(' ')}}`;

function createServedGateway() {
  const sandbox = createSandbox();
  const unexpectedErrors: unknown[] = [];
  const settings = readSettings({
    REVOX_BASE_URL: 'http://revox.test/api',
    REVOX_API_KEY: '',
    REVOX_FIRST_PAGE: '1',
  });
  const gateway = createGateway(settings, {
    fetch: sandbox.fetch,
    log: {
      info: () => {},
      error: (message) => unexpectedErrors.push(message),
      unexpected: (error) => unexpectedErrors.push(error),
    },
  });
  return {
    gateway,
    bugs: unexpectedErrors,
    traffic: () => sandbox.log.map(({ method, path }) => `${method} ${path}`),
    /** Sends an operation and reserves `bytes` unsent bytes for its response. */
    async send(key: string, query: string, bytes = 0) {
      const request = new Request('http://localhost/graphql', {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      const response = await gateway.fetch(request);
      const { data, errors } = await response.json();
      return {
        status: response.status,
        fields: Object.keys(data ?? {}).length,
        code: errors?.[0].extensions.code,
        release: gateway.reserveUnsent(request, bytes),
      };
    },
  };
}

test('a tenant is served while callers with invented API keys use up their share of unsent bytes', async () => {
  const { gateway, send, traffic, bugs } = createServedGateway();
  for (const n of [1, 2]) {
    expect(await send(`sk_invented_${n}`, LARGE, 20 * MEBIBYTE)).toMatchObject({
      status: 200,
      fields: 99,
      release: expect.any(Function),
    });
  }
  expect(await send('sk_invented_3', LARGE, MEBIBYTE)).toMatchObject({
    code: 'RATE_LIMITED',
    release: 'MAX_UNSENT_BYTES_PER_CALLER',
  });
  expect(traffic()).toEqual([]);

  expect(await send(KEY_A, SMALL)).toMatchObject({ status: 200, fields: 1 });
  expect(traffic()).toEqual(['GET /assistants']);
  expect(await send(KEY_A, LARGE, MEBIBYTE)).toMatchObject({
    fields: 99,
    release: expect.any(Function),
  });
  expect(await send('sk_invented_3', SMALL)).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(traffic()).toHaveLength(2);
  expect(bugs).toEqual([]);
  await gateway.dispose();
});

test('the public GraphiQL page does not count as unsent bytes of callers with invented API keys', async () => {
  const { gateway, send } = createServedGateway();
  await send('sk_invented', LARGE, 40 * MEBIBYTE);
  const page = new Request('http://localhost/graphql', { headers: { accept: 'text/html' } });
  expect((await gateway.fetch(page)).headers.get('content-type')).toMatch('text/html');
  expect(gateway.reserveUnsent(page, MEBIBYTE)).toBeTypeOf('function');
  await gateway.dispose();
});
