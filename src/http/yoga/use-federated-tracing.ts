import { Trace } from '@apollo/usage-reporting-protobuf';
import { type ApolloInlineTracePluginOptions, useApolloInstrumentation } from '@graphql-yoga/plugin-apollo-inline-trace';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';

/** A longer one is left out: it would be larger than most answers. */
const MAX_TRACE_BYTES = 4 * 2 ** 20;

/** Fields and items of one trace: each takes several times as long as to resolve it, and is kept until the answer is complete. */
const MAX_TRACE_NODES = 30_000;

/**
 * Apollo's federated tracing: names and times of fields, and errors in our words; nothing of the answer. It wraps every resolver of the schema it is given, which
 * costs each operation: so it gets a schema of its own, and sees only operations that are traced. Writing the trace is ours: Yoga's own
 * plugin does it in a way that fails from some hundred kilobytes on, and takes the answer with it.
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
          if (tracing && operationTrace) operationTrace.nodes = new TraceNodes(operationTrace.nodes, tracing);
        },
        onExecutionResult({ request, context, result, setResult }) {
          const tracing = contexts.get(request);
          const trace = tracing?.traces.get(context)?.trace;
          if (!trace || tracing.stopped || !result || Symbol.asyncIterator in result) return;
          const bytes = Trace.encode(trace).finish();
          if (bytes.byteLength > MAX_TRACE_BYTES) return;
          const ftv1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
          setResult({ ...result, extensions: { ...result.extensions, ftv1 } });
        },
      });
    },
  };
}

/** The nodes of one trace. Tracing stops for good when there are too many. */
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
 * Leaves out what the plugin cannot place, for it throws then, and the whole answer would be lost: the error of a root field that was not
 * even called, since a variable does not fit its argument.
 */
const rewriteError: NonNullable<ApolloInlineTracePluginOptions['rewriteError']> = (error) =>
  error.path?.length === 1 && /^Argument "/.test(error.message) ? null : error;
