import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

export interface Composition {
  /** For a router. */
  readonly supergraphSdl?: string;
  /** For clients. */
  readonly publicSdl?: string;
  /** Errors, warnings and hints. */
  readonly errors: readonly string[];
}

/** Where the programs of others are, with packages of their own: they share one graphql, which is not that of the tests. */
export const PROCESSES = join(import.meta.dirname, 'processes');

/** For programs of others, as in production: nothing of the caller's own, and no word to their makers. */
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

/** @param exclude what carries one of these tags is left out, as from a contract; Apollo's registry alone can do that, not its library */
export async function compose(
  composer: Composer,
  subgraphs: readonly Subgraph[],
  exclude: readonly string[] = [],
): Promise<Composition> {
  return JSON.parse(await run(['compose.js', composer], JSON.stringify({ subgraphs, exclude })));
}

/** Runs a program of this folder, and gives what it prints. */
export async function run(command: readonly string[], input = ''): Promise<string> {
  const program = spawn(process.execPath, command, {
    cwd: PROCESSES,
    env: TOOL_ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  program.stdin.end(input);
  const [code, output, complaint] = await Promise.all([
    new Promise<number | null>((resolve) => program.once('close', resolve)),
    text(program.stdout),
    text(program.stderr),
  ]);
  if (code !== 0)
    throw new Error(`${command.join(' ')} ended with ${code}:\n${output}${complaint}`);
  return output;
}
