import {
  type Context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

/**
 * Extracts W3C Trace Context from headers. `baggage` is dropped: callers may put anything into it,
 * and the upstream is a different organization. The gateway does not use the registered propagators
 * of the process: without one, no context would be propagated.
 */
export function extractTraceContext(headers: ReadableHeaders): Context {
  const spanContext = parseTraceParent(headers.get('traceparent') ?? '');
  if (!spanContext) return ROOT_CONTEXT;
  const state = headers.get('tracestate');
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...spanContext,
    ...(state ? { traceState: createTraceState(state) } : {}),
  });
}

/** Read access to headers. */
export interface ReadableHeaders {
  get(name: string): string | null;
}

/** Returns the headers that propagate the context; empty without a valid one. */
export function toTraceHeaders(context: Context): Record<string, string> {
  const spanContext = trace.getSpanContext(context);
  if (!spanContext || !isSpanContextValid(spanContext)) return {};
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const state = traceState?.serialize();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    ...(state ? { tracestate: state } : {}),
  };
}

/** Version 00 has exactly these fields; a later version may have more. */
const TRACE_PARENT = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

function parseTraceParent(header: string): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', trailing] =
    TRACE_PARENT.exec(header.trim()) ?? [];
  if (version === '00' && trailing !== undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const spanContext = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
}
