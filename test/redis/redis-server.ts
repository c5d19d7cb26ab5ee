import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const REDIS_SERVER = '/usr/bin/redis-server';

export const hasRedisServer = existsSync(REDIS_SERVER);

/** To be called in each suite: says in plain words when there is nothing to test against, and fails in CI, where there has to be. */
export function expectRedisServer(): void {
  if (!hasRedisServer)
    console.warn(`Nothing is tried on Redis: there is no ${REDIS_SERVER} on this machine. Install it, or let CI do it.`);
  test.runIf(process.env.CI === 'true')('CI has a Redis', () => {
    expect(hasRedisServer).toBe(true);
  });
}

/** One Redis for all tests of a suite, empty before each, and a plain client of it. To be read in tests only: before them it is not there yet. */
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
  /** `redis://127.0.0.1:…` */
  readonly url: string;
  /** A plain client, to look behind the scenes. */
  connect(): Promise<RedisObserver>;
  /** Ends it at once, with all that it knows. */
  kill(): Promise<void>;
  /** Starts it anew on the same port; it knows nothing. */
  restart(): Promise<void>;
  /** It takes connections and commands, and answers nothing. */
  pause(): void;
  resume(): void;
}

/** What a test may ask Redis for, strings as bytes. */
export interface RedisObserver extends AsyncDisposable {
  send<T = unknown>(...command: (string | Buffer)[]): Promise<T>;
  /** The names of all keys, in order. */
  keys(): Promise<string[]>;
  /** The names of the entries: all but epochs. */
  entries(): Promise<string[]>;
  /** Waits until nothing more comes. */
  isIdle(): Promise<void>;
  /** All that lies in it: names and values. */
  dump(): Promise<Buffer>;
  /** Everyone who is connected, but for observers. */
  clients(): Promise<string[]>;
  /** Redis' own clock, ms. */
  time(): Promise<number>;
  /** Waits until so much has gone by on Redis' clock, ms. */
  pass(ms: number): Promise<void>;
}

/** A real Redis on a free port of 127.0.0.1, which writes nothing to disk. It is killed at the end of the scope. */
export async function startRedis(flags: readonly string[] = []): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    // Below those that systems hand to clients, so that nothing takes it between an end and a restart.
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      return await serve(port, flags, await launch(port, flags));
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

async function serve(port: number, flags: readonly string[], first: ChildProcess): Promise<RedisServer> {
  let server = first;
  // When the tests are called off in the middle, nobody disposes of anything.
  const killWithUs = () => server.kill('SIGKILL');
  process.once('exit', killWithUs);
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    connect: () => observe(`redis://127.0.0.1:${port}`),
    kill,
    async restart() {
      await kill();
      server = await launch(port, flags);
    },
    pause() {
      server.kill('SIGSTOP');
      // The signal is on its way; it has arrived when the system says so.
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
      ...flags.map((flag) => flag.replace('PORT', String(port))),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said: string[] = [];
  const lines = createInterface(server.stdout);
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes('Ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`redis-server ended:\n${said.join('\n')}`)));
  });
  return server;
}

async function observe(url: string): Promise<RedisObserver> {
  const client = createClient({ url, RESP: 2, name: 'observer' });
  // Whoever kills Redis does so under its observers, too.
  client.on('error', () => {});
  await client.connect();
  const send = <T>(...command: (string | Buffer)[]) => client.sendCommand<T>(command, { typeMapping: { 36: Buffer } });
  const keys = async () => (await send<Buffer[]>('KEYS', '*')).map(String).sort();
  return {
    send,
    keys,
    entries: async () => (await keys()).filter((name) => !/^revox:epoch:/.test(name)),
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
