import type { Plugin } from 'graphql-yoga';
import type { SessionContext } from '#http/auth/session.ts';
import { ownerOf } from '#http/message.ts';
import type { ParserCache } from './parser-cache.ts';

/**
 * Caches parsed documents, each on the share of the caller that sent it: documents of invented keys
 * evict each other, and those of a tenant evict its own. Yoga looks them up.
 */
export function useParserCache(cache: ParserCache): Plugin<SessionContext> {
  return {
    onParse({ params: { source }, context: { session } }) {
      const text = source.toString();
      if (!session || cache.peek(text)) return;
      return ({ result }) => {
        if (result !== null && !(result instanceof Error))
          cache.set(ownerOf(session), text, result);
      };
    },
    onExecute({ args: { document, contextValue } }) {
      const { session, params } = contextValue;
      const text = params.query;
      if (!text || !session || session.isCredentialAccepted()) return;
      return {
        // The first operation of a new client: the upstream has accepted its credential meanwhile,
        // so the client has its own share.
        onExecuteDone() {
          if (session.isCredentialAccepted()) cache.set(session.callerKey, text, document);
        },
      };
    },
  };
}
