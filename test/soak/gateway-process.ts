import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../sockets/demo-process.ts';
import type { ResourceUsage } from './measured-process.ts';

export interface ProcessUsage extends ResourceUsage {
  /** Open file descriptors of the process, sockets included. */
  readonly descriptors: number;
}

export interface MeasuredGateway extends AsyncDisposable {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  measure(): Promise<ProcessUsage>;
  /** Sends SIGTERM and waits until the process has ended. */
  end(): Promise<Ending>;
}

export interface Ending {
  readonly code: number | null;
  readonly stderr: string;
  /** The error lines of the log. */
  readonly errors: readonly string[];
}

const MAX_ERRORS = 20;

const ROOT = join(import.meta.dirname, '../..');
const HEAP_MIB = 256;

/**
 * Starts `node src/main.ts` with only these settings, and with a channel to measure its resources.
 */
export async function startMeasuredGateway(
  settings: Readonly<Record<string, string>>,
): Promise<MeasuredGateway> {
  const port = await freePort();
  const flags = [
    '--expose-gc',
    `--max-old-space-size=${HEAP_MIB}`,
    '--import',
    './test/soak/measured-process.ts',
  ];
  const child = spawn(process.execPath, [...flags, 'src/main.ts'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port), ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  let stderr = '';
  child.stderr?.on('data', (data) => {
    stderr = `${stderr}${data}`.slice(-10_000);
  });
  const lines = createInterface(child.stdout!);
  const url = `http://127.0.0.1:${port}/graphql`;
  await Promise.race([
    once(lines, 'line'),
    ended.then((code) => {
      throw new Error(`The gateway ended with ${code}: ${stderr}`);
    }),
  ]);
  const errors: string[] = [];
  lines.on('line', (line) => {
    // The faults of the upstream are conditions: they are expected.
    const isUnexpected = line.includes('"level":"error"') && !line.includes('"condition":');
    if (isUnexpected && errors.length < MAX_ERRORS) errors.push(line);
  });
  return {
    url,
    async measure() {
      const pending = once(child, 'message');
      child.send('measure');
      const [holdings] = (await pending) as [ResourceUsage];
      return { ...holdings, descriptors: openFilesOf(child) };
    },
    async end() {
      child.kill('SIGTERM');
      return { code: await ended, stderr, errors };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function openFilesOf({ pid }: ChildProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
