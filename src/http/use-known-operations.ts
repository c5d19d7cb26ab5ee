import type { Plugin } from 'graphql-yoga';
import type { KnownOperations } from './known-operations.ts';

/** Notes what comes to be executed: it has been parsed, validated and measured, and need not be again. */
export function useKnownOperations(known: KnownOperations): Plugin {
  return {
    onExecute({ args: { document } }) {
      known.add(document);
    },
  };
}
