import type { Plugin } from 'graphql-yoga';
import type { SessionContext } from '#http/auth/session.ts';
import { ownerOf } from '#http/message.ts';
import type { ParserCache } from './parser-cache.ts';

/**
 * Keeps documents that have been parsed, each on the share of the caller that has brought it: invented keys push out each other's, and a tenant its
 * own. Yoga looks them up.
 */
export function useParserCache(cache: ParserCache): Plugin<SessionContext> {
  return {
    onParse({ params: { source }, context: { session } }) {
      const text = source.toString();
      if (!session || cache.peek(text)) return;
      return ({ result }) => {
        if (result !== null && !(result instanceof Error)) cache.set(ownerOf(session), text, result);
      };
    },
    onExecute({ args: { document, contextValue } }) {
      const { session, params } = contextValue;
      const text = params.query;
      if (!text || !session || session.isCredentialAccepted()) return;
      return {
        // The first operation of a new client: by now it has a share of its own.
        onExecuteDone() {
          if (session.isCredentialAccepted()) cache.set(session.callerKey, text, document);
        },
      };
    },
  };
}
