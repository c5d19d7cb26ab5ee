import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { freePort, type GatewayProcess, startGateway } from '../sockets/demo-process.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { createClient, type Outcome } from './http-client.ts';

const UPSTREAM_MS = 40;
const CALL_REQUEST = '{ assistants(first: 1) { nodes { id } } }';

/** Each request reads a different call, so that no two coalesce. */
const requestCall = () => `{ call(id: "${randomUUID()}") { id } }`;

interface Served extends GatewayProcess {
  readonly url: string;
  /** Resolves when the upstream has received this many requests in total. */
  waitForRequests(count: number): Promise<void>;
}

/**
 * `npm start` over a slow upstream. Nothing is cached, so every operation sends an upstream
 * request.
 */
async function serve(
  settings: Readonly<Record<string, string>> = {},
  upstreamMs = UPSTREAM_MS,
): Promise<Served> {
  const sandbox = createSandbox();
  let count = 0;
  let onRequest = () => {};
  const upstream = await listenOnFreePort((port) =>
    serveSandbox(
      {
        basePath: sandbox.basePath,
        fetch: async (request) => {
          count += 1;
          onRequest();
          await new Promise((resolve) => setTimeout(resolve, upstreamMs));
          return sandbox.fetch(request);
        },
      },
      { host: '127.0.0.1', port },
    ),
  );
  onTestFinished(() => upstream.close());
  const port = await freePort();
  const gateway = startGateway([], {
    PORT: String(port),
    REVOX_BASE_URL: upstream.url,
    REVOX_API_KEY: 'sk_demo_a',
    REVOX_MAX_CONCURRENCY: '1000',
    FRESHNESS_ASSISTANT_MS: '0',
    ...settings,
  });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const url = `http://127.0.0.1:${port}/graphql`;
  expect(await gateway.firstLine).toContain(url);
  return {
    ...gateway,
    url,
    waitForRequests: (minRequests) =>
      new Promise((resolve) => {
        onRequest = () => count >= minRequests && resolve();
        onRequest();
      }),
  };
}

/**
 * Sends requests one after another without a pause: on one connection until the gateway closes it,
 * or each on a new connection while `canConnect` allows it.
 */
async function sendContinuously(
  url: string,
  keepAlive: boolean,
  canConnect: () => boolean,
): Promise<Outcome[]> {
  const client = createClient(url, { keepAlive });
  const outcomes: Outcome[] = [];
  do {
    outcomes.push(await client.post(requestCall()));
  } while (keepAlive ? isKeepAlive(outcomes.at(-1)) : canConnect());
  client.close();
  return outcomes;
}

function isKeepAlive(outcome: Outcome | undefined): boolean {
  return outcome?.kind === 'complete' && outcome.connection === 'keep-alive';
}

/** Polls /ready as a load balancer does, and resolves when the gateway is not ready. */
async function waitUntilNotReady(url: string): Promise<void> {
  while ((await fetch(new URL('/ready', url))).status === 200);
}

