import type { Socket } from 'node:net';
import { readSettings } from '#config/settings.ts';
import { createDrain } from '#drain.ts';
import { createGateway } from '#gateway.ts';
import type { ExampleOperation } from '#http/example-operation.ts';
import { createSandbox, type Sandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { createHttpServer } from '#server/http-server.ts';
import { type ServerLimits, toServerLimits } from '#server/server-limits.ts';
import { startTimer } from '#system-clock.ts';
import { KEY_A, type TestGatewayOptions } from './test-gateway.ts';

export interface ServedGatewayOptions
  extends Pick<TestGatewayOptions, 'settings' | 'sandbox' | 'gateway'> {
  readonly exampleOperations?: readonly ExampleOperation[];
  /** Overrides the limits of the settings. */
  readonly timeouts?: Partial<ServerLimits>;
}

export interface ServedGateway extends AsyncDisposable {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  readonly sandbox: Sandbox;
  /** The upstream requests received over the wire since the last call, as `GET /call/…`. */
  traffic(): string[];
  /**
   * The errors that the gateway reported as unexpected. A test that expects none asserts that it is
   * empty.
   */
  readonly unexpectedErrors: readonly unknown[];
  /** Stops the gateway as SIGTERM does. Resolves to the number of aborted requests. */
  drain(): Promise<number>;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** The gateway over the sandbox as in `createTestGateway`, with real sockets on both sides. */
export async function serveTestGateway({
  settings,
  sandbox: sandboxOptions,
  gateway: gatewayOptions,
  exampleOperations = [],
  timeouts,
}: ServedGatewayOptions = {}): Promise<ServedGateway> {
  const sandbox = createSandbox(sandboxOptions);
  const upstream = await listenOnFreePort((port) => serveSandbox(sandbox, { host: HOST, port }));
  const unexpectedErrors: unknown[] = [];
  const parsedSettings = readSettings({
    REVOX_BASE_URL: upstream.url,
    REVOX_API_KEY: KEY_A,
    REVOX_FIRST_PAGE: '1',
    ...settings,
  });
  const gateway = createGateway(parsedSettings, {
    exampleOperations,
    fastPath: process.env.FAST_PATH !== 'off',
    plannedExecution: process.env.PLANNED_EXECUTION !== 'off',
    responseCache: process.env.RESPONSE_CACHE !== 'off',
    log: {
      info: () => {},
      // Failing upstreams are logged; they are not unexpected.
      error: () => {},
      unexpected: (error) => unexpectedErrors.push(error),
    },
    ...gatewayOptions,
  });
  const server = createHttpServer(
    gateway,
    { ...toServerLimits(parsedSettings), ...timeouts },
    {
      onUnexpectedError: (error) => unexpectedErrors.push(error),
      onRejected: gateway.onRejected,
      onDisconnected: gateway.onDisconnected,
    },
    parsedSettings.corsOrigins,
  );
  const drainServer = createDrain(server, {
    ...parsedSettings.drain,
    startTimer: gatewayOptions?.startTimer ?? startTimer,
  });
  const listeningPort = await listenOnFreePort(
    (port) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        // Some tests open thousands of connections at once.
        server.listen({ port, host: HOST, backlog: 4_096 }, () => {
          server.off('error', reject);
          resolve(port);
        });
      }),
  );
  let takenCount = 0;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  const close = async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      // Those that are WebSockets, too.
      for (const socket of sockets) socket.destroy();
    });
    await gateway.dispose();
    await upstream.close();
  };
  return {
    url: `http://${HOST}:${listeningPort}/graphql`,
    sandbox,
    unexpectedErrors,
    traffic() {
      const fresh = sandbox.log.slice(takenCount);
      takenCount = sandbox.log.length;
      return fresh.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`);
    },
    async drain() {
      const [, aborted] = await Promise.all([gateway.drain(), drainServer()]);
      return aborted;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Ports below those that systems hand to clients, so that no client takes a port that is free. */
const FIRST_PORT = 20_000;
/** The ports of one worker of Vitest: no other worker takes a port that a test has chosen. */
const WORKER_PORTS = 1_500;
const WORKERS = 8;
const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS;
let lastPort = Math.floor(Math.random() * WORKER_PORTS);

/**
 * Listens on a free port. A process may listen on a port that was free before: no port comes again
 * until all others have.
 */
export async function listenOnFreePort<T>(listen: (port: number) => Promise<T>): Promise<T> {
  for (;;) {
    lastPort = (lastPort + 1) % WORKER_PORTS;
    try {
      return await listen(FIRST_PORT + worker * WORKER_PORTS + lastPort);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}
