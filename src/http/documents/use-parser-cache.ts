import type { Plugin } from 'graphql-yoga';
import type { SessionContext } from '#http/auth/session.ts';
import { ownerOf } from '#http/message.ts';
import type { ParserCache } from './parser-cache.ts';

/**
 * Caches parsed documents, each counted against its owner's share: a full cache evicts documents of
 * the owner with the most bytes first, and all unaccepted credentials together are one owner. This
 * plugin only writes the cache: Yoga itself reads it, as its `documentCache`.
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
        // After a new client's first operation the upstream has accepted its credential: the
        // document moves from the shared owner to the client.
        onExecuteDone() {
          if (session.isCredentialAccepted()) cache.set(session.callerKey, text, document);
        },
      };
    },
  };
}
