import { Trace } from '@apollo/usage-reporting-protobuf';
import {
  type ApolloInlineTracePluginOptions,
  useApolloInstrumentation,
} from '@graphql-yoga/plugin-apollo-inline-trace';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';

/**
 * Maximum size of a trace. A larger one is left out, because it would be larger than most
 * responses.
 */
const MAX_TRACE_BYTES = 4 * 2 ** 20;

/**
 * Maximum fields and items of one trace. To record one takes several times as long as to resolve
 * it, and the record stays in memory until the response is complete.
 */
const MAX_TRACE_NODES = 30_000;

/**
 * Apollo's federated tracing: names and timings of fields, and the gateway's own error messages; no
 * data of the response. Tracing wraps every resolver of its schema, which slows all operations of
 * this schema. So tracing has a schema of its own, and only traced operations use it. The gateway
 * writes the trace itself: Yoga's own plugin fails from some hundred kilobytes on, and the response
 * fails with it.
 */
export function useFederatedTracing(): Plugin<YogaInitialContext> {
  const [instrumentation, contexts] = useApolloInstrumentation({ rewriteError });
  return {
    onPluginInit({ addPlugin }) {
      addPlugin(instrumentation);
      addPlugin({
        onExecute({ args: { contextValue } }) {
          const tracing = contexts.get(contextValue.request);
          const operationTrace = tracing?.traces.get(contextValue);
          if (tracing && operationTrace)
            operationTrace.nodes = new TraceNodes(operationTrace.nodes, tracing);
        },
        onExecutionResult({ request, context, result, setResult }) {
          const tracing = contexts.get(request);
          const trace = tracing?.traces.get(context)?.trace;
          if (!trace || tracing.stopped || !result || Symbol.asyncIterator in result) return;
          const bytes = Trace.encode(trace).finish();
          if (bytes.byteLength > MAX_TRACE_BYTES) return;
          const ftv1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
            'base64',
          );
          setResult({ ...result, extensions: { ...result.extensions, ftv1 } });
        },
      });
    },
  };
}

/** The nodes of one trace. Too many nodes end its tracing. */
class TraceNodes extends Map<string, Trace.Node> {
  readonly #tracing: { stopped: boolean };

  constructor(nodes: ReadonlyMap<string, Trace.Node>, tracing: { stopped: boolean }) {
    super();
    this.#tracing = tracing;
    for (const [path, node] of nodes) this.set(path, node);
  }

  override set(path: string, node: Trace.Node): this {
    if (this.size >= MAX_TRACE_NODES) this.#tracing.stopped = true;
    return super.set(path, node);
  }
}

/**
 * Drops errors of root fields whose argument is invalid. The resolver of such a field was not
 * called, so the plugin has no trace node for it. The plugin would throw, and the whole response
 * would be lost.
 */
const rewriteError: NonNullable<ApolloInlineTracePluginOptions['rewriteError']> = (error) =>
  error.path?.length === 1 && /^Argument "/.test(error.message) ? null : error;
