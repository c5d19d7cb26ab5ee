import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { listenOnFreePort } from '../support/served-gateway.ts';

/** An application of another origin than the gateway. */
export interface ServedPages {
  readonly origin: string;
  close(): void;
}

const SNIPPETS = join(import.meta.dirname, '../clients/snippets');

/** The package that a snippet imports, as browsers load it. */
const GRAPHQL_WS = '/graphql-ws/';
const GRAPHQL_WS_FILES = dirname(createRequire(import.meta.url).resolve('graphql-ws'));
const IMPORTS = JSON.stringify({ imports: { 'graphql-ws': `${GRAPHQL_WS}client.js` } });
const PAGE = `<!doctype html><title>Elsewhere</title><script type="importmap">${IMPORTS}</script>`;

/**
 * Serves the snippets of the documentation as JavaScript, the package graphql-ws, and an empty page
 * at every other path.
 */
export async function servePages(): Promise<ServedPages> {
  const server = createServer(async ({ url = '/' }, response) => {
    const script = await readScript(url);
    response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' });
    response.end(script ?? PAGE);
  });
  const port = await listenOnFreePort(
    (free) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(free, '127.0.0.1', () => resolve(free));
      }),
  );
  return {
    origin: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readScript(url: string): Promise<string | undefined> {
  const name = basename(url);
  if (url.startsWith(GRAPHQL_WS)) return readFile(join(GRAPHQL_WS_FILES, name), 'utf8');
  if (!url.endsWith('.ts')) return undefined;
  return stripTypeScriptTypes(await readFile(join(SNIPPETS, name), 'utf8'));
}
