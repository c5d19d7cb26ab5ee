import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import type { Settings } from '#config/settings.ts';
import { createDrain } from '#drain.ts';
import { createGateway, type Gateway, type GatewayOptions } from '#gateway.ts';
import { createLogger } from '#observability/logger.ts';
import { standardOutput } from '#observability/standard-output.ts';
import { startTracing } from '#observability/start-tracing.ts';
import { createHttpServer } from '#server/http-server.ts';
import { toServerLimits } from '#server/server-limits.ts';
import { startTimer } from '#system-clock.ts';
import { logSummary, type Summary } from './summary.ts';

/**
 * After the last response everything closes within a moment, and then nothing keeps the process
 * alive. If something does, the process exits after this time.
 */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Connections that wait to be accepted; the system bounds it further (`net.core.somaxconn`). Beyond
 * it the system drops the first packet of a connection, and the client sends it again after a
 * second: with Node's default of 511 a thousand connections at once cost a health probe that
 * second.
 */
const ACCEPT_BACKLOG = 4_096;

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

export interface ServeOptions {
  readonly gateway?: GatewayOptions;
  /** @default createGateway */
  readonly create?: typeof createGateway;
  /**
   * What the log says after "Ready".
   * @param address the host and port that clients connect to, as in a URL
   */
  summarize(address: string): Summary;
  /**
   * Called when the gateway listens.
   * @param address as for `summarize`
   */
  onListening?(address: string): void;
  /** Further lines of the log, after the summary. */
  readonly notices?: readonly string[];
  /** Called after the last response. */
  onStopped?(): Promise<void>;
}

/**
 * Serves a gateway on a port until the process receives a signal. It returns when the gateway
 * listens.
 */
export async function serve(
  settings: Settings,
  {
    gateway: gatewayOptions,
    create = createGateway,
    summarize,
    notices = [],
    onListening = () => {},
    onStopped = async () => {},
  }: ServeOptions,
): Promise<void> {
  // V8 allocates directly in its old generation where most objects of an allocation site survived
  // until they were collected. That is right for objects of the start-up, and wrong for objects that
  // wait for an upstream: the old generation then holds everything that has arrived meanwhile, until
  // it is collected (`docs/operations/performance.md`).
  setFlagsFromString('--no-allocation-site-pretenuring');

  const log = createLogger(settings.log, standardOutput(startTimer));
  const tracing =
    settings.tracing.isEnabled && (await startTracing({ ...settings.tracing, log, startTimer }));
  const gateway = create(settings, { log, processMetrics: true, ...gatewayOptions });
  const server = createHttpServer(gateway, toServerLimits(settings), gateway, settings.corsOrigins);
  const drain = createDrain(server, { ...settings.drain, startTimer });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: settings.port, host: settings.host, backlog: ACCEPT_BACKLOG }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const address = `${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`;
  onListening(address);
  log.info(`Ready: http://${address}${settings.basePath}/graphql`);
  logSummary(log, settings.log.format, summarize(address));
  for (const notice of [...notices, ...noticesOf(settings)]) log.info(notice);
  handleProcessEvents(gateway, stop);

  async function stop(): Promise<void> {
    const [, abortedRequests] = await Promise.all([gateway.drain(), drain()]);
    if (abortedRequests > 0) {
      log.error(
        `Aborted ${abortedRequests} requests that were still in flight after DRAIN_TIMEOUT_MS (${settings.drain.timeoutMs} ms).`,
      );
      process.exitCode = 1;
    }
    startTimer(CLOSE_TIMEOUT_MS, () => {
      log.error(
        `The process exits with open resources, ${CLOSE_TIMEOUT_MS} ms after the last response.`,
      );
      process.exit();
    });
    await gateway.dispose();
    await onStopped();
    if (tracing) await tracing.stop();
  }
}

/** Settings that are accepted and less safe than others. */
function noticesOf({ cache }: Settings): string[] {
  const notices: string[] = [];
  if (cache.redisUrl !== undefined && cache.secret === undefined) {
    notices.push(
      'CACHE_SECRET is not set: a reader of the Redis can test guessed API keys. Set the same CACHE_SECRET for all instances.',
    );
  }
  if (!cache.redisTls.isVerified) {
    notices.push(
      'REDIS_TLS_VERIFY is off: the certificate of Redis is not checked. Set REDIS_TLS_CA_FILE to the certificate of its authority instead, if there is one.',
    );
  }
  return notices;
}

/** @param stop drains the gateway; called at most once */
function handleProcessEvents(gateway: Gateway, stop: () => Promise<void>): void {
  let isStopping = false;
  const stopOnce = () => {
    isStopping = true;
    void stop();
  };
  for (const [signal, number] of Object.entries(SIGNALS)) {
    // A second signal ends the process at once.
    process.on(signal, () => (isStopping ? process.exit(128 + number) : stopOnce()));
  }
  // An unhandled rejection concerns one request: it is reported, and other requests go on.
  process.on('unhandledRejection', (reason) => gateway.onUnexpectedError(reason));
  // An exception outside of every request may have left any state half changed: requests in flight
  // are completed, and the process ends.
  process.on('uncaughtException', (error) => {
    gateway.onUnexpectedError(error);
    process.exitCode = 1;
    if (!isStopping) stopOnce();
  });
}
