import { randomUUID } from 'node:crypto';
import type { Log, LogFields } from './log.ts';
import type { Metrics, Pipeline } from './metrics.ts';
import type { OperationNamer } from './operation-names.ts';
import type { ReadableHeaders } from './trace-context.ts';
import type { Tracing } from './tracing.ts';

/** Observes one request from its arrival to its response. */
export interface RequestObserver {
  /** The caller's request id, or a new one. */
  readonly requestId: string;
  /** The trace context for the operation's upstream requests. */
  readonly trace: unknown;
  /** The operation is parsed, but not validated yet. */
  onOperation(operation: OperationInfo): void;
  /**
   * The operation is valid, and its execution starts.
   * @param pipeline what produces the response
   */
  onExecuteStart(pipeline: Pipeline): void;
  /** The execution has ended. */
  onExecuteEnd(stats: OperationStats): void;
  /** The response has errors; `code` is that of the first. */
  onError(code: string): void;
  /**
   * The response is ready. Exactly one of `onResponse` and `onClientDisconnect` is called, once and
   * last.
   */
  onResponse(status: number): void;
  /** The client has disconnected before the response. */
  onClientDisconnect(): void;
}

export interface OperationInfo {
  readonly type: string;
  readonly name: string | undefined;
  /** Logged only if the settings enable it. */
  readonly document: string;
  readonly variables: unknown;
}

export interface OperationStats {
  /** Time during which at least one request waited for the upstream, in ms. */
  readonly waitedMs: number;
  readonly upstreamRequests: number;
  readonly cacheHits: number;
  readonly coalesced: number;
  readonly stale: number;
}

export interface RequestObserverOptions {
  /**
   * The route of operations; requests to other routes are logged and counted, but not as
   * operations.
   */
  readonly operationRoute: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly nameOperation: OperationNamer;
  /** Whether the log includes documents and variables. */
  readonly logsPersonalData: boolean;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
}

/** The parts of a request that are observed: method, id and trace. A Fetch `Request` has them. */
export interface ObservedRequest {
  readonly method: string;
  readonly headers: ReadableHeaders;
}

/**
 * Starts to observe a request.
 * @param route one of the gateway's own paths, or `other`
 */
export type ObserveRequest = (request: ObservedRequest, route: string) => RequestObserver;

/** nginx's status for a client that disconnects before the response; HTTP has no status for it. */
const CLIENT_CLOSED_REQUEST = 499;

/** Maximum characters of an operation's name in the log. */
const MAX_NAME_LENGTH = 128;

/** Maximum characters of a document, and of its variables, in a log line. */
const MAX_LOGGED_LENGTH = 16_384;

/** Routes that monitoring polls: logged only at the level `debug`. */
const QUIET_ROUTES = new Set(['/health', '/ready', '/metrics']);

/** Reports each request as one log line, in the metrics, and as a span. */
export function createRequestObserver(options: RequestObserverOptions): ObserveRequest {
  const { log, metrics, tracing, nameOperation, monotonicNow } = options;

  return (request, route) => {
    const startedAt = monotonicNow();
    const requestId = toRequestId(request.headers.get('x-request-id'));
    const isOperation = route === options.operationRoute;
    const span = isOperation
      ? tracing.onRequest(request.method, route, request.headers)
      : undefined;
    const endOperation = isOperation ? metrics.onOperationStart() : undefined;
    let operationInfo: OperationInfo | undefined;
    /** Undefined before the execution. */
    let pipeline: Pipeline | undefined;
    let stats: OperationStats | undefined;
    let code = 'OK';

    const observer: RequestObserver = {
      requestId,
      trace: span?.context,
      onOperation(operation) {
        operationInfo = operation;
      },
      onExecuteStart(executedBy) {
        pipeline = executedBy;
      },
      onExecuteEnd(operationStats) {
        stats = operationStats;
      },
      onError(first) {
        code = first;
      },
      onResponse(status) {
        const ms = monotonicNow() - startedAt;
        endOperation?.();
        metrics.onResponse(route, status);
        const executed = pipeline
          ? {
              pipeline,
              name: nameOperation(operationInfo?.name, code === 'OK' && hasUpstreamData(stats)),
              ms,
              overheadMs: stats && toOverheadMs(ms, stats),
            }
          : undefined;
        if (executed) metrics.onOperationExecuted({ ...executed, code });
        else if (code !== 'OK') metrics.onRejected(code);
        const upstreamRequests = stats?.upstreamRequests ?? 0;
        span?.onEnd({
          status,
          code,
          operation: executed && {
            type: operationInfo?.type ?? 'query',
            name: executed.name,
            upstreamRequests,
          },
        });
        const line = {
          method: request.method,
          route,
          status,
          code,
          ...(operationInfo && {
            operation: operationInfo.name?.slice(0, MAX_NAME_LENGTH) ?? null,
            operationType: operationInfo.type,
          }),
          durationMs: roundMs(ms),
          ...(stats && { overheadMs: roundMs(toOverheadMs(ms, stats)), ...toCounts(stats) }),
          requestId,
          ...span?.ids,
          ...(options.logsPersonalData && operationInfo && toPersonalData(operationInfo)),
        } satisfies LogFields;
        if (QUIET_ROUTES.has(route)) log.debug?.('request', line);
        else log.info('request', line);
      },
      onClientDisconnect() {
        code = 'CLIENT_CLOSED_REQUEST';
        observer.onResponse(CLIENT_CLOSED_REQUEST);
      },
    };
    return observer;
  };
}

/** Accepts the caller's request id only if it is harmless in every place it is written to. */
function toRequestId(requestId: string | null): string {
  return requestId !== null && /^[\w.:/+=@-]{1,128}$/.test(requestId) ? requestId : randomUUID();
}

/** Whether the response contains upstream data. */
function hasUpstreamData(stats: OperationStats | undefined): boolean {
  if (!stats) return false;
  const { upstreamRequests, cacheHits, coalesced, stale } = stats;
  return upstreamRequests + cacheHits + coalesced + stale > 0;
}

/** The gateway's own share of the duration, in ms. */
function toOverheadMs(ms: number, { waitedMs }: OperationStats): number {
  return Math.max(0, ms - waitedMs);
}

function toCounts({ upstreamRequests, cacheHits, coalesced, stale }: OperationStats) {
  return { upstreamRequests, cacheHits, coalesced, stale };
}

function toPersonalData({ document, variables }: OperationInfo) {
  const cut = (text: string) => text.slice(0, MAX_LOGGED_LENGTH);
  return { document: cut(document), variables: cut(JSON.stringify(variables ?? null)) };
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
