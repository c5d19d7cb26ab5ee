import {
  type Attributes,
  type Context,
  INVALID_SPAN_CONTEXT,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { VERSION } from '#generated/version.ts';
import type {
  OutgoingRequest,
  RequestOutcome,
  UpstreamRequestObserver,
} from '#rest/upstream-events.ts';
import { extractTraceContext, type ReadableHeaders, toTraceHeaders } from './trace-context.ts';

export type { TracerProvider };

export interface TracingOptions {
  /**
   * The tracer provider. Without one, no span is recorded, but the caller's trace is still
   * propagated.
   * @default the provider that the process has registered with OpenTelemetry's API
   */
  readonly provider?: TracerProvider | undefined;
  /** The base URL of the upstream. */
  readonly baseUrl: string;
}

export interface Tracing {
  /** Starts the span of an incoming request. */
  onRequest(method: string, route: string, headers: ReadableHeaders): RequestSpan;
  /** Starts the span of an upstream request. */
  onSend(request: OutgoingRequest): UpstreamRequestObserver;
}

export interface RequestSpan {
  /** For `OutgoingRequest.trace`. */
  readonly context: Context;
  /** The ids for log lines; undefined if the span is not recorded. */
  readonly ids: { readonly trace_id: string; readonly span_id: string } | undefined;
  onEnd(outcome: {
    readonly status: number;
    readonly code: string;
    readonly operation: TracedOperation | undefined;
  }): void;
}

export interface TracedOperation {
  readonly type: string;
  /** From a bounded set of names. */
  readonly name: string;
  readonly upstreamRequests: number;
}

/** Codes of failures in the gateway or the upstream; all other codes are for the caller to fix. */
const GATEWAY_ERROR_CODES = /^(INTERNAL_|UPSTREAM_)/;

/**
 * Spans by OpenTelemetry's conventions for GraphQL servers and HTTP clients: names, statuses and
 * counts; no document, no variable, no id. Contexts are passed explicitly, so that tracing does not
 * depend on Node's async context tracking.
 */
export function createTracing({ provider, baseUrl }: TracingOptions): Tracing {
  let cachedTracer: { readonly provider: TracerProvider; readonly tracer: Tracer } | undefined;
  // Looked up on each use: a provider may be registered later.
  const registeredProvider = () => provider ?? trace.getTracerProvider();
  const tracer = () => {
    const registered = registeredProvider();
    if (cachedTracer?.provider !== registered) {
      cachedTracer = {
        provider: registered,
        tracer: registered.getTracer('revox-graphql-gateway', VERSION),
      };
    }
    return cachedTracer.tracer;
  };
  /** Without a provider, a request that carries no trace needs no span. */
  const isRecording = () => {
    const registered = registeredProvider();
    return !(registered instanceof ProxyTracerProvider) || registered.getDelegateTracer('') != null;
  };
  const serverAttributes = toServerAttributes(baseUrl);

  return {
    onRequest(method, route, headers) {
      if (headers.get('traceparent') === null && !isRecording()) return UNTRACED_REQUEST;
      const verb = KNOWN_METHODS.has(method) ? method : '_OTHER';
      const parent = extractTraceContext(headers);
      const attributes = { 'http.request.method': verb, 'http.route': route };
      const span = tracer().startSpan(
        `${verb} ${route}`,
        { kind: SpanKind.SERVER, attributes },
        parent,
      );
      if (isNonRecording(span)) return { context: parent, ids: undefined, onEnd: noop };
      return {
        context: trace.setSpan(parent, span),
        ids: toIds(span),
        onEnd({ status, code, operation }) {
          if (operation) {
            span.updateName(`${operation.type} ${operation.name}`);
            span.setAttributes({
              'graphql.operation.type': operation.type,
              'graphql.operation.name': operation.name,
              'revox.upstream_requests': operation.upstreamRequests,
            });
          }
          if (status >= 100) span.setAttribute('http.response.status_code', status);
          if (code !== 'OK') span.setAttribute('error.type', code);
          if (GATEWAY_ERROR_CODES.test(code)) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },

    onSend({ endpoint, retryCount, trace: parentContext }) {
      const parent = (parentContext as Context | undefined) ?? ROOT_CONTEXT;
      if (parent === ROOT_CONTEXT && !isRecording()) return NOOP_OBSERVER;
      const attributes: Attributes = {
        ...serverAttributes,
        'http.request.method': 'GET',
        'url.template': endpoint,
      };
      if (retryCount > 0) attributes['http.request.resend_count'] = retryCount;
      const span = tracer().startSpan(
        `GET ${endpoint}`,
        { kind: SpanKind.CLIENT, attributes },
        parent,
      );
      if (isNonRecording(span)) return NOOP_OBSERVER;
      return {
        headers: toTraceHeaders(trace.setSpan(parent, span)),
        onEnd: (outcome) => endClientSpan(span, outcome),
      };
    },
  };
}

/** Whether the span is not recorded and belongs to no trace. */
function isNonRecording(span: Span): boolean {
  return span.spanContext() === INVALID_SPAN_CONTEXT;
}

function noop(): void {}

const NOOP_OBSERVER: UpstreamRequestObserver = { headers: {}, onEnd: noop };

/** The span of a request without a trace, where no provider is registered. */
const UNTRACED_REQUEST: RequestSpan = { context: ROOT_CONTEXT, ids: undefined, onEnd: noop };

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);

/**
 * Failures that are not errors of the upstream: an aborted request, and an object that does not
 * exist.
 */
const EXPECTED_FAILURES = new Set<RequestOutcome['failure']>(['aborted', 'missing']);

function endClientSpan(span: Span, { status, failure }: RequestOutcome): void {
  if (status !== null) span.setAttribute('http.response.status_code', status);
  if (failure) {
    span.setAttribute('error.type', failure);
    if (!EXPECTED_FAILURES.has(failure)) span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function toIds(span: Span): RequestSpan['ids'] {
  if (!span.isRecording()) return undefined;
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

function toServerAttributes(baseUrl: string): Attributes {
  const { hostname, port, protocol } = new URL(baseUrl);
  return {
    'server.address': hostname,
    'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
  };
}
