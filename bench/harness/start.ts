import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import type { Counts, UpstreamOptions } from '../fixture/upstream.ts';
import type { MeasureRequest, ProcessUsage } from './measured.ts';

export const ROOT = join(import.meta.dirname, '../..');
const MEASURED = join(import.meta.dirname, 'measured.ts');

/** Whether processes can be pinned to a processor. */
const canPin = spawnSync('taskset', ['-c', '1', process.execPath, '--version']).status === 0;

/**
 * By default the gateways use processor 0 exclusively. With `0,1` the threads of V8 that collect
 * garbage can use the other processor.
 */
const GATEWAY_CORES = process.env.GATEWAY_PROCESSORS || '0';
/** The upstream and the client share this processor. */
const OTHER_CORE = '1';

/** Describes the assignment of the processors. */
export const pinning = canPin
  ? `gateways pinned to processor ${GATEWAY_CORES}, upstream and load to processor ${OTHER_CORE}`
  : 'no process pinned to a processor';

export interface ServerProcess extends AsyncDisposable {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  /** Time from the start of the process to its first response, in ms. */
  readonly readyMs: number;
  measure(): Promise<ProcessUsage>;
  /** As `measure`, after a garbage collection: needs the flag `--expose-gc`. */
  measureLive(): Promise<ProcessUsage>;
  /**
   * Bytes promoted to the old generation since the previous call. The first call only starts the
   * count.
   */
  takePromotedBytes(): Promise<number>;
  /** Sends SIGTERM. Resolves to the time until the process has ended, in ms. */
  terminate(): Promise<number>;
}

export interface StartOptions {
  /** The program and its arguments, relative to the root of the project. */
  readonly args: readonly string[];
  /**
   * Variables in addition to `PORT` and `PATH`; the rest of the parent's environment is not
   * inherited.
   */
  readonly environment: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/**
 * Starts a GraphQL server in a process of its own, on its own processor, and waits for its first
 * response. The process writes its log to the null device.
 */
export async function startServer({
  args,
  environment,
  headers,
  flags = [],
}: StartOptions): Promise<ServerProcess> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = startNode(GATEWAY_CORES, [...flags, '--import', MEASURED, ...args], {
    NODE_ENV: 'production',
    ...environment,
    PORT: String(port),
  });
  const url = `http://127.0.0.1:${port}/graphql`;
  try {
    await waitUntilReady(child, url, headers);
  } catch (error) {
    await end(child);
    throw error;
  }
  return {
    url,
    readyMs: performance.now() - startedAt,
    measure: () => sendAndReceive<ProcessUsage>(child, 'usage' satisfies MeasureRequest),
    measureLive: () => sendAndReceive<ProcessUsage>(child, 'live' satisfies MeasureRequest),
    takePromotedBytes: () => sendAndReceive<number>(child, 'promoted' satisfies MeasureRequest),
    async terminate() {
      const [ended, startedAt] = [once(child, 'exit'), performance.now()];
      child.kill('SIGTERM');
      await ended;
      return performance.now() - startedAt;
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}

export interface UpstreamProcess extends AsyncDisposable {
  /** The base URL, including the path that all endpoints share. */
  readonly url: string;
  /** Returns the requests since the previous call, and applies the options from now on. */
  takeCounts(options?: UpstreamOptions): Promise<Counts>;
}

export async function startUpstream(): Promise<UpstreamProcess> {
  const port = await freePort();
  const worker = await startWorker('bench/fixture/upstream.ts', [String(port)]);
  return {
    url: `http://127.0.0.1:${port}/api`,
    takeCounts: (options = {}) => worker.ask<Counts>(options),
    [Symbol.asyncDispose]: worker[Symbol.asyncDispose],
  };
}

/** A process beside the measured one. */
export interface WorkerProcess extends AsyncDisposable {
  /** Sends a message, and resolves to the next message of the process. */
  ask<T>(message: object): Promise<T>;
}

/**
 * Starts a process on the processor that the gateways do not use, and waits for its first message.
 * @param file relative to the root of the project
 */
export async function startWorker(file: string, args: readonly string[]): Promise<WorkerProcess> {
  const child = startNode(OTHER_CORE, [join(ROOT, file), ...args], {});
  const failure = rejectOnExit(child);
  // Only a failure during a question is an error: the process is ended in the end.
  failure.catch(() => {});
  await Promise.race([once(child, 'message'), failure]);
  return {
    ask: <T>(message: object) => Promise.race([sendAndReceive<T>(child, message), failure]),
    [Symbol.asyncDispose]: () => end(child),
  };
}

/** Pins this process, the client, to the processor that the gateways do not use. */
export function pinThisProcess(): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', OTHER_CORE, String(process.pid)]);
}

function startNode(
  cores: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  const nowhere = openSync(devNull, 'w');
  const [command, ...rest] = canPin
    ? ['taskset', '-c', cores, process.execPath]
    : [process.execPath];
  const child = spawn(command ?? process.execPath, [...rest, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NO_PROXY: '127.0.0.1', ...environment },
    stdio: ['ignore', nowhere, 'inherit', 'ipc'],
  });
  closeSync(nowhere);
  return child;
}

async function waitUntilReady(
  child: ChildProcess,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const failure = rejectOnExit(child);
  for (;;) {
    const isReady = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: '{"query":"{ __typename }"}',
    }).then(
      async ({ statusCode, body }) => {
        await body.dump();
        return statusCode === 200;
      },
      () => false,
    );
    if (await Promise.race([isReady, failure])) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Rejects when the process ends. */
async function rejectOnExit(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`${child.spawnargs.join(' ')} ended with ${code}.`);
}

async function sendAndReceive<T>(child: ChildProcess, message: object | string): Promise<T> {
  const reply = once(child, 'message');
  child.send(message);
  const [response] = await reply;
  return response as T;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

let lastPort = 20_000 + (process.pid % 5_000);

/** A free port below the range that operating systems assign to clients. */
export async function freePort(): Promise<number> {
  for (;;) {
    lastPort += 1;
    if (await isFree(lastPort)) return lastPort;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}
