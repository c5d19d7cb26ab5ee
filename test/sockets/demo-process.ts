import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { listenOnFreePort } from '../support/served-gateway.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface ProcessResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GatewayProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly ended: Promise<ProcessResult>;
  /** The first line it prints; what was printed instead, when it ends before. */
  readonly firstLine: Promise<string>;
}

/** Starts `node src/main.ts` with these settings and none of the caller's own. It is killed at the end of the scope, if it still runs. */
export function startGateway(flags: readonly string[], settings: Readonly<Record<string, string>>): GatewayProcess {
  return startProcess(process.execPath, ['src/main.ts', ...flags], { cwd: ROOT, settings });
}

export interface ProcessOptions extends Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> {
  /** What it has in its environment besides `PATH`. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Starts a program that is a gateway. It is killed at the end of the scope, if it still runs. */
export function startProcess(program: string, args: readonly string[], { settings, ...options }: ProcessOptions): GatewayProcess {
  const child = spawn(program, args, {
    ...options,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = once(child, 'close').then(([code]): ProcessResult => ({ code: code as number | null, stdout, stderr }));
  const firstLine = Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => line as string),
    ended.then((ending) => `It ended: ${JSON.stringify(ending)}`),
  ]);
  return {
    process: child,
    ended,
    firstLine,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export interface Demo extends GatewayProcess {
  /** Of the GraphQL endpoint. */
  readonly url: string;
}

/** Starts the demo on free ports, and waits until it says that it is ready. */
export async function startDemo(settings: Readonly<Record<string, string>> = {}): Promise<Demo> {
  for (;;) {
    const [port, sandboxPort] = [await freePort(), await freePort()];
    const demo = startGateway(['--demo'], { PORT: String(port), SANDBOX_PORT: String(sandboxPort), ...settings });
    const url = `http://127.0.0.1:${port}/graphql`;
    const line = await demo.firstLine;
    if (line.includes(url)) return { ...demo, url };
    await demo[Symbol.asyncDispose]();
    // Taken by another process since it was found free.
    if (!line.includes('EADDRINUSE')) throw new Error(`The demo did not start. ${line}`);
  }
}

/** A port on which nothing listens at this moment. */
export async function freePort(): Promise<number> {
  const held = await holdPort();
  await held.release();
  return held.port;
}

/** Listens on a port, so that nobody else can. */
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
