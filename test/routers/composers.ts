import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

export interface Composition {
  /** The supergraph for routers. */
  readonly supergraphSdl?: string;
  /** The schema for clients. */
  readonly publicSdl?: string;
  /** Errors, warnings and hints. */
  readonly errors: readonly string[];
}

/**
 * The directory of the third-party programs. It has its own packages: they share one copy of
 * graphql, which is not the copy of the tests.
 */
export const PROCESSES = join(import.meta.dirname, 'processes');

/**
 * The environment of third-party programs: production mode, no telemetry, and no variables of the
 * test process except PATH.
 */
export const TOOL_ENVIRONMENT = {
  PATH: process.env.PATH,
  NODE_ENV: 'production',
  NO_PROXY: '127.0.0.1',
  COSMO_TELEMETRY_DISABLED: 'true',
  DISABLE_UPDATE_CHECK: 'true',
  DO_NOT_TRACK: '1',
};

/** `@apollo/composition`, `@theguild/federation-composition`, `@wundergraph/composition`. */
export type Composer = 'apollo' | 'hive' | 'cosmo';

/**
 * @param exclude the tags whose elements the contract excludes. Apollo offers contracts only in
 * its registry, not in its library.
 */
export async function compose(
  composer: Composer,
  subgraphs: readonly Subgraph[],
  exclude: readonly string[] = [],
): Promise<Composition> {
  return JSON.parse(await run(['compose.js', composer], JSON.stringify({ subgraphs, exclude })));
}

/** Runs a program of `PROCESSES`, and returns its standard output. */
export async function run(command: readonly string[], input = ''): Promise<string> {
  const program = spawn(process.execPath, command, {
    cwd: PROCESSES,
    env: TOOL_ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  program.stdin.end(input);
  const [code, output, errorOutput] = await Promise.all([
    new Promise<number | null>((resolve) => program.once('close', resolve)),
    text(program.stdout),
    text(program.stderr),
  ]);
  if (code !== 0)
    throw new Error(`${command.join(' ')} ended with ${code}:\n${output}${errorOutput}`);
  return output;
}
