import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { IsRouter } from '#http/auth/router-secret.ts';
import type { SessionContext } from '#http/auth/session.ts';
import { type DocumentId, invalidDocumentId, parseDocumentId } from './document-id.ts';
import { type DocumentStore, toSha256 } from './document-store.ts';
import { isFederationOperation } from './federation-operation.ts';

export interface PersistedDocumentsOptions {
  readonly documents: DocumentStore;
  /** Whether no others are executed, but those that routers write. */
  readonly trustedOnly: boolean;
  /** Whether a request has proved that it comes from a router. */
  readonly isRouter: IsRouter;
}

/**
 * Puts the text in the place of its name, before anything else looks at the document: what comes by name is parsed, limited and
 * validated like what comes in full. A text that comes with its SHA-256 can be named by it from then on, once it was executed for a
 * credential that the upstream accepts: an invalid text and an invented key cost their sender nothing, and must not push out anything.
 */
export function usePersistedDocuments({
  documents,
  trustedOnly,
  isRouter,
}: PersistedDocumentsOptions): Plugin<SessionContext, SessionContext> {
  /** To be kept when they were executed. */
  const pendingRegistrations = new WeakMap<Request, string>();
  return {
    onParams({ request, params, setParams }) {
      const documentId = parseDocumentId(request, params);
      if (!documentId) return;
      const storedText = documents.get(documentId.id);
      const sentText: unknown = params.query;
      if (sentText === undefined || sentText === null || sentText === '') {
        if (storedText === undefined) throw persistedQueryNotFound(documentId);
        setParams({ ...params, query: storedText });
      } else if (typeof sentText === 'string') {
        if (storedText === undefined ? toSha256(sentText) !== documentId.id : storedText !== sentText)
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
      const { session, request } = contextValue;
      const text = pendingRegistrations.get(request);
      if (text === undefined || !session) return;
      return {
        onExecuteDone() {
          // By now: a new client's first operation has been accepted when it ends.
          if (session.isCredentialAccepted()) documents.register(session.callerKey, text);
        },
      };
    },
  };
}

/**
 * The message, and for Apollo's protocol the status, are what clients go by: they send the text then. (Apollo Client gave up hashes for good
 * at a 400 until its version 3.8, and Apollo iOS stops at any status but 2xx.)
 */
function persistedQueryNotFound({ isApq }: DocumentId): GraphQLError {
  const http = isApq ? { status: 200 } : { spec: true, status: 400 };
  return new GraphQLError('PersistedQueryNotFound', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', http } });
}

function documentIdMismatch({ source }: DocumentId): GraphQLError {
  return invalidDocumentId(
    `\`${source}\` does not match the document in \`query\`: it has to be the SHA-256 of that, in hexadecimal, or to be left out.`,
  );
}

const UNTRUSTED_DOCUMENT_MESSAGE =
  'This gateway executes only the documents that it trusts, and this is none of them: name one by its id in `documentId`, or send its exact text.';
const UNTRUSTED_ROUTER_DOCUMENT_MESSAGE =
  'Of what this gateway does not know, a router may ask only `_entities` and `_service`: everything else has to be a document that it trusts.';

function untrustedDocument(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN', http: { spec: true, status: 403 } } });
}
