import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort, startProcess } from '../sockets/demo-process.ts';
import { JWT_SETTINGS } from '../support/token-issuer.ts';

const ROOT = join(import.meta.dirname, '../..');
const SECRET = 'a-secret-of-the-router';
const folder = mkdtempSync(join(tmpdir(), 'modules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Runs a gateway, and returns the package files that it loaded.
 * @param use runs while the gateway listens
 */
async function loadedBy(
  settings: Readonly<Record<string, string>>,
  use: (url: string) => Promise<void> = async () => {},
) {
  const [PORT, LOADED_FILE] = [String(await freePort()), join(folder, crypto.randomUUID())];
  const args = ['--import', './test/deploy/report-modules.ts', 'src/main.ts'];
  await using gateway = startProcess(process.execPath, args, {
    cwd: ROOT,
    settings: {
      PORT,
      DRAIN_DELAY_MS: '0',
      REVOX_BASE_URL: 'http://127.0.0.1:9',
      REVOX_API_KEY: 'sk_demo_a',
      LOADED_FILE,
      ...settings,
    },
  });
  expect(await gateway.firstLine).toContain(`:${PORT}/graphql`);
  await use(`http://127.0.0.1:${PORT}/graphql`);
  gateway.process.kill('SIGTERM');
  expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
  const paths = readFileSync(LOADED_FILE, 'utf8').split('\n');
  return paths
    .map((path) => path.split('/node_modules/').slice(1))
    .filter((inner) => inner.length > 0);
}

/** The names of the packages. */
function packagesIn(loaded: readonly (readonly string[])[]): Set<string> {
  return new Set(loaded.map((inner) => toPackage(inner.at(-1) ?? '')));
}

function toPackage(path: string): string {
  return path.split('/', path.startsWith('@') ? 2 : 1).join('/');
}

describe('Loaded modules', () => {
  test('a gateway without tokens and traces loads none of their packages and only the graphql-tools that Yoga needs', async () => {
    const loaded = await loadedBy({ ROUTER_SECRETS: SECRET });
    const packages = packagesIn(loaded);
    expect([...packages]).toEqual(expect.arrayContaining(['graphql', 'graphql-yoga', 'undici']));
    for (const name of ['jose', '@apollo/usage-reporting-protobuf', '@redis/client'])
      expect(packages).not.toContain(name);

    const folders = new Set(
      loaded.map((inner) => [...inner.slice(0, -1), toPackage(inner.at(-1) ?? '')].join(' > ')),
    );
    const tools = [...folders].filter((name) => name.includes('@graphql-tools/')).sort();
    expect(tools).toEqual([
      '@graphql-tools/executor',
      '@graphql-tools/merge',
      '@graphql-tools/schema',
      '@graphql-tools/utils',
      // Yoga itself requires an older version than its packages do.
      'graphql-yoga > @graphql-tools/utils',
    ]);
  });

  test('a gateway with token settings loads jose at the start', async () => {
    expect(packagesIn(await loadedBy(JWT_SETTINGS))).toContain('jose');
  });

  test('a gateway loads the federated tracing package for the first router request with a trace', async () => {
    const loaded = await loadedBy({ ROUTER_SECRETS: SECRET }, async (url) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'router-authorization': SECRET,
          'apollo-federation-include-trace': 'ftv1',
        },
        body: JSON.stringify({ query: '{ __typename }' }),
      });
      expect(await response.json()).toEqual({
        data: { __typename: 'Query' },
        extensions: { ftv1: expect.any(String) },
      });
    });
    expect(packagesIn(loaded)).toContain('@apollo/usage-reporting-protobuf');
  });
});
