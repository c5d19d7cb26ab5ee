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

/** Whether processes can be held to a processor. */
const canPin = spawnSync('taskset', ['-c', '1', process.execPath, '--version']).status === 0;

/** The gateways have this one for themselves; the upstream and who asks share the other. */
const GATEWAY_CORE = 0;
const OTHER_CORE = 1;

/** How the processors are shared, in words. */
export const pinning = canPin
  ? `gateways pinned to processor ${GATEWAY_CORE}, upstream and load to processor ${OTHER_CORE}`
  : 'nothing pinned to a processor';

export interface ServerProcess extends AsyncDisposable {
  /** Of the GraphQL endpoint. */
  readonly url: string;
  /** From its start to its first answer, ms. */
  readonly readyMs: number;
  measure(): Promise<ProcessUsage>;
  /** What has outlived collections of the young generation since this was asked last, bytes. The first time it only begins to count. */
  takePromotedBytes(): Promise<number>;
}

export interface StartOptions {
  /** The program and its arguments, from the root of the project. */
  readonly args: readonly string[];
  /** Beside `PORT`; nothing of the caller's own environment but the path. */
  readonly environment: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** Starts a GraphQL server in a process of its own, on its own processor, and waits until it answers. What it logs is written, to nowhere. */
export async function startServer({ args, environment, headers, flags = [] }: StartOptions): Promise<ServerProcess> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = startNode(GATEWAY_CORE, [...flags, '--import', MEASURED, ...args], {
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
    measure: () => sendAndReceive<ProcessUsage>(child, 'taken' satisfies MeasureRequest),
    takePromotedBytes: () => sendAndReceive<number>(child, 'promoted' satisfies MeasureRequest),
    [Symbol.asyncDispose]: () => end(child),
  };
}

export interface UpstreamProcess extends AsyncDisposable {
  /** With the path that all endpoints share. */
  readonly url: string;
  /** Tells the requests since the last time, and does from now on as is wished. */
  takeCounts(options?: UpstreamOptions): Promise<Counts>;
}

export async function startUpstream(): Promise<UpstreamProcess> {
  const port = await freePort();
  const child = startNode(OTHER_CORE, [join(import.meta.dirname, '../fixture/upstream.ts'), String(port)], {});
  await Promise.race([once(child, 'message'), rejectOnExit(child)]);
  return {
    url: `http://127.0.0.1:${port}/api`,
    takeCounts: (wish = {}) => sendAndReceive<Counts>(child, wish),
    [Symbol.asyncDispose]: () => end(child),
  };
}

/** Holds this process, which asks, to the processor that the gateways do not have. */
export function pinThisProcess(): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', String(OTHER_CORE), String(process.pid)]);
}

function startNode(core: number, args: readonly string[], environment: Readonly<Record<string, string>>): ChildProcess {
  const nowhere = openSync(devNull, 'w');
  const [command, ...rest] = canPin ? ['taskset', '-c', String(core), process.execPath] : [process.execPath];
  const child = spawn(command ?? process.execPath, [...rest, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NO_PROXY: '127.0.0.1', ...environment },
    stdio: ['ignore', nowhere, 'inherit', 'ipc'],
  });
  closeSync(nowhere);
  return child;
}

async function waitUntilReady(child: ChildProcess, url: string, headers: Readonly<Record<string, string>>): Promise<void> {
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

/** Below those that systems hand out to clients. */
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
