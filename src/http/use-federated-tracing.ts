import { Trace } from '@apollo/usage-reporting-protobuf';
import { type ApolloInlineTracePluginOptions, useApolloInstrumentation } from '@graphql-yoga/plugin-apollo-inline-trace';
import type { Plugin } from 'graphql-yoga';

/** A longer one is left out: it would be larger than most answers. */
const MOST_TRACE_BYTES = 4 * 2 ** 20;

/**
 * Apollo's federated tracing: names and times of fields, and errors in our words; nothing of the answer. It wraps every resolver of the schema it is given, which
 * costs each operation: so it gets a schema of its own, and sees only operations that are traced. Writing the trace is ours: Yoga's own
 * plugin does it in a way that fails from some hundred kilobytes on, and takes the answer with it.
 */
export function useFederatedTracing(): Plugin {
  const [instrumentation, contexts] = useApolloInstrumentation({ rewriteError });
  return {
    onPluginInit({ addPlugin }) {
      addPlugin(instrumentation);
      addPlugin({
        onExecutionResult({ request, context, result, setResult }) {
          const trace = contexts.get(request)?.traces.get(context)?.trace;
          if (!trace || !result || Symbol.asyncIterator in result) return;
          const bytes = Trace.encode(trace).finish();
          if (bytes.byteLength > MOST_TRACE_BYTES) return;
          const ftv1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
          setResult({ ...result, extensions: { ...result.extensions, ftv1 } });
        },
      });
    },
  };
}

/**
 * Leaves out what the plugin cannot place, for it throws then, and the whole answer would be lost: the error of a root field that was not
 * even called, since a variable does not fit its argument.
 */
const rewriteError: NonNullable<ApolloInlineTracePluginOptions['rewriteError']> = (error) =>
  error.path?.length === 1 && /^Argument "/.test(error.message) ? null : error;
