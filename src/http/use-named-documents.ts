import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { type DocumentName, readDocumentName, toRefusedName } from './document-name.ts';
import { type Documents, toHash } from './documents.ts';
import { isRouterOperation } from './router-operation.ts';
import type { IsRouter } from './router-secret.ts';
import type { AdmittedContext } from './use-admission.ts';

export interface NamedDocumentsOptions {
  readonly documents: Documents;
  /** Whether no others are executed, but those that routers write. */
  readonly only: boolean;
  /** Whether a request has proved that it comes from a router. */
  readonly isRouter: IsRouter;
}

/**
 * Puts the text in the place of its name, before anything else looks at the document: what comes by name is parsed, limited and
 * validated like what comes in full. A text that comes with its SHA-256 can be named by it from then on, once it was executed for a
 * credential that the upstream accepts: an invalid text and an invented key cost their sender nothing, and must not push out anything.
 */
export function useNamedDocuments({
  documents,
  only,
  isRouter,
}: NamedDocumentsOptions): Plugin<AdmittedContext, AdmittedContext> {
  /** To be kept when they were executed. */
  const brought = new WeakMap<Request, string>();
  return {
    onParams({ request, params, setParams }) {
      const name = readDocumentName(request, params);
      if (!name) return;
      const known = documents.find(name.id);
      const sent: unknown = params.query;
      if (sent === undefined || sent === null || sent === '') {
        if (known === undefined) throw toNotFound(name);
        setParams({ ...params, query: known });
      } else if (typeof sent === 'string') {
        if (known === undefined ? toHash(sent) !== name.id : known !== sent) throw toContradiction(name);
        if (known === undefined && !only) brought.set(request, sent);
      }
    },
    onParse({ params: { source }, context: { request, params } }) {
      if (!only || documents.isTrusted(source.toString())) return;
      if (!isRouter(request.headers)) throw toUntrusted(NOT_TRUSTED);
      return ({ result }) => {
        const isParsed = result !== null && !(result instanceof Error);
        if (isParsed && !isRouterOperation(result, params.operationName)) throw toUntrusted(NOT_A_ROUTERS);
      };
    },
    onExecute({ args: { contextValue } }) {
      const { admission, request } = contextValue;
      const text = brought.get(request);
      if (text === undefined || !admission) return;
      return {
        onExecuteDone() {
          // By now: a new client's first operation has been accepted when it ends.
          if (admission.isAccepted()) documents.keep(admission.caller, text);
        },
      };
    },
  };
}

/**
 * The message, and for Apollo's protocol the status, are what clients go by: they send the text then. (Apollo Client gave up hashes for good
 * at a 400 until its version 3.8, and Apollo iOS stops at any status but 2xx.)
 */
function toNotFound({ isAutomatic }: DocumentName): GraphQLError {
  const http = isAutomatic ? { status: 200 } : { spec: true, status: 400 };
  return new GraphQLError('PersistedQueryNotFound', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', http } });
}

function toContradiction({ place }: DocumentName): GraphQLError {
  return toRefusedName(
    `\`${place}\` does not match the document in \`query\`: it has to be the SHA-256 of that, in hexadecimal, or to be left out.`,
  );
}

const NOT_TRUSTED =
  'This gateway executes only the documents that it trusts, and this is none of them: name one by its id in `documentId`, or send its exact text.';
const NOT_A_ROUTERS =
  'Of what this gateway does not know, a router may ask only `_entities` and `_service`: everything else has to be a document that it trusts.';

function toUntrusted(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN', http: { spec: true, status: 403 } } });
}
