import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const REDIS_SERVER = '/usr/bin/redis-server';
const MIN_PORT = 20_000;
const PORTS = 12_000;

export const hasRedisServer = existsSync(REDIS_SERVER);

/**
 * Call it in each suite: it warns when the machine has no redis-server, and fails in CI, which must
 * have one.
 */
export function expectRedisServer(): void {
  if (!hasRedisServer)
    console.warn(
      `The Redis tests are skipped: this machine has no ${REDIS_SERVER}. Install it, or let CI run them.`,
    );
  test.runIf(process.env.CI === 'true')('CI has a redis-server', () => {
    expect(hasRedisServer).toBe(true);
  });
}

/**
 * One Redis for all tests of a suite, emptied before each, and a plain client of it. Both exist
 * only while tests run.
 */
export function shareRedis(): { readonly server: RedisServer; readonly observer: RedisObserver } {
  let server: RedisServer;
  let observer: RedisObserver;
  beforeAll(async () => {
    server = await startRedis();
    observer = await server.connect();
  });
  afterAll(async () => {
    await observer?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });
  beforeEach(() => observer.send('FLUSHALL'));
  return {
    get server() {
      return server;
    },
    get observer() {
      return observer;
    },
  };
}

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** The port of the cluster bus, in cluster mode (`BUS` in flags). */
  readonly busPort: number;
  /** A second port, for TLS (`TLS` in flags). */
  readonly tlsPort: number;
  /** `redis://127.0.0.1:…` */
  readonly url: string;
  /** Connects a plain client that inspects Redis. */
  connect(password?: string): Promise<RedisObserver>;
  /** Kills Redis, which loses all its data. */
  kill(): Promise<void>;
  /** Restarts an empty Redis on the same port. */
  restart(): Promise<void>;
  /** Suspends Redis: it accepts connections and commands, and responds to none. */
  pause(): void;
  resume(): void;
}

/** What a test may do with Redis; strings are bytes. */
export interface RedisObserver extends AsyncDisposable {
  send<T = unknown>(...command: (string | Buffer)[]): Promise<T>;
  /** The names of all keys, sorted. */
  keys(): Promise<string[]>;
  /** The names of all entries, without epochs and claims. */
  entries(): Promise<string[]>;
  /** The epochs of all credentials, sorted by their names. */
  epochs(): Promise<string[]>;
  /** Resolves when no more keys are added. */
  isIdle(): Promise<void>;
  /** All names and values. */
  dump(): Promise<Buffer>;
  /** All connected clients except observers. */
  clients(): Promise<string[]>;
  /** Records every command that Redis receives from now on, as text. */
  monitor(): Promise<readonly string[]>;
  /** Redis' own clock, in ms. */
  time(): Promise<number>;
  /** Resolves when this time has passed on Redis' clock, in ms. */
  pass(ms: number): Promise<void>;
}

/**
 * A real Redis on a free port of 127.0.0.1 that writes nothing to disk. It is killed at the end of
 * the scope.
 */
export async function startRedis(
  flags: readonly string[] = [],
  fixedPort?: number,
): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    // Below the ports that systems hand to clients, so that the port stays free between a kill and
    // a restart.
    const port = fixedPort ?? MIN_PORT + Math.floor(Math.random() * PORTS);
    try {
      return await serve(port, flags, await launch(port, flags));
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

async function serve(
  port: number,
  flags: readonly string[],
  first: ChildProcess,
): Promise<RedisServer> {
  let server = first;
  // An interrupted test run disposes of nothing.
  const killWithUs = () => server.kill('SIGKILL');
  process.once('exit', killWithUs);
  const kill = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    }
    await rm(join(tmpdir(), fileOf(port)), { force: true });
  };
  return {
    port,
    busPort: shiftPort(port, 4_000),
    tlsPort: shiftPort(port, 8_000),
    url: `redis://127.0.0.1:${port}`,
    connect: (password) => observe(`redis://127.0.0.1:${port}`, password),
    kill,
    async restart() {
      await kill();
      server = await launch(port, flags);
    },
    pause() {
      server.kill('SIGSTOP');
      // The signal is asynchronous; it has arrived when the process state says so.
      while (!/\) T /.test(readFileSync(`/proc/${server.pid}/stat`, 'utf8')));
    },
    resume() {
      server.kill('SIGCONT');
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', killWithUs);
      await kill();
    },
  };
}

/** The number of gateways that are subscribed to the channel of the instances. */
export async function countSubscribers(observer: RedisObserver): Promise<number> {
  const [, count] = await observer.send<unknown[]>('PUBSUB', 'NUMSUB', 'revox:instances:1');
  return Number(count);
}

/** Another port in the range of `startRedis`. */
function shiftPort(port: number, by: number): number {
  return MIN_PORT + ((port - MIN_PORT + by) % PORTS);
}

function fileOf(port: number): string {
  return `revox-test-${port}.rdb`;
}

async function launch(port: number, flags: readonly string[]): Promise<ChildProcess> {
  const listening = flags.includes('--tls-port') ? [] : ['--port', String(port)];
  const server = spawn(
    REDIS_SERVER,
    [
      ...listening,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      // Replicas write a file, and so does a reload.
      '--dir',
      tmpdir(),
      '--dbfilename',
      fileOf(port),
      ...flags.map((flag) =>
        flag
          .replace('PORT', String(port))
          .replace('BUS', String(shiftPort(port, 4_000)))
          .replace('TLS', String(shiftPort(port, 8_000))),
      ),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const output: string[] = [];
  const lines = createInterface(server.stdout);
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      output.push(line);
      if (line.includes('Ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`redis-server ended:\n${output.join('\n')}`)));
  });
  return server;
}

async function observe(url: string, password?: string): Promise<RedisObserver> {
  const client = createClient({ url, RESP: 2, name: 'observer', ...(password && { password }) });
  // Killing Redis also ends the connections of its observers.
  client.on('error', () => {});
  await client.connect();
  const send = <T>(...command: (string | Buffer)[]) =>
    client.sendCommand<T>(command, { typeMapping: { 36: Buffer } });
  const keys = async () => (await send<Buffer[]>('KEYS', '*')).map(String).sort();
  return {
    send,
    keys,
    entries: async () => (await keys()).filter((name) => !/^revox:(epoch|flight):/.test(name)),
    async epochs() {
      const names = (await keys()).filter((name) => name.startsWith('revox:epoch:'));
      return Promise.all(names.map(async (name) => String(await send('GET', name))));
    },
    async isIdle() {
      let before = -1;
      const growth = async () => {
        const [last, now] = [before, (await keys()).length];
        before = now;
        return now - last;
      };
      await expect.poll(growth, { interval: 25 }).toBe(0);
    },
    async dump() {
      const names = await keys();
      const values = await Promise.all(names.map((name) => send<Buffer>('GET', name)));
      return Buffer.concat([Buffer.from(names.join(' ')), ...values]);
    },
    async clients() {
      const all = String(await send('CLIENT', 'LIST')).split('\n');
      return all.filter((client) => client !== '' && !client.includes('name=observer'));
    },
    async monitor() {
      const commands: string[] = [];
      await client.monitor((command) => commands.push(String(command)));
      return commands;
    },
    async time() {
      const [seconds, microseconds] = await send<[Buffer, Buffer]>('TIME');
      return Number(seconds) * 1000 + Number(microseconds) / 1000;
    },
    async pass(ms) {
      await send('BLPOP', 'nothing', String(ms / 1000));
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}
