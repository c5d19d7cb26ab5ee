import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import type { Log } from './log.ts';

export interface RunningTracing {
  /**
   * Sends the remaining spans, with a time limit, because the collector may be down. Never rejects.
   */
  stop(): Promise<void>;
}

export interface StartTracingOptions {
  /** Whether OpenTelemetry's environment variables set the service name. */
  readonly hasServiceName: boolean;
  readonly log: Log;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

const SERVICE_NAME = 'revox-graphql-gateway';
const STOP_TIMEOUT_MS = 3_000;
const MAX_MESSAGE_LENGTH = 300;

/**
 * Starts the OpenTelemetry SDK, which reads its own environment variables, and registers its
 * provider for the whole process. Traces only: Prometheus reads the metrics, and the log is on the
 * standard output. Only this module loads the SDK, which is larger than the gateway.
 */
export async function startTracing({
  hasServiceName,
  log,
  startTimer,
}: StartTracingOptions): Promise<RunningTracing> {
  const { startNodeSdk } = await import('@opentelemetry/sdk-node');
  diag.setLogger(toDiagLogger(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const sdk = withoutConsoleLogger(() =>
    startNodeSdk({
      resourceAttributes: hasServiceName ? {} : { 'service.name': SERVICE_NAME },
      metricReaders: [],
      logRecordProcessors: [],
    }),
  );
  return {
    stop: () =>
      new Promise((resolve) => {
        const cancel = startTimer(STOP_TIMEOUT_MS, resolve);
        const onStopped = () => {
          cancel();
          resolve();
        };
        sdk.shutdown().then(onStopped, onStopped);
      }),
  };
}

/**
 * The SDK registers a logger that writes to the console before it reads its variables. What it
 * reports of them, an unknown protocol for instance, must be lines of the log.
 */
function withoutConsoleLogger<Sdk>(start: () => Sdk): Sdk {
  const { setLogger } = diag;
  diag.setLogger = () => false;
  try {
    return start();
  } finally {
    diag.setLogger = setLogger;
  }
}

/** Logs a collector that is down once, not every five seconds. */
function toDiagLogger(log: Log): DiagLogger {
  let last = '';
  const logOnce = (message: string) => {
    const text = `OpenTelemetry: ${message.slice(0, MAX_MESSAGE_LENGTH)}`;
    if (text === last) return;
    last = text;
    log.error(text);
  };
  const ignore = () => {};
  return { error: logOnce, warn: logOnce, info: ignore, debug: ignore, verbose: ignore };
}
