import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { listenOnFreePort } from '../support/served-gateway.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface ProcessResult {
  /** `null` if a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GatewayProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly ended: Promise<ProcessResult>;
  /**
   * The first line on stdout, or the complete output if the process ends before it prints a line.
   */
  readonly firstLine: Promise<string>;
  /** The output as soon as the standard output matches, or when the process ends. */
  untilOutput(pattern: RegExp): Promise<Pick<ProcessResult, 'stdout' | 'stderr'>>;
}

/**
 * Starts `node src/main.ts` with these settings and no other environment variables but `PATH`. The
 * process is killed at the end of the scope.
 */
export function startGateway(
  flags: readonly string[],
  settings: Readonly<Record<string, string>>,
): GatewayProcess {
  return startProcess(process.execPath, ['src/main.ts', ...flags], { cwd: ROOT, settings });
}

export interface ProcessOptions extends Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> {
  /** The environment variables of the process in addition to `PATH`. */
  readonly settings: Readonly<Record<string, string>>;
  /**
   * The file that gets the standard error output. Absent: `ProcessResult` has it. Node.js drops
   * native debug output for which a pipe has no room.
   */
  readonly stderrPath?: string;
}

/** Starts a program that runs a gateway. The process is killed at the end of the scope. */
export function startProcess(
  program: string,
  args: readonly string[],
  { settings, stderrPath, ...options }: ProcessOptions,
): GatewayProcess {
  const stderrFile = stderrPath === undefined ? undefined : openSync(stderrPath, 'w');
  const child = spawn(program, args, {
    ...options,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', stderrFile ?? 'pipe'],
  }) as ChildProcess & { readonly stdout: Readable };
  if (stderrFile !== undefined) closeSync(stderrFile);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  const ended = once(child, 'close').then(
    ([code]): ProcessResult => ({ code: code as number | null, stdout, stderr }),
  );
  const firstLine = Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => line as string),
    ended.then((ending) => `It ended: ${JSON.stringify(ending)}`),
  ]);
  return {
    process: child,
    ended,
    firstLine,
    async untilOutput(pattern) {
      while (!pattern.test(stdout)) {
        const isOver = await Promise.race([
          once(child.stdout, 'data').then(() => false),
          ended.then(() => true),
        ]);
        if (isOver) break;
      }
      return { stdout, stderr };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export interface Demo extends GatewayProcess {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  /** The address of the sandbox. */
  readonly sandboxOrigin: string;
}

/** Starts the demo on free ports and waits until it prints its URL. */
export async function startDemo(settings: Readonly<Record<string, string>> = {}): Promise<Demo> {
  for (;;) {
    const [port, sandboxPort] = [await freePort(), await freePort()];
    const demo = startGateway(['demo'], {
      PORT: String(port),
      SANDBOX_PORT: String(sandboxPort),
      ...settings,
    });
    const url = `http://127.0.0.1:${port}/graphql`;
    const line = await demo.firstLine;
    if (line.includes(url))
      return { ...demo, url, sandboxOrigin: `http://127.0.0.1:${sandboxPort}` };
    await demo[Symbol.asyncDispose]();
    // Another process may have taken the port since it was free.
    if (!line.includes('EADDRINUSE')) throw new Error(`The demo did not start. ${line}`);
  }
}

/** Returns a port on which no process listens at this moment. */
export async function freePort(): Promise<number> {
  const held = await holdPort();
  await held.release();
  return held.port;
}

/** Listens on a port so that no other process can. */
export async function holdPort(): Promise<{ readonly port: number; release(): Promise<void> }> {
  const server = createServer();
  const port = await listenOnFreePort(async (candidate) => {
    server.listen(candidate, '127.0.0.1');
    await once(server, 'listening');
    return candidate;
  });
  return {
    port,
    release: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
