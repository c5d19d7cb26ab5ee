import { execute } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';

/** Ends an operation when its answer is complete, and says in `extensions` what the answer itself cannot. */
export function useOperation(): Plugin<RequestContext> {
  return {
    // There are none in the schema; one that is asked for all the same is refused after its context has been made.
    onSubscribe: ({ args: { contextValue } }) => contextValue.end(),
    onExecute({ args: { contextValue }, setExecuteFn }) {
      // Yoga's own executor says that a variable does not fit, but not which one.
      setExecuteFn(execute);
      return {
        onExecuteDone({ result, setResult }) {
          contextValue.end();
          if (Symbol.asyncIterator in result) return;
          const unrecognized = contextValue.oddities.reported;
          const pagination = contextValue.paginationNotes;
          if (unrecognized.length === 0 && pagination.length === 0) return;
          setResult({
            ...result,
            extensions: {
              ...result.extensions,
              ...(unrecognized.length > 0 ? { unrecognized } : {}),
              ...(pagination.length > 0 ? { pagination } : {}),
            },
          });
        },
      };
    },
  };
}
