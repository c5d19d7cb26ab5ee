import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { fileURLsOf } from '../support/page-files.ts';
import { createTestGateway, type TestGateway } from '../support/test-gateway.ts';
import { untilIdle } from '../support/timed-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';

/** The error of `import()` when the process has no file handle left. */
function failToLoad(module: string): { readonly attempts: () => number } {
  let attempts = 0;
  vi.doMock(module, () => {
    attempts += 1;
    throw Object.assign(new Error('open /srv/node_modules'), { code: 'EMFILE' });
  });
  onTestFinished(() => void vi.doUnmock(module));
  return { attempts: () => attempts };
}

const failed = {
  status: 500,
  text: JSON.stringify({
    errors: [
      {
        message: 'Something went wrong in the gateway.',
        extensions: { code: 'INTERNAL_SERVER_ERROR' },
      },
    ],
  }),
};

async function send({ fetch }: TestGateway, init: RequestInit = {}) {
  const query = encodeURIComponent('{ assistants(first: 1) { nodes { __typename } } }');
  const response = await fetch(`/graphql?query=${query}`, init);
  return { status: response.status, text: await response.text() };
}

describe('A module that is loaded on demand, after it could not be loaded', () => {
  test('the verifier of bearer tokens is loaded for the next request', async () => {
    const loading = failToLoad('#http/auth/jwt.ts');
    const key = await createKey('one');
    const issuer = createTokenIssuer(key);
    const gateway = createTestGateway({
      settings: JWT_SETTINGS,
      gateway: { fetchKeys: toFetchKeys(issuer) },
    });
    const token = await sign(key, { ...VALID_CLAIMS, exp: Date.now() / 1000 + 60 });
    const headers = { authorization: `Bearer ${token}` };
    // The gateway starts to load when it is created. Both requests wait for the next load.
    await expect.poll(loading.attempts).toBe(1);
    await untilIdle();
    expect(await Promise.all([send(gateway, { headers }), send(gateway, { headers })])).toEqual([
      failed,
      failed,
    ]);
    expect(await send(gateway, { headers })).toEqual(failed);
    expect([loading.attempts(), issuer.requests.length]).toEqual([3, 0]);
    expect(gateway.unexpectedErrors).toHaveLength(3);
    expect(gateway.traffic()).toEqual([]);

    vi.doUnmock('#http/auth/jwt.ts');
    expect((await send(gateway, { headers })).status).toBe(200);
    expect([issuer.requests.length, gateway.traffic().length]).toEqual([1, 1]);
    expect(gateway.unexpectedErrors).toHaveLength(3);
  });

  test('federated tracing is loaded for the next traced request, and other requests do not need it', async () => {
    const module = '#http/yoga/use-federated-tracing.ts';
    const loading = failToLoad(module);
    const gateway = createTestGateway({ settings: { ROUTER_SECRETS: 'a-router-secret' } });
    const router = { 'router-authorization': 'a-router-secret' };
    const traced = { ...router, 'apollo-federation-include-trace': 'ftv1' };
    expect(await send(gateway, { headers: traced })).toEqual(failed);
    expect(await send(gateway, { headers: traced })).toEqual(failed);
    expect([loading.attempts(), gateway.traffic()]).toEqual([2, []]);
    expect(gateway.unexpectedErrors).toHaveLength(2);
    expect((await send(gateway, { headers: router })).status).toBe(200);
    expect(gateway.traffic()).toHaveLength(1);

    vi.doUnmock(module);
    const { status, text } = await send(gateway, { headers: traced });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ extensions: { ftv1: expect.any(String) } });
    expect(gateway.unexpectedErrors).toHaveLength(2);
  });

  test.each([
    ['as it is', 'identity', null],
    ['compressed', 'br', 'br'],
  ])(
    'the GraphiQL page is loaded for the next browser, and is then complete (%s)',
    async (_, accepted, encoding) => {
      const module = '@graphql-yoga/render-graphiql/graphiql';
      const loading = failToLoad(module);
      const gateway = createTestGateway();
      const page = { headers: { accept: 'text/html', 'accept-encoding': accepted } };
      expect((await gateway.fetch('/graphql', page)).status).toBe(500);
      expect((await gateway.fetch('/graphql', page)).status).toBe(500);
      expect(loading.attempts()).toBe(2);
      expect(gateway.unexpectedErrors).toHaveLength(2);

      vi.doUnmock(module);
      const text = 'text '.repeat(1_000);
      vi.doMock(module, () => ({
        js: text,
        css: text,
        editorWorkerService: text,
        jsonWorker: text,
        graphqlWorker: text,
      }));
      const response = await gateway.fetch('/graphql', page);
      expect(response.status).toBe(200);
      const [script = ''] = fileURLsOf(await response.text());
      const file = await gateway.fetch(`/graphql${script}`, page);
      expect([file.status, file.headers.get('content-encoding')]).toEqual([200, encoding]);
      expect(gateway.unexpectedErrors).toHaveLength(2);
      expect(gateway.traffic()).toEqual([]);
    },
  );
});
