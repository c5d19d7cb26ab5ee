import type { Plugin } from 'graphql-yoga';
import type { DocumentCache } from './document-cache.ts';
import { ownerOf } from './exchange.ts';
import type { AdmittedContext } from './use-admission.ts';

/**
 * Keeps documents that have been parsed, each on the share of the caller that has brought it: invented keys push out each other's, and a tenant its
 * own. Yoga looks them up.
 */
export function useDocumentCache(cache: DocumentCache): Plugin<AdmittedContext> {
  return {
    onParse({ params: { source }, context: { admission } }) {
      const text = source.toString();
      if (!admission || cache.peek(text)) return;
      return ({ result }) => {
        if (result !== null && !(result instanceof Error)) cache.set(ownerOf(admission), text, result);
      };
    },
    onExecute({ args: { document, contextValue } }) {
      const { admission, params } = contextValue;
      const text = params.query;
      if (!text || !admission || admission.isAccepted()) return;
      return {
        // The first operation of a new client: by now it has a share of its own.
        onExecuteDone() {
          if (admission.isAccepted()) cache.set(admission.caller, text, document);
        },
      };
    },
  };
}
