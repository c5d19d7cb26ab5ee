import { randomUUID } from 'node:crypto';
import type { Log, LogFields } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { NameOperation } from './operation-names.ts';
import type { ReadableHeaders } from './trace-context.ts';
import type { Tracing } from './tracing.ts';

/** Watches one request from its arrival to its answer. */
export interface RequestWatch {
  /** The caller's own, or a new one. */
  readonly requestId: string;
  /** What the operation's requests to the upstream are to be told by. */
  readonly trace: unknown;
  /** It is known what is asked for; whether that is valid is not. */
  onAsked(operation: AskedOperation): void;
  /** It is valid, and executed from now on. */
  onExecute(): void;
  /** What was executed is over. */
  onExecuted(account: OperationFigures): void;
  /** The answer has errors: the code of the first. */
  onError(code: string): void;
  /** The answer is ready. Called once, at the end, or `onLeft`. */
  onAnswered(status: number): void;
  /** The client has left before there was an answer. */
  onLeft(): void;
}

export interface AskedOperation {
  readonly type: string;
  readonly name: string | undefined;
  /** Told only where the settings say so. */
  readonly document: string;
  readonly variables: unknown;
}

export interface OperationFigures {
  /** Time during which at least one question to the upstream was open, ms. */
  readonly waitedMs: number;
  readonly upstreamRequests: number;
  readonly cacheHits: number;
  readonly coalesced: number;
  readonly stale: number;
}

export interface RequestWatchOptions {
  /** Where operations are sent to; requests to other places are told of, but are none. */
  readonly operationPlace: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly nameOperation: NameOperation;
  /** Whether the log tells documents and variables. */
  readonly logsPersonalData: boolean;
  /** A clock for durations, ms and parts of it. */
  readonly elapsed: () => number;
}

/** What is told of a request: its method, its id, its trace. Fetch's `Request` is one. */
export interface WatchedHead {
  readonly method: string;
  readonly headers: ReadableHeaders;
}

/** Begins to watch a request. @param place one of the gateway's own paths, or `other` */
export type WatchRequest = (request: WatchedHead, place: string) => RequestWatch;

/** The client has left before there was an answer: nginx's word for it, which HTTP has none for. */
const CLIENT_LEFT = 499;

/** Of an operation's name in the log. */
const LONGEST_NAME = 128;

/** Of a document, and of its variables: a line is no place for a megabyte. */
const LONGEST_TOLD = 16_384;

/** Asked for again and again by whoever watches over the process: of no interest in itself. */
const QUIET = new Set(['/health', '/ready', '/metrics']);

/** Tells of each request in one line of the log, in the metrics, and in a span of its own. */
export function createRequestWatch(options: RequestWatchOptions): WatchRequest {
  const { log, metrics, tracing, nameOperation, elapsed } = options;

  return (request, place) => {
    const startedAt = elapsed();
    const requestId = toRequestId(request.headers.get('x-request-id'));
    const isOperation = place === options.operationPlace;
    const span = isOperation ? tracing.onRequest(request.method, place, request.headers) : undefined;
    const endOperation = isOperation ? metrics.onOperationBegun() : undefined;
    let asked: AskedOperation | undefined;
    let isExecuted = false;
    let figures: OperationFigures | undefined;
    let code = 'OK';

    const watch: RequestWatch = {
      requestId,
      trace: span?.context,
      onAsked(operation) {
        asked = operation;
      },
      onExecute() {
        isExecuted = true;
      },
      onExecuted(account) {
        figures = account;
      },
      onError(first) {
        code = first;
      },
      onAnswered(status) {
        const ms = elapsed() - startedAt;
        endOperation?.();
        metrics.onResponse(place, status);
        const executed = isExecuted
          ? {
              name: nameOperation(asked?.name, code === 'OK' && isServed(figures)),
              ms,
              overheadMs: figures && overhead(ms, figures),
            }
          : undefined;
        if (executed) metrics.onOperation({ ...executed, code });
        else if (code !== 'OK') metrics.onRefused(code);
        const upstreamRequests = figures?.upstreamRequests ?? 0;
        span?.onOver({
          status,
          code,
          operation: executed && { type: asked?.type ?? 'query', name: executed.name, upstreamRequests },
        });
        const line = {
          method: request.method,
          place,
          status,
          code,
          ...(asked && { operation: asked.name?.slice(0, LONGEST_NAME) ?? null, operationType: asked.type }),
          durationMs: rounded(ms),
          ...(figures && { overheadMs: rounded(overhead(ms, figures)), ...toCounts(figures) }),
          requestId,
          ...span?.ids,
          ...(options.logsPersonalData && asked && toPersonalData(asked)),
        } satisfies LogFields;
        if (QUIET.has(place)) log.debug?.('request', line);
        else log.info('request', line);
      },
      onLeft() {
        code = 'CLIENT_LEFT';
        watch.onAnswered(CLIENT_LEFT);
      },
    };
    return watch;
  };
}

/** A caller's own id is taken if it cannot be mistaken for anything else, wherever it is written down. */
function toRequestId(given: string | null): string {
  return given !== null && /^[\w.:/+=@-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Whether anything of the upstream's is in the answer. */
function isServed(figures: OperationFigures | undefined): boolean {
  if (!figures) return false;
  const { upstreamRequests, cacheHits, coalesced, stale } = figures;
  return upstreamRequests + cacheHits + coalesced + stale > 0;
}

/** What the gateway itself took. */
function overhead(ms: number, { waitedMs }: OperationFigures): number {
  return Math.max(0, ms - waitedMs);
}

function toCounts({ upstreamRequests, cacheHits, coalesced, stale }: OperationFigures) {
  return { upstreamRequests, cacheHits, coalesced, stale };
}

function toPersonalData({ document, variables }: AskedOperation) {
  const cut = (text: string) => text.slice(0, LONGEST_TOLD);
  return { document: cut(document), variables: cut(JSON.stringify(variables ?? null)) };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
