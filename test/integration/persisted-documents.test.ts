import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, KEY_B, type TestGateway } from '../support/test-gateway.ts';

const ASSISTANTS = '{ assistants(first: 1) { nodes { id } } }';
/** Some seventy of these documents fill the memory for registered documents. */
const large = (n: number) => `${ASSISTANTS} #${n} ${'x'.repeat(120_000)}`;

const createTenants = () => createTestGateway({ settings: { REVOX_API_KEY: '' } });

/** Sends the hash of a text, and the document itself if `query` is given. */
async function sendDocument(
  gateway: TestGateway,
  key: string,
  text: string,
  query?: string,
): Promise<string> {
  const sha256Hash = createHash('sha256').update(text).digest('hex');
  const response = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({ query, extensions: { persistedQuery: { version: 1, sha256Hash } } }),
  });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return errors?.[0]?.extensions.code ?? 'ok';
}

const register = (gateway: TestGateway, key: string, text: string) =>
  sendDocument(gateway, key, text, text);

describe('Registered documents', () => {
  test('a registered document is found by its hash after the first operation of an accepted credential', async () => {
    const gateway = createTenants();
    expect(await sendDocument(gateway, KEY_A, ASSISTANTS)).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect(await register(gateway, KEY_A, ASSISTANTS)).toBe('ok');
    expect(await sendDocument(gateway, KEY_A, ASSISTANTS)).toBe('ok');
    expect(await sendDocument(gateway, KEY_B, ASSISTANTS)).toBe('ok');
    expect(gateway.traffic()).toEqual(['GET /assistants', 'GET /assistants']);
  });

  test('a document is not registered when the upstream has rejected or not yet seen the credential', async () => {
    const gateway = createTenants();
    expect(await register(gateway, 'sk_invented', ASSISTANTS)).toBe('UNAUTHENTICATED');
    expect(await register(gateway, 'sk_invented', '{ __typename }')).toBe('ok');
    gateway.traffic();
    for (const text of [ASSISTANTS, '{ __typename }'])
      expect(await sendDocument(gateway, KEY_A, text)).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect(gateway.traffic()).toEqual([]);
  });

  test('a registered document is not evicted by a hundred large documents sent with invented API keys', async () => {
    const gateway = createTenants();
    await register(gateway, KEY_A, large(0));
    for (let n = 1; n <= 100; n += 1) await register(gateway, `sk_invented_${n}`, large(n));
    gateway.traffic();
    expect(await sendDocument(gateway, KEY_A, large(0))).toBe('ok');
    expect(gateway.traffic()).toEqual([]);
  });

  test('a tenant that registers a hundred large documents evicts its own documents and none of another tenant', async () => {
    const gateway = createTenants();
    for (let n = 0; n < 10; n += 1) await register(gateway, KEY_A, large(n));
    for (let n = 100; n < 200; n += 1) await register(gateway, KEY_B, large(n));
    for (let n = 0; n < 10; n += 1) expect(await sendDocument(gateway, KEY_A, large(n))).toBe('ok');
    expect(await sendDocument(gateway, KEY_B, large(199))).toBe('ok');
    expect(await sendDocument(gateway, KEY_B, large(100))).toBe('PERSISTED_QUERY_NOT_FOUND');
  });
});
