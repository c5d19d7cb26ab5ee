import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../sockets/demo-process.ts';
import { PROCESSES, type Subgraph, TOOL_ENVIRONMENT } from './composers.ts';

export interface RouterKind {
  readonly name: string;
  /** The composer of the router's supergraph. */
  readonly composer: 'apollo' | 'hive';
  /**
   * The arguments of Node.js. `SUPERGRAPH`, `DIRECTORY` and `PORT` are replaced by the supergraph's
   * file, its directory and the port.
   */
  readonly command: readonly string[];
  /** The text of further files in the directory, by name. `DIRECTORY` is replaced as above. */
  readonly toFiles?: (subgraphs: readonly Subgraph[]) => Readonly<Record<string, string>>;
}

const HIVE = [
  'node_modules/@graphql-hive/gateway/dist/bin.js',
  'supergraph',
  'SUPERGRAPH',
  '--config-path=hive.js',
  '--host=127.0.0.1',
  '--port=PORT',
];

/** The routers that the npm registry has, and that serve queries in these tests. */
export const ROUTERS: readonly RouterKind[] = [
  { name: 'Apollo Gateway', composer: 'apollo', command: ['apollo.js', 'SUPERGRAPH', 'PORT'] },
  { name: 'Hive Gateway', composer: 'hive', command: HIVE },
  {
    name: 'Hive Gateway with the query planner of Hive Router',
    composer: 'hive',
    command: [...HIVE, '--hive-router-runtime'],
  },
];

/** The secret that the router sends to the gateway. */
export const ROUTER_SECRET = 'a-secret-between-router-and-gateway';

export interface RouterProcess extends AsyncDisposable {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
}

/**
 * Starts a router in its own process and waits until it listens. The router is killed at the end
 * of the scope.
 * @param callbackUrl where a router that subscribes over HTTP callback receives the events
 */
export async function startRouter(
  kind: RouterKind,
  supergraphSdl: string,
  subgraphs: readonly Subgraph[],
  callbackUrl: string,
): Promise<RouterProcess> {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'supergraph-'));
  started.defer(() => rm(directory, { recursive: true }));
  const supergraph = join(directory, 'supergraph.graphql');
  await writeFile(supergraph, supergraphSdl);
  for (const [name, content] of Object.entries(kind.toFiles?.(subgraphs) ?? {}))
    await writeFile(join(directory, name), content.replaceAll('DIRECTORY', directory));
  for (;;) {
    const port = await freePort();
    const command = kind.command.map((part) =>
      part
        .replace('SUPERGRAPH', supergraph)
        .replace('DIRECTORY', directory)
        .replace('PORT', String(port)),
    );
    const router = spawn(process.execPath, ['--import=./ends-with-its-parent.js', ...command], {
      cwd: PROCESSES,
      env: {
        ...TOOL_ENVIRONMENT,
        REVOX_ROUTER_SECRET: ROUTER_SECRET,
        REVOX_CALLBACK_URL: callbackUrl,
      },
      stdio: 'pipe',
    });
    started.defer(() => kill(router));
    const ending = await listensOrEnds(router, port);
    if (ending === undefined) {
      const running = started.move();
      return {
        url: `http://127.0.0.1:${port}/graphql`,
        [Symbol.asyncDispose]: () => running.disposeAsync(),
      };
    }
    // Another process has taken the port in the meantime.
    if (!ending.includes('EADDRINUSE')) throw new Error(`${kind.name} did not start:\n${ending}`);
  }
}

/**
 * Ends the router by the end of its standard input. A router that is no Node.js program ends with
 * the program that has started it.
 */
async function kill(router: ChildProcess): Promise<void> {
  if (router.exitCode !== null || router.signalCode !== null) return;
  const ended = once(router, 'exit');
  router.stdin?.end();
  await ended;
}

/** Returns nothing when the router reports that it listens, and its output when it ends before. */
function listensOrEnds(
  router: ChildProcessWithoutNullStreams,
  port: number,
): Promise<string | undefined> {
  const lines: string[] = [];
  return new Promise((resolve) => {
    for (const output of [router.stdout, router.stderr]) {
      createInterface(output).on('line', (line) => {
        lines.push(line);
        if (/listening\b.*\bon|ready at/i.test(line) && line.includes(`:${port}`))
          resolve(undefined);
      });
    }
    router.once('close', () => resolve(lines.join('\n')));
  });
}
