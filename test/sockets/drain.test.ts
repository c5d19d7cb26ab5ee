import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createDrain } from '#drain.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { connectTo } from './raw-client.ts';

const DELAY_MS = 1;
const TIMEOUT_MS = 5_000;

vi.setConfig({ testTimeout: 30_000 });

const requestOf = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** A server whose responses and timers the test controls. */
async function serve() {
  // Node closes no idle connection by itself, so only the drain does. And a test waits for each
  // connection to be closed: a drain that leaves one open exceeds the time limit of the test.
  const server = createServer({ keepAliveTimeout: 0 });
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
  const responses = new Map<string, ServerResponse>();
  for (const event of ['request', 'checkExpectation'])
    server.on(event, ({ url = '' }: IncomingMessage, response: ServerResponse) => {
      responses.set(url, response);
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
    /** Fires the timer that was started with `ms`. */
    pass: (ms: number) => timers.get(ms)?.(),
    timers,
    /** The response for a path, as soon as the path has been requested. */
    responseTo: async (path: string) =>
      responses.get(path) ??
      (await new Promise<ServerResponse>((resolve) => waiting.set(path, resolve))),
  };
}

/** Waits until the server has stopped listening. */
async function untilClosed({ server }: { server: Server }): Promise<void> {
  while (server.listening) await new Promise(setImmediate);
}

async function untilAccepted({ server }: { server: Server }, count: number): Promise<void> {
  const open = () =>
    new Promise<number>((resolve) => server.getConnections((_, number) => resolve(number)));
  while ((await open()) < count) await new Promise(setImmediate);
}

test('drain completes an in-flight request and closes its connection after the response', async () => {
  const gateway = await serve();
  const { socket, received } = gateway.connect();
  socket.write(requestOf('/slow'));
  const response = await gateway.responseTo('/slow');
  const drained = gateway.drain();
  gateway.pass(DELAY_MS);
  await untilClosed(gateway);
  response.end('whole');
  expect(await received).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n.*whole/is);
  expect(await drained).toBe(0);
  // Only the delay is over: the drain has stopped its other timers.
  expect([...gateway.timers.keys()]).toEqual([DELAY_MS]);
});

test('drain completes an in-flight request with an unknown expectation', async () => {
  const gateway = await serve();
  const { socket, received } = gateway.connect();
  socket.write(requestOf('/slow').replace('\r\n\r\n', '\r\nExpect: more\r\n\r\n'));
  const response = await gateway.responseTo('/slow');
  const drained = gateway.drain();
  gateway.pass(DELAY_MS);
  await untilClosed(gateway);
  response.end('whole');
  expect(await received).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n.*whole/is);
  expect(await drained).toBe(0);
});

test('drain accepts new connections during the delay and sends Connection: close on each', async () => {
  const gateway = await serve();
  const drained = gateway.drain();
  const { socket, received } = gateway.connect();
  socket.write(requestOf('/late'));
  (await gateway.responseTo('/late')).end('in time');
  expect(await received).toMatch(/connection: close\r\n.*in time/is);
  expect(gateway.server.listening).toBe(true);
  gateway.pass(DELAY_MS);
  expect(await drained).toBe(0);
  expect(gateway.server.listening).toBe(false);
});

test('drain closes a connection after a response that had started before the drain', async () => {
  const gateway = await serve();
  const { socket, received } = gateway.connect();
  socket.write(requestOf('/long'));
  const response = await gateway.responseTo('/long');
  response.write('begun, ');
  const drained = gateway.drain();
  gateway.pass(DELAY_MS);
  await untilClosed(gateway);
  response.end('ended');
  expect(await received).toMatch(/begun, .*ended/s);
  expect(await drained).toBe(0);
});

test('drain lets a slow client receive its complete response', async () => {
  const gateway = await serve();
  const { socket, received } = gateway.connect();
  socket.pause();
  socket.write(requestOf('/large'));
  (await gateway.responseTo('/large')).end('x'.repeat(20_000_000));
  const drained = gateway.drain();
  gateway.pass(DELAY_MS);
  await untilClosed(gateway);
  socket.resume();
  expect((await received).length).toBeGreaterThan(20_000_000);
  expect(await drained).toBe(0);
});

test('drain completes all pipelined requests of a connection', async () => {
  const gateway = await serve();
  const { socket, received } = gateway.connect();
  socket.write(requestOf('/one') + requestOf('/two'));
  const [one, two] = [await gateway.responseTo('/one'), await gateway.responseTo('/two')];
  const drained = gateway.drain();
  socket.write(requestOf('/three'));
  const three = await gateway.responseTo('/three');
  gateway.pass(DELAY_MS);
  await untilClosed(gateway);
  three.end('3rd');
  two.end('2nd');
  one.end('1st');
  const text = await received;
  expect(text.match(/1st|2nd|3rd/g)).toEqual(['1st', '2nd', '3rd']);
  expect(text.match(/connection: close/gi)).toHaveLength(1);
  expect(await drained).toBe(0);
});

test('drain closes an idle connection after the delay and not before', async () => {
  const gateway = await serve();
  const { socket, received } = gateway.connect();
  socket.write(requestOf('/'));
  (await gateway.responseTo('/')).end('first');
  await once(socket, 'data');
  const drained = gateway.drain();
  await new Promise(setImmediate);
  expect(socket.readableEnded).toBe(false);
  gateway.pass(DELAY_MS);
  await received;
  expect(await drained).toBe(0);
});

test('drain gives a connection without a request one second to send it', async () => {
  const gateway = await serve();
  const [late, never] = [gateway.connect(), gateway.connect()];
  await Promise.all([once(late.socket, 'connect'), once(never.socket, 'connect')]);
  await untilAccepted(gateway, 2);
  const drained = gateway.drain();
  gateway.pass(DELAY_MS);
  await untilClosed(gateway);
  late.socket.write(requestOf('/late'));
  (await gateway.responseTo('/late')).end('in time');
  expect(await late.received).toMatch(/connection: close\r\n.*in time/is);
  gateway.pass(1_000);
  expect(await never.received).toBe('');
  expect(await drained).toBe(0);
});

test('drain aborts and counts the requests that are still in flight after the timeout', async () => {
  const gateway = await serve();
  const clients = [gateway.connect(), gateway.connect()];
  for (const [index, { socket }] of clients.entries()) socket.write(requestOf(`/${index}`));
  for (const index of clients.keys()) await gateway.responseTo(`/${index}`);
  const drained = gateway.drain();
  gateway.pass(DELAY_MS);
  await untilClosed(gateway);
  gateway.pass(TIMEOUT_MS);
  expect(await drained).toBe(2);
  for (const { received } of clients) expect(await received).toBe('');
});

test('drain does not wait for a client that disconnects', async () => {
  const gateway = await serve();
  const { socket } = gateway.connect();
  socket.write(requestOf('/slow'));
  await gateway.responseTo('/slow');
  const drained = gateway.drain();
  gateway.pass(DELAY_MS);
  await untilClosed(gateway);
  socket.destroy();
  expect(await drained).toBe(0);
});
