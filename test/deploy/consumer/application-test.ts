import { createGateway, type Gateway, readSettings } from 'revox-graphql-gateway';
import { createSandbox } from 'revox-graphql-gateway/sandbox';
import { afterEach, beforeEach, expect, test } from 'vitest';

const sandbox = createSandbox();
const settings = readSettings({
  REVOX_BASE_URL: `http://sandbox.test${sandbox.basePath}`,
  REVOX_API_KEY: 'sk_demo_a',
  REVOX_RETRIES: '0',
  LOG_LEVEL: 'error',
});
let gateway: Gateway;

/** For a client: `new HttpLink({ uri: 'http://localhost/graphql', fetch: fetchInProcess })`. */
const fetchInProcess: typeof fetch = (url, init) => gateway.fetch(new Request(url, init));

// A new gateway for each test: its cache and its cooldown after a 429 would outlive the test.
beforeEach(() => {
  gateway = createGateway(settings, { fetch: sandbox.fetch });
});
afterEach(async () => {
  await gateway.dispose();
  sandbox.control.heal();
  sandbox.control.clearLog();
});

test('the number of campaigns is read once', async () => {
  const result = await execute('{ campaigns(first: 1) { totalCount } }');
  expect(result).toEqual({ data: { campaigns: { totalCount: expect.any(Number) } } });
  expect(sandbox.log.map(({ path }) => path)).toEqual(['/campaigns']);
});

test('an assistant that cannot be read is null, with a code', async () => {
  sandbox.control.fail('/assistants/', { status: 503 });
  const { data, errors } = await execute('{ assistant(id: "a") { name } }');
  expect(data).toEqual({ assistant: null });
  expect(errors?.[0]?.extensions.code).toBe('UPSTREAM_UNAVAILABLE');
});

interface Result {
  readonly data?: Record<string, unknown>;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

async function execute(query: string): Promise<Result> {
  const response = await fetchInProcess('http://localhost/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Result;
}