describe('Drain under load', () => {
  test.each([1, 2, 3])(
    'a gateway that receives SIGTERM under load completes every accepted request and exits with 0 (run %i)',
    async () => {
      // Longer than a busy machine takes to see that the gateway is not ready.
      const gateway = await serve({ DRAIN_DELAY_MS: '5000' });
      let mayConnect = true;
      const watching = waitUntilNotReady(gateway.url).then(() => {
        mayConnect = false;
      });
      const clients = Array.from({ length: 40 }, (_, index) =>
        sendContinuously(gateway.url, index % 4 !== 0, () => mayConnect),
      );
      await gateway.waitForRequests(300);
      gateway.process.kill('SIGTERM');
      const outcomes = (await Promise.all(clients)).flat();
      await watching;

      expect(outcomes.length).toBeGreaterThanOrEqual(300);
      const whole = { kind: 'complete', status: 200, body: '{"data":{"call":null}}' };
      for (const outcome of outcomes) expect(outcome).toMatchObject(whole);
      expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
      expect(await createClient(gateway.url, { keepAlive: false }).post(CALL_REQUEST)).toEqual({
        kind: 'refused',
      });
    },
  );

  test('a gateway that receives SIGTERM is not ready, and still responds on old and new connections with Connection: close', async () => {
    const gateway = await serve({ DRAIN_DELAY_MS: '60000', DRAIN_TIMEOUT_MS: '60000' });
    const client = createClient(gateway.url, { keepAlive: true });
    expect(await client.post(CALL_REQUEST)).toMatchObject({
      kind: 'complete',
      connection: 'keep-alive',
    });
    gateway.process.kill('SIGTERM');
    const ready = new URL('/ready', gateway.url);
    // The signal arrives asynchronously.
    while ((await fetch(ready)).status === 200);
    expect((await fetch(ready)).headers.get('connection')).toBe('close');
    expect((await fetch(new URL('/health', gateway.url))).status).toBe(200);
    for (const one of [client, createClient(gateway.url, { keepAlive: true })]) {
      expect(await one.post(CALL_REQUEST)).toMatchObject({
        kind: 'complete',
        status: 200,
        connection: 'close',
      });
    }
    // A second signal ends the process at once.
    gateway.process.kill('SIGTERM');
    expect((await gateway.ended).code).toBe(143);
  });
});

test('a gateway that receives SIGINT completes its requests and exits with 0', async () => {
  const gateway = await serve({ DRAIN_DELAY_MS: '0' });
  const outcome = createClient(gateway.url, { keepAlive: false }).post(CALL_REQUEST);
  await gateway.waitForRequests(1);
  gateway.process.kill('SIGINT');
  expect(await outcome).toMatchObject({ kind: 'complete', status: 200 });
  expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
});

test('a gateway aborts requests that are in flight after DRAIN_TIMEOUT_MS, logs their number and exits with 1', async () => {
  const gateway = await serve({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '100' }, 30_000);
  const outcomes = [1, 2].map(() =>
    createClient(gateway.url, { keepAlive: false }).post(requestCall()),
  );
  await gateway.waitForRequests(2);
  const socket = await idleConnection(gateway.url);
  gateway.process.kill('SIGTERM');
  for (const outcome of outcomes) expect(await outcome).toMatchObject({ kind: 'lost' });
  expect(await gateway.ended).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      'Aborted 2 requests that were still in flight after DRAIN_TIMEOUT_MS (100 ms).',
    ),
  });
  socket.destroy();
});

describe('Unexpected errors of the process', () => {
  const onSignal = (code: string) =>
    `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2',()=>{${code}})`)}`;

  test('the gateway logs an unhandled promise rejection and keeps running', async () => {
    const gateway = await serve({
      DRAIN_DELAY_MS: '0',
      NODE_OPTIONS: onSignal("Promise.reject(new Error('Forgotten.'))"),
    });
    gateway.process.kill('SIGUSR2');
    // After its first line, the gateway writes nothing until it logs the error.
    await once(gateway.process.stdout!, 'data');
    expect(await createClient(gateway.url, { keepAlive: false }).post(CALL_REQUEST)).toMatchObject({
      kind: 'complete',
      status: 200,
    });
    gateway.process.kill('SIGTERM');
    expect(await gateway.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Error: Forgotten.'),
    });
  });

  test('the gateway logs an uncaught exception, completes the requests in flight and exits with 1', async () => {
    const gateway = await serve({
      DRAIN_DELAY_MS: '0',
      NODE_OPTIONS: onSignal("throw new Error('Thrown.')"),
    });
    const outcome = createClient(gateway.url, { keepAlive: false }).post(CALL_REQUEST);
    await gateway.waitForRequests(1);
    gateway.process.kill('SIGUSR2');
    expect(await outcome).toMatchObject({ kind: 'complete', status: 200 });
    expect(await gateway.ended).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('Error: Thrown.'),
    });
  });
});

/** A connection that has received one response and is idle. */
async function idleConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write('GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  return socket;
}
