import type { Settings } from '#config/settings.ts';
import type { ServiceClock } from '#doctor/services/service-clock.ts';
import { checkUpstream } from '#doctor/upstream/check-upstream.ts';
import { createConnectionLog } from '#doctor/upstream/connection-log.ts';
import { createProbeClient } from '#doctor/upstream/probe-client.ts';
import { toTransportCause } from '#errors/failure-cause.ts';
import { createFetchTransport } from '#rest/transport/transport.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { toUserAgent } from '#rest/transport/user-agent.ts';
import * as systemClock from '#system-clock.ts';
import type { Finding } from './finding.ts';
import { createReport } from './report.ts';

export interface DoctorOptions {
  readonly settings: Settings;
  /** Instead of `REVOX_API_KEY`. */
  readonly apiKey?: string | undefined;
  readonly format: 'text' | 'json';
  /** Whether the lines are for a terminal with colours. Default false. */
  readonly hasColors?: boolean;
  /** Receives each line, without its line break. */
  write(line: string): void;
  /** Sends a request. Default: real sockets. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Current time, in ms. */
  readonly now?: () => number;
  /** Monotonic clock, in ms and fractions of it. */
  readonly monotonicNow?: () => number;
  /** Calls back after a time in ms; returns the function that cancels that. */
  readonly startTimer?: (ms: number, onTime: () => void) => () => void;
}

/** A check of another service that a setting names. */
interface ServiceCheck {
  /** As in a sentence. */
  readonly name: string;
  /** Of the finding if the check itself fails. */
  readonly check: string;
  isNeeded(settings: Settings): boolean;
  /** Loads the check with its packages. */
  load(): Promise<(settings: Settings, clock: ServiceClock) => Promise<readonly Finding[]>>;
}

const SERVICE_CHECKS: readonly ServiceCheck[] = [
  {
    name: 'Redis',
    check: 'redis-connection',
    isNeeded: ({ cache }) => cache.redisUrl !== undefined,
    load: async () => (await import('#doctor/services/redis.ts')).checkRedis,
  },
  {
    name: 'JWT_JWKS_URL',
    check: 'jwks-connection',
    isNeeded: ({ jwt }) => jwt !== undefined,
    load: async () => (await import('#doctor/services/jwks.ts')).checkJwks,
  },
  {
    name: 'the collector of traces',
    check: 'otlp-connection',
    isNeeded: ({ tracing }) => tracing.isEnabled,
    load: async () => (await import('#doctor/services/telemetry.ts')).checkTelemetry,
  },
];

/**
 * Checks the upstream and the services that the settings name, and writes what it finds. It sends
 * only GET requests to the upstream, at most 20, one at a time, and to each other service what its
 * check documents.
 * @returns the exit code: 0 if the gateway works, 1 if it will not work, 2 if it works and a finding
 *   needs attention
 */
export async function runDoctor(options: DoctorOptions): Promise<0 | 1 | 2> {
  const {
    settings,
    now = Date.now,
    monotonicNow = systemClock.monotonicNow,
    startTimer = systemClock.startOperationTimer,
    hasColors = false,
  } = options;
  const { revox } = settings;
  const apiKey = options.apiKey ?? revox.apiKey;
  const userAgent = toUserAgent(revox.userAgentComment);
  const undiciTransport = createUndiciTransport({
    ...revox.timeouts,
    proxies: revox.proxies,
    userAgent,
    startTimer: systemClock.startTimer,
  });
  const connectionLog = createConnectionLog();
  const report = createReport({ ...options, hasColors, baseUrl: revox.baseUrl });
  const client = createProbeClient({
    ...revox,
    apiKey,
    transport: options.fetch
      ? createFetchTransport(options.fetch, systemClock.startTimer)
      : undiciTransport.transport,
    userAgent,
    now,
    monotonicNow,
    startTimer,
  });
  try {
    const hasKey = apiKey !== undefined;
    await checkUpstream({ client, settings, connectionLog, hasKey, now, add: report.add });
    const clock = { now, monotonicNow, startTimer };
    for (const serviceCheck of SERVICE_CHECKS.filter(({ isNeeded }) => isNeeded(settings))) {
      for (const finding of await runServiceCheck(serviceCheck, settings, clock))
        report.add(finding);
    }
  } finally {
    connectionLog.close();
    await undiciTransport.close();
  }
  return report.end(client.probes.length);
}

/** An error of one check must not hide what the others find. Its message may contain a secret. */
async function runServiceCheck(
  { name, check, load }: ServiceCheck,
  settings: Settings,
  clock: ServiceClock,
): Promise<readonly Finding[]> {
  try {
    const checkService = await load();
    return await checkService(settings, clock);
  } catch (error) {
    const { kind, code = kind } = toTransportCause(error);
    const message = `The check of ${name} has ended with an unexpected error (${code}), so the result is incomplete.`;
    return [{ check, verdict: 'failure', message, details: { cause: kind, code } }];
  }
}
