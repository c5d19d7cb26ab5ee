import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createDrain } from '#drain.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { connectTo } from './raw-client.ts';

const DELAY_MS = 1;
const TIMEOUT_MS = 5_000;

const ask = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** A server whose answers the test gives, and timers that the test lets go off. */
async function serve() {
  const server = createServer();
  const timers = new Map<number, () => void>();
  const drain = createDrain(server, {
    delayMs: DELAY_MS,
    timeoutMs: TIMEOUT_MS,
    startTimer: (ms, onTime) => {
      timers.set(ms, onTime);
      return () => timers.delete(ms);
    },
  });
  const waiting = new Map<string, (response: ServerResponse) => void>();
  const asked = new Map<string, ServerResponse>();
  server.on('request', ({ url = '' }, response) => {
    asked.set(url, response);
    waiting.get(url)?.(response);
  });
  await listenOnFreePort(async (port) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  });
  onTestFinished(() => server.closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    server,
    drain,
    connect: () => connectTo(url),
    /** Lets the time pass that was asked for. */
    pass: (ms: number) => timers.get(ms)?.(),
    timers,
    /** The response to a path, once it is asked for. */
    responseTo: async (path: string) =>
      asked.get(path) ?? (await new Promise<ServerResponse>((resolve) => waiting.set(path, resolve))),
  };
}

/** Until the server has let go of its address. */
async function untilClosed({ server }: { server: Server }): Promise<void> {
  while (server.listening) await new Promise(setImmediate);
}

async function untilAccepted({ server }: { server: Server }, count: number): Promise<void> {
  const open = () => new Promise<number>((resolve) => server.getConnections((_, number) => resolve(number)));
  while ((await open()) < count) await new Promise(setImmediate);
}

test('What is under way is answered, and its connection ends with the answer', async () => {
  const world = await serve();
  const { socket, received } = world.connect();
  socket.write(ask('/slow'));
  const response = await world.responseTo('/slow');
  const drained = world.drain();
  world.pass(DELAY_MS);
  await untilClosed(world);
  response.end('whole');
  expect(await received).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n.*whole/is);
  expect(await drained).toBe(0);
  expect(world.timers.has(TIMEOUT_MS)).toBe(false);
});

test('Until the delay is over it takes new connections, and says on each that it goes', async () => {
  const world = await serve();
  const drained = world.drain();
  const { socket, received } = world.connect();
  socket.write(ask('/late'));
  (await world.responseTo('/late')).end('in time');
  expect(await received).toMatch(/connection: close\r\n.*in time/is);
  expect(world.server.listening).toBe(true);
  world.pass(DELAY_MS);
  expect(await drained).toBe(0);
  expect(world.server.listening).toBe(false);
});

test('A connection whose answer had begun before is closed after it', async () => {
  const world = await serve();
  const { socket, received } = world.connect();
  socket.write(ask('/long'));
  const response = await world.responseTo('/long');
  response.write('begun, ');
  const drained = world.drain();
  world.pass(DELAY_MS);
  await untilClosed(world);
  response.end('ended');
  expect(await received).toMatch(/begun, .*ended/s);
  expect(await drained).toBe(0);
});

test('An answer that is made, but on its way to a slow reader, arrives whole', async () => {
  const world = await serve();
  const { socket, received } = world.connect();
  socket.pause();
  socket.write(ask('/large'));
  (await world.responseTo('/large')).end('x'.repeat(20_000_000));
  const drained = world.drain();
  world.pass(DELAY_MS);
  await untilClosed(world);
  socket.resume();
  expect((await received).length).toBeGreaterThan(20_000_000);
  expect(await drained).toBe(0);
});

test('Of what was asked at once on one connection all is answered', async () => {
  const world = await serve();
  const { socket, received } = world.connect();
  socket.write(ask('/one') + ask('/two'));
  const [one, two] = [await world.responseTo('/one'), await world.responseTo('/two')];
  const drained = world.drain();
  socket.write(ask('/three'));
  const three = await world.responseTo('/three');
  world.pass(DELAY_MS);
  await untilClosed(world);
  three.end('3rd');
  two.end('2nd');
  one.end('1st');
  const text = await received;
  expect(text.match(/1st|2nd|3rd/g)).toEqual(['1st', '2nd', '3rd']);
  expect(text.match(/connection: close/gi)).toHaveLength(1);
  expect(await drained).toBe(0);
});

test('An idle connection is closed, but not before the delay is over', async () => {
  const world = await serve();
  const { socket, received } = world.connect();
  socket.write(ask('/'));
  (await world.responseTo('/')).end('first');
  await once(socket, 'data');
  const drained = world.drain();
  await new Promise(setImmediate);
  expect(socket.readableEnded).toBe(false);
  world.pass(DELAY_MS);
  await received;
  expect(await drained).toBe(0);
});

test('One that has not asked anything yet has a moment to ask, and no more', async () => {
  const world = await serve();
  const [late, never] = [world.connect(), world.connect()];
  await Promise.all([once(late.socket, 'connect'), once(never.socket, 'connect')]);
  await untilAccepted(world, 2);
  const drained = world.drain();
  world.pass(DELAY_MS);
  await untilClosed(world);
  late.socket.write(ask('/late'));
  (await world.responseTo('/late')).end('in time');
  expect(await late.received).toMatch(/connection: close\r\n.*in time/is);
  world.pass(1_000);
  expect(await never.received).toBe('');
  expect(await drained).toBe(0);
});

test('What is still not answered when the time is over is broken off and counted', async () => {
  const world = await serve();
  const clients = [world.connect(), world.connect()];
  for (const [index, { socket }] of clients.entries()) socket.write(ask(`/${index}`));
  for (const index of clients.keys()) await world.responseTo(`/${index}`);
  const drained = world.drain();
  world.pass(DELAY_MS);
  await untilClosed(world);
  world.pass(TIMEOUT_MS);
  expect(await drained).toBe(2);
  for (const { received } of clients) expect(await received).toBe('');
});

test('A client that leaves is not waited for', async () => {
  const world = await serve();
  const { socket } = world.connect();
  socket.write(ask('/slow'));
  await world.responseTo('/slow');
  const drained = world.drain();
  world.pass(DELAY_MS);
  await untilClosed(world);
  socket.destroy();
  expect(await drained).toBe(0);
});
