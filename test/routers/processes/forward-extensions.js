// A plugin of Hive Gateway that returns the extensions of the subgraph `revox` to the client.
const KEYS = ['pagination', 'unrecognized'];

export function forwardExtensions() {
  const collected = new WeakMap(); // the context of a client's request → its extensions
  return {
    onSubgraphExecute({ subgraphName, executionRequest: { context } }) {
      if (subgraphName !== 'revox' || !context) return undefined;
      return ({ result }) => {
        const extensions = collected.get(context) ?? {};
        for (const key of KEYS)
          if (result.extensions?.[key])
            extensions[key] = [...(extensions[key] ?? []), ...result.extensions[key]];
        collected.set(context, extensions);
      };
    },
    onExecute: ({ args: { contextValue } }) => ({
      onExecuteDone({ result, setResult }) {
        const extensions = collected.get(contextValue);
        if (extensions && Object.keys(extensions).length > 0)
          setResult({ ...result, extensions: { ...result.extensions, ...extensions } });
      },
    }),
  };
}
