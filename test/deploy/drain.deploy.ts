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

/** Each of its own, so that none joins another's. */
const requestCall = () => `{ call(id: "${randomUUID()}") { id } }`;

interface Served extends GatewayProcess {
  readonly url: string;
  /** Resolves when so many requests have come upstream in all. */
  asked(count: number): Promise<void>;
}

/** `npm start` over an upstream that takes its time; nothing is remembered, so that each operation asks it. */
async function serve(
  settings: Readonly<Record<string, string>> = {},
  upstreamMs = UPSTREAM_MS,
): Promise<Served> {
  const sandbox = createSandbox();
  let count = 0;
  let onAsked = () => {};
  const upstream = await listenOnFreePort((port) =>
    serveSandbox(
      {
        basePath: sandbox.basePath,
        fetch: async (request) => {
          count += 1;
          onAsked();
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
    asked: (least) =>
      new Promise((resolve) => {
        onAsked = () => count >= least && resolve();
        onAsked();
      }),
  };
}

/** Asks one thing after the other, without a pause: on one connection as long as it lives, or each on a new one as long as it may. */
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
  return outcome?.kind === 'answered' && outcome.connection === 'keep-alive';
}

/** Looks at /ready as what balances loads does, and sends nobody there any more once it says no. */
async function waitUntilNotReady(url: string): Promise<void> {
  while ((await fetch(new URL('/ready', url))).status === 200);
}

describe('Under load, SIGTERM', () => {
  test.each([1, 2, 3])(
    'loses no request that was accepted, and ends the process with 0 (%i)',
    async () => {
      const gateway = await serve({ DRAIN_DELAY_MS: '2000' });
      let mayConnect = true;
      const watching = waitUntilNotReady(gateway.url).then(() => {
        mayConnect = false;
      });
      const clients = Array.from({ length: 40 }, (_, index) =>
        sendContinuously(gateway.url, index % 4 !== 0, () => mayConnect),
      );
      await gateway.asked(300);
      gateway.process.kill('SIGTERM');
      const outcomes = (await Promise.all(clients)).flat();
      await watching;

      expect(outcomes.length).toBeGreaterThanOrEqual(300);
      const whole = { kind: 'answered', status: 200, body: '{"data":{"call":null}}' };
      for (const outcome of outcomes) expect(outcome).toMatchObject(whole);
      expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
      expect(await createClient(gateway.url, { keepAlive: false }).post(CALL_REQUEST)).toEqual({
        kind: 'refused',
      });
    },
  );

  test('is told at /ready, on answers, and to who asks anew, before anything is closed', async () => {
    const gateway = await serve({ DRAIN_DELAY_MS: '60000', DRAIN_TIMEOUT_MS: '60000' });
    const client = createClient(gateway.url, { keepAlive: true });
    expect(await client.post(CALL_REQUEST)).toMatchObject({
      kind: 'answered',
      connection: 'keep-alive',
    });
    gateway.process.kill('SIGTERM');
    const ready = new URL('/ready', gateway.url);
    // The signal is a moment on its way.
    while ((await fetch(ready)).status === 200);
    expect((await fetch(ready)).headers.get('connection')).toBe('close');
    expect((await fetch(new URL('/health', gateway.url))).status).toBe(200);
    for (const one of [client, createClient(gateway.url, { keepAlive: true })]) {
      expect(await one.post(CALL_REQUEST)).toMatchObject({
        kind: 'answered',
        status: 200,
        connection: 'close',
      });
    }
    // Whoever asks twice will not wait.
    gateway.process.kill('SIGTERM');
    expect((await gateway.ended).code).toBe(143);
  });
});

test('SIGINT is the same', async () => {
  const gateway = await serve({ DRAIN_DELAY_MS: '0' });
  const answer = createClient(gateway.url, { keepAlive: false }).post(CALL_REQUEST);
  await gateway.asked(1);
  gateway.process.kill('SIGINT');
  expect(await answer).toMatchObject({ kind: 'answered', status: 200 });
  expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
});

test('What is not answered within the bound is broken off, and the process says so', async () => {
  const gateway = await serve({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '100' }, 30_000);
  const answers = [1, 2].map(() =>
    createClient(gateway.url, { keepAlive: false }).post(requestCall()),
  );
  await gateway.asked(2);
  const socket = await idleConnection(gateway.url);
  gateway.process.kill('SIGTERM');
  for (const answer of answers) expect(await answer).toMatchObject({ kind: 'lost' });
  expect(await gateway.ended).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      'Aborted 2 requests that were still in flight after DRAIN_TIMEOUT_MS (100 ms).',
    ),
  });
  socket.destroy();
});

describe('What nobody foresaw', () => {
  const onSignal = (code: string) =>
    `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2',()=>{${code}})`)}`;

  test('is told, and the process goes on, where it is a promise that nobody waited for', async () => {
    const gateway = await serve({
      DRAIN_DELAY_MS: '0',
      NODE_OPTIONS: onSignal("Promise.reject(new Error('Forgotten.'))"),
    });
    gateway.process.kill('SIGUSR2');
    // After its first line it says nothing until it has answered something.
    await once(gateway.process.stdout!, 'data');
    expect(await createClient(gateway.url, { keepAlive: false }).post(CALL_REQUEST)).toMatchObject({
      kind: 'answered',
      status: 200,
    });
    gateway.process.kill('SIGTERM');
    expect(await gateway.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Error: Forgotten.'),
    });
  });

  test('is told, what is under way is answered, and the process ends with 1, where it was thrown', async () => {
    const gateway = await serve({
      DRAIN_DELAY_MS: '0',
      NODE_OPTIONS: onSignal("throw new Error('Thrown.')"),
    });
    const answer = createClient(gateway.url, { keepAlive: false }).post(CALL_REQUEST);
    await gateway.asked(1);
    gateway.process.kill('SIGUSR2');
    expect(await answer).toMatchObject({ kind: 'answered', status: 200 });
    expect(await gateway.ended).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('Error: Thrown.'),
    });
  });
});

/** A connection that has been answered once, and is idle. */
async function idleConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write('GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  return socket;
}
