import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import type { Log } from './log.ts';

export interface RunningTracing {
  /** Sends what has not been sent yet, and gives up after a while: whoever collects traces may be down. Never rejects. */
  stop(): Promise<void>;
}

export interface StartTracingOptions {
  /** Whether OpenTelemetry's variables say what the service is called. */
  readonly hasServiceName: boolean;
  readonly log: Log;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

const SERVICE_NAME = 'revox-graphql-gateway';
const STOP_TIMEOUT_MS = 3_000;
const MAX_MESSAGE_LENGTH = 300;

/**
 * Starts OpenTelemetry's SDK, which reads its own variables, and registers its provider for the whole process. Only traces: the metrics are
 * Prometheus', and the log is on the standard output. It is loaded here and nowhere else: it is larger than the gateway.
 */
export async function startTracing({ hasServiceName, log, startTimer }: StartTracingOptions): Promise<RunningTracing> {
  const { startNodeSdk } = await import('@opentelemetry/sdk-node');
  const sdk = startNodeSdk({
    resourceAttributes: hasServiceName ? {} : { 'service.name': SERVICE_NAME },
    metricReaders: [],
    logRecordProcessors: [],
  });
  // The SDK has set one that writes to the console.
  diag.setLogger(toDiagLogger(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
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

/** A collector that is down is told of once, not every five seconds. */
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
