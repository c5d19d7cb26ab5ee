import { randomUUID } from 'node:crypto';
import type { Log, LogFields } from './log.ts';
import type { Metrics, Pipeline } from './metrics.ts';
import type { OperationNamer } from './operation-names.ts';
import type { ReadableHeaders } from './trace-context.ts';
import type { RequestSpan, Tracing } from './tracing.ts';

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
   * The response is ready; a plain one is already written. Exactly one of `onResponse` and `onClientDisconnect` is called, once and
   * last.
   */
  onResponse(status: number): void;
  /** The client has disconnected before the response. */
  onClientDisconnect(): void;
  /** The response is a stream, which begins now: called in place of `onResponse`. */
  onStreamStart(status: number): void;
  /** The stream has ended. Called once for each stream, even if its response was never sent. */
  onStreamEnd(stream: StreamStats): void;
}

export interface StreamStats {
  /** The root field of the subscription. */
  readonly field: string;
  readonly transport: string;
  /** Why the stream has ended. */
  readonly reason: string;
  readonly events: number;
  readonly bytes: number;
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
  return (request, route) => new ReportingObserver(options, request, route);
}

/** A class, because seven closures for each request take longer than their calls. */
class ReportingObserver implements RequestObserver {
  readonly requestId: string;
  readonly #options: RequestObserverOptions;
  readonly #method: string;
  readonly #route: string;
  readonly #isOperation: boolean;
  readonly #startedAt: number;
  readonly #span: RequestSpan | undefined;
  #operation: OperationInfo | undefined;
  /** Undefined before the execution. */
  #pipeline: Pipeline | undefined;
  #stats: OperationStats | undefined;
  #code = 'OK';

  constructor(
    options: RequestObserverOptions,
    { method, headers }: ObservedRequest,
    route: string,
  ) {
    this.#options = options;
    this.#startedAt = options.monotonicNow();
    this.#method = method;
    this.#route = route;
    this.requestId = toRequestId(headers.get('x-request-id'));
    this.#isOperation = route === options.operationRoute;
    this.#span = this.#isOperation ? options.tracing.onRequest(method, route, headers) : undefined;
    if (this.#isOperation) options.metrics.onOperationStart();
  }

  get trace(): unknown {
    return this.#span?.context;
  }

  onOperation(operation: OperationInfo): void {
    this.#operation = operation;
  }

  onExecuteStart(pipeline: Pipeline): void {
    this.#pipeline = pipeline;
  }

  onExecuteEnd(stats: OperationStats): void {
    this.#stats = stats;
  }

  onError(code: string): void {
    this.#code = code;
  }

  onClientDisconnect(): void {
    this.#code = 'CLIENT_CLOSED_REQUEST';
    this.onResponse(CLIENT_CLOSED_REQUEST);
  }

  onResponse(status: number): void {
    const { metrics, monotonicNow } = this.#options;
    const ms = monotonicNow() - this.#startedAt;
    const overheadMs = this.#stats && toOverheadMs(ms, this.#stats);
    if (this.#isOperation) metrics.onOperationEnd();
    metrics.onResponse(this.#route, status);
    this.#reportOperation(status, ms, overheadMs);
    this.#log(status, ms, overheadMs);
  }

  onStreamStart(status: number): void {
    const { metrics } = this.#options;
    if (this.#isOperation) metrics.onOperationEnd();
    metrics.onResponse(this.#route, status);
    this.#span?.onEnd({ status, code: this.#code, operation: undefined });
    // A stream outlasts its request by far: only the name is needed at its end.
    if (this.#operation)
      this.#operation = { ...this.#operation, document: '', variables: undefined };
  }

  onStreamEnd({ field, transport, reason, events, bytes }: StreamStats): void {
    const { log, monotonicNow } = this.#options;
    log.info('subscription', {
      operation: this.#operation?.name?.slice(0, MAX_NAME_LENGTH) ?? null,
      field,
      transport,
      reason,
      events,
      bytes,
      durationMs: roundMs(monotonicNow() - this.#startedAt),
      requestId: this.requestId,
      ...this.#span?.ids,
    });
  }

  #reportOperation(status: number, ms: number, overheadMs: number | undefined): void {
    const { metrics, nameOperation } = this.#options;
    const code = this.#code;
    const pipeline = this.#pipeline;
    let name: string | undefined;
    if (pipeline) {
      name = nameOperation(this.#operation?.name, code === 'OK' && hasUpstreamData(this.#stats));
      metrics.onOperationExecuted({ name, pipeline, code, ms, overheadMs });
    } else if (code !== 'OK') metrics.onRejected(code);
    this.#span?.onEnd({
      status,
      code,
      operation:
        name === undefined
          ? undefined
          : {
              type: this.#operation?.type ?? 'query',
              name,
              upstreamRequests: this.#stats?.upstreamRequests ?? 0,
            },
    });
  }

  #log(status: number, ms: number, overheadMs: number | undefined): void {
    const { log, logsPersonalData } = this.#options;
    const isQuiet = QUIET_ROUTES.has(this.#route);
    if (isQuiet && !log.debug) return;
    const operation = this.#operation;
    const stats = this.#stats;
    const line: LogFields = {
      method: this.#method,
      route: this.#route,
      status,
      code: this.#code,
      // pino leaves undefined fields out.
      operation: operation && (operation.name?.slice(0, MAX_NAME_LENGTH) ?? null),
      operationType: operation?.type,
      durationMs: roundMs(ms),
      overheadMs: overheadMs === undefined ? undefined : roundMs(overheadMs),
      upstreamRequests: stats?.upstreamRequests,
      cacheHits: stats?.cacheHits,
      coalesced: stats?.coalesced,
      stale: stats?.stale,
      requestId: this.requestId,
    };
    const ids = this.#span?.ids;
    const personalData = logsPersonalData && operation && toPersonalData(operation);
    const fields = ids || personalData ? { ...line, ...ids, ...personalData } : line;
    if (isQuiet) log.debug?.('request', fields);
    else log.info('request', fields);
  }
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

function toPersonalData({ document, variables }: OperationInfo) {
  const cut = (text: string) => text.slice(0, MAX_LOGGED_LENGTH);
  return { document: cut(document), variables: cut(JSON.stringify(variables ?? null)) };
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
