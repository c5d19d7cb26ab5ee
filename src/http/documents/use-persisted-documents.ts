import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { IsRouter } from '#http/auth/router-secret.ts';
import type { Session, SessionContext } from '#http/auth/session.ts';
import {
  type DocumentId,
  hasQuery,
  invalidDocumentId,
  parseDocumentId,
  type RawParams,
} from './document-id.ts';
import { type DocumentStore, toSha256 } from './document-store.ts';
import { isFederationOperation } from './federation-operation.ts';

export interface PersistedDocumentsOptions {
  readonly documents: DocumentStore;
  /** Whether only trusted documents are executed, besides the federation operations of routers. */
  readonly trustedOnly: boolean;
  /** Whether a request carries a router's secret. */
  readonly isRouter: IsRouter;
}

/**
 * Persisted documents: trusted documents, and automatic persisted queries (APQ). Replaces the id of
 * a document with its text, before any other plugin reads the document: a document that is sent by
 * its id is parsed, limited and validated like one that is sent in full.
 *
 * A request can send a document together with its SHA-256. The gateway registers this document
 * after its execution, if the credential is accepted. Without this condition, a client could evict
 * registered documents with invalid ones, or with any number of unaccepted credentials.
 */
export function usePersistedDocuments({
  documents,
  trustedOnly,
  isRouter,
}: PersistedDocumentsOptions): Plugin<SessionContext, SessionContext> {
  /** Documents to register after their execution. */
  const pendingRegistrations = new WeakMap<Request, string>();
  return {
    onParams({ request, params, setParams }) {
      const rawParams: RawParams = { ...params };
      const documentId = parseDocumentId(request, rawParams);
      if (!documentId) return;
      const storedText = documents.get(documentId.id);
      const sentText = rawParams.query;
      if (!hasQuery(rawParams)) {
        if (storedText === undefined) throw persistedQueryNotFound(documentId);
        setParams({ ...params, query: storedText });
      } else if (typeof sentText === 'string') {
        if (
          storedText === undefined ? toSha256(sentText) !== documentId.id : storedText !== sentText
        )
          throw documentIdMismatch(documentId);
        if (storedText === undefined && !trustedOnly) pendingRegistrations.set(request, sentText);
      }
    },
    onParse({ params: { source }, context: { request, params } }) {
      if (!trustedOnly || documents.isTrusted(source.toString())) return;
      if (!isRouter(request.headers)) throw untrustedDocument(UNTRUSTED_DOCUMENT_MESSAGE);
      return ({ result }) => {
        const isParsed = result !== null && !(result instanceof Error);
        if (isParsed && !isFederationOperation(result, params.operationName))
          throw untrustedDocument(UNTRUSTED_ROUTER_DOCUMENT_MESSAGE);
      };
    },
    onExecute({ args: { contextValue } }) {
      // After the execution, because a new client's first operation makes the upstream accept its
      // credential.
      if (!pendingRegistrations.has(contextValue.request)) return;
      return { onExecuteDone: () => register(contextValue) };
    },
    // A subscription of a credential that is not accepted yet is registered when it is sent again.
    onSubscribe({ args: { contextValue } }) {
      return { onSubscribeResult: () => register(contextValue) };
    },
  };

  function register({ session, request }: { session?: Session; request: Request }): void {
    const text = pendingRegistrations.get(request);
    if (text !== undefined && session?.isCredentialAccepted())
      documents.register(session.callerKey, text);
  }
}

/**
 * The error for an unknown id. Clients recognize its message and, with APQ, its status, and then
 * send the document. (After a 400, Apollo Client before 3.8 never sends hashes again. Apollo iOS
 * stops after any status but 2xx.)
 */
function persistedQueryNotFound({ isApq }: DocumentId): GraphQLError {
  const http = isApq ? { status: 200 } : { spec: true, status: 400 };
  return new GraphQLError('PersistedQueryNotFound', {
    extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', http },
  });
}

function documentIdMismatch({ source }: DocumentId): GraphQLError {
  return invalidDocumentId(
    `\`${source}\` does not match the document in \`query\`: it must be the SHA-256 of that document, in hexadecimal, or be left out.`,
  );
}

const UNTRUSTED_DOCUMENT_MESSAGE =
  'This gateway executes only trusted documents, and this document is not one of them: name a trusted document by its id in `documentId`, or send its exact text.';
const UNTRUSTED_ROUTER_DOCUMENT_MESSAGE =
  'A router may send a document that is not trusted only for `_entities` and `_service`: every other document must be a trusted one.';

function untrustedDocument(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'FORBIDDEN', http: { spec: true, status: 403 } },
  });
}
