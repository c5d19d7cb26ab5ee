#!/usr/bin/env node
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { LOOPBACK_HOSTS } from '#config/groups/listening.ts';
import { explainListenError } from '#config/listen-error.ts';
import { readSettings, type Settings, SettingsError } from '#config/settings.ts';
import { printFatal } from '#observability/console.ts';
import { createLogger } from '#observability/logger.ts';
import { startTracing } from '#observability/start-tracing.ts';
import { createHttpServer } from '#server/http-server.ts';
import { toServerLimits } from '#server/server-limits.ts';
import { createDrain } from './drain.ts';
import { createGateway, type GatewayOptions } from './gateway.ts';
import { startTimer } from './system-clock.ts';

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

const SANDBOX_HOST = '127.0.0.1';

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

const isDemo = process.argv.includes('--demo');

/**
 * V8 allocates directly in its old generation where most objects of an allocation site survived
 * until they were collected. That is right for objects of the start-up, and wrong for objects that
 * wait for an upstream: the old generation then holds everything that has arrived meanwhile, until
 * it is collected (`docs/operations/performance.md`).
 */
setFlagsFromString('--no-allocation-site-pretenuring');

try {
  const settings = readSettings();
  await (isDemo ? serveDemo(settings) : serve(settings));
} catch (error) {
  if (error instanceof SettingsError) printFatal(error.message);
  else printFatal(explainListenError(error, isDemo ? 'PORT or SANDBOX_PORT' : 'PORT') ?? error);
  process.exit(1);
}

async function serve(
  settings: Settings,
  options: GatewayOptions = {},
  onStopped = async () => {},
): Promise<void> {
  const log = createLogger(settings.log);
  const tracing =
    settings.tracing.isEnabled && (await startTracing({ ...settings.tracing, log, startTimer }));
  const gateway = createGateway(settings, { log, processMetrics: true, ...options });
  const server = createHttpServer(gateway, toServerLimits(settings), gateway, settings.corsOrigins);
  const drain = createDrain(server, { ...settings.drain, startTimer });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: settings.port, host: settings.host, backlog: ACCEPT_BACKLOG }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  log.info(`Ready: http://${host}:${port}${settings.basePath}/graphql`);
  if (settings.cache.redisUrl !== undefined && settings.cache.secret === undefined) {
    log.info(
      'CACHE_SECRET is not set: a reader of the Redis can test guessed API keys. Set the same CACHE_SECRET for all instances.',
    );
  }
  if (!settings.cache.redisTls.isVerified) {
    log.info(
      'REDIS_TLS_VERIFY is off: the certificate of Redis is not checked. Set REDIS_TLS_CA_FILE to the certificate of its authority instead, if there is one.',
    );
  }

  let isStopping = false;
  for (const [signal, number] of Object.entries(SIGNALS)) {
    // A second signal ends the process at once.
    process.on(signal, () => (isStopping ? process.exit(128 + number) : void stop()));
  }
  // An unhandled rejection concerns one request: it is reported, and other requests go on.
  process.on('unhandledRejection', (reason) => gateway.onUnexpectedError(reason));
  // An exception outside of every request may have left any state half changed: requests in flight
  // are completed, and the process ends.
  process.on('uncaughtException', (error) => {
    gateway.onUnexpectedError(error);
    process.exitCode = 1;
    if (!isStopping) void stop();
  });

  async function stop(): Promise<void> {
    isStopping = true;
    gateway.drain();
    const abortedRequests = await drain();
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

/**
 * Serves the gateway with the embedded sandbox as its upstream: service mode with the key of the
 * sandbox's first organization, over real sockets.
 */
async function serveDemo(settings: Settings): Promise<void> {
  if (settings.routerSecrets.length === 0 && !LOOPBACK_HOSTS.has(settings.host)) {
    throw new SettingsError([
      'HOST must be 127.0.0.1, ::1 or localhost: the demo uses its own key for every request. Set ROUTER_SECRETS to accept only requests with a secret.',
    ]);
  }
  const { createSandbox } = await import('#sandbox/sandbox.ts');
  const { serveSandbox } = await import('#sandbox/serve-sandbox.ts');
  const { sampleIds } = await import('#sandbox/sample-ids.ts');
  const { exampleOperations } = await import('#sandbox/example-operations.ts');

  // A proxy of the environment could not reach the sandbox.
  process.env.no_proxy = [process.env.no_proxy ?? process.env.NO_PROXY, SANDBOX_HOST]
    .filter(Boolean)
    .join();
  const sandbox = createSandbox({ live: true });
  const upstream = await serveSandbox(sandbox, { host: SANDBOX_HOST, port: settings.sandboxPort });
  const apiKey = sandbox.organizations[0]?.apiKey;
  await serve(
    // A demo has no load balancer in front, and its user would wait for the delay at each change.
    {
      ...settings,
      drain: { ...settings.drain, delayMs: 0 },
      revox: { ...settings.revox, baseUrl: upstream.url, apiKey, firstPage: 'auto' },
    },
    { exampleOperations: exampleOperations(sampleIds(sandbox)) },
    () => upstream.close(),
  );
}
