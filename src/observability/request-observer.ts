import { randomUUID } from 'node:crypto';
import type { Log, LogFields } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { OperationNamer } from './operation-names.ts';
import type { ReadableHeaders } from './trace-context.ts';
import type { Tracing } from './tracing.ts';

/** Watches one request from its arrival to its answer. */
export interface RequestObserver {
  /** The caller's own, or a new one. */
  readonly requestId: string;
  /** What the operation's requests to the upstream are to be told by. */
  readonly trace: unknown;
  /** It is known what is asked for; whether that is valid is not. */
  onOperation(operation: OperationInfo): void;
  /** It is valid, and executed from now on. */
  onExecuteStart(): void;
  /** What was executed is over. */
  onExecuteEnd(stats: OperationStats): void;
  /** The answer has errors: the code of the first. */
  onError(code: string): void;
  /** The answer is ready. Called once, at the end, or `onClientDisconnect`. */
  onResponse(status: number): void;
  /** The client has left before there was an answer. */
  onClientDisconnect(): void;
}

export interface OperationInfo {
  readonly type: string;
  readonly name: string | undefined;
  /** Told only where the settings say so. */
  readonly document: string;
  readonly variables: unknown;
}

export interface OperationStats {
  /** Time during which at least one question to the upstream was open, ms. */
  readonly waitedMs: number;
  readonly upstreamRequests: number;
  readonly cacheHits: number;
  readonly coalesced: number;
  readonly stale: number;
}

export interface RequestObserverOptions {
  /** Where operations are sent to; requests to other places are told of, but are none. */
  readonly operationRoute: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly nameOperation: OperationNamer;
  /** Whether the log tells documents and variables. */
  readonly logsPersonalData: boolean;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
}

/** What is told of a request: its method, its id, its trace. Fetch's `Request` is one. */
export interface ObservedRequest {
  readonly method: string;
  readonly headers: ReadableHeaders;
}

/** Begins to watch a request. @param place one of the gateway's own paths, or `other` */
export type ObserveRequest = (request: ObservedRequest, route: string) => RequestObserver;

/** The client has left before there was an answer: nginx's word for it, which HTTP has none for. */
const CLIENT_CLOSED_REQUEST = 499;

/** Of an operation's name in the log. */
const MAX_NAME_LENGTH = 128;

/** Of a document, and of its variables: a line is no place for a megabyte. */
const MAX_LOGGED_LENGTH = 16_384;

/** Asked for again and again by whoever watches over the process: of no interest in itself. */
const QUIET_ROUTES = new Set(['/health', '/ready', '/metrics']);

/** Tells of each request in one line of the log, in the metrics, and in a span of its own. */
export function createRequestObserver(options: RequestObserverOptions): ObserveRequest {
  const { log, metrics, tracing, nameOperation, monotonicNow } = options;

  return (request, route) => {
    const startedAt = monotonicNow();
    const requestId = toRequestId(request.headers.get('x-request-id'));
    const isOperation = route === options.operationRoute;
    const span = isOperation ? tracing.onRequest(request.method, route, request.headers) : undefined;
    const endOperation = isOperation ? metrics.onOperationStart() : undefined;
    let operationInfo: OperationInfo | undefined;
    let isExecuted = false;
    let stats: OperationStats | undefined;
    let code = 'OK';

    const observer: RequestObserver = {
      requestId,
      trace: span?.context,
      onOperation(operation) {
        operationInfo = operation;
      },
      onExecuteStart() {
        isExecuted = true;
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
        const executed = isExecuted
          ? {
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
          operation: executed && { type: operationInfo?.type ?? 'query', name: executed.name, upstreamRequests },
        });
        const line = {
          method: request.method,
          place: route,
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
        code = 'CLIENT_LEFT';
        observer.onResponse(CLIENT_CLOSED_REQUEST);
      },
    };
    return observer;
  };
}

/** A caller's own id is taken if it cannot be mistaken for anything else, wherever it is written down. */
function toRequestId(requestId: string | null): string {
  return requestId !== null && /^[\w.:/+=@-]{1,128}$/.test(requestId) ? requestId : randomUUID();
}

/** Whether anything of the upstream's is in the answer. */
function hasUpstreamData(stats: OperationStats | undefined): boolean {
  if (!stats) return false;
  const { upstreamRequests, cacheHits, coalesced, stale } = stats;
  return upstreamRequests + cacheHits + coalesced + stale > 0;
}

/** What the gateway itself took. */
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
