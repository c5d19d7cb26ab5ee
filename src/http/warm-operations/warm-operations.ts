import { type DocumentNode, type GraphQLSchema, getOperationAST } from 'graphql';
import { hasHash, parseDocumentId } from '#http/documents/document-id.ts';
import type { DocumentStore } from '#http/documents/document-store.ts';
import type { CostInput } from '#http/limits/operation-cost.ts';
import type { OperationInfo } from '#observability/request-observer.ts';
import type { NumberedOperation, RequestParams } from './request-cache.ts';

/** An operation of a document that Yoga has already parsed, validated and measured. */
export interface WarmOperation extends NumberedOperation {
  readonly text: string;
  readonly document: DocumentNode;
  readonly name: string | undefined;
}

export interface WarmOperationsOptions {
  readonly schema: GraphQLSchema;
  /** Parsed documents, by their text. */
  readonly parserCache: { get(text: string): DocumentNode | undefined };
  readonly documents: DocumentStore;
  /** Whether only trusted documents are executed. */
  readonly trustedOnly: boolean;
  /** @throws for an operation over a cost limit */
  readonly checkCost: (input: CostInput) => void;
}

export interface WarmOperations {
  /** Records that a document is valid and within the limits that depend on it alone. */
  markValid(document: DocumentNode): void;
  /** Undefined for a request whose document is not warm, or that is not a query. */
  find(params: RequestParams | undefined): WarmOperation | undefined;
  /** Whether the operation is within the cost limits, with the variables of this request. */
  isWithinCost(operation: WarmOperation): boolean;
}

/**
 * Finds the warm operation of a request. The response cache and the fast path work on warm
 * operations only. Every other request goes to Yoga unchanged, including every malformed one: so
 * each rejection has one source and one wording.
 */
export function createWarmOperations({
  schema,
  parserCache,
  documents,
  trustedOnly,
  checkCost,
}: WarmOperationsOptions): WarmOperations {
  /** The keys of cached responses name a document by its number. */
  const documentNumbers = new WeakMap<DocumentNode, number>();
  let lastDocumentNumber = 0;

  return {
    markValid(document) {
      if (documentNumbers.has(document)) return;
      lastDocumentNumber += 1;
      documentNumbers.set(document, lastDocumentNumber);
    },
    find(params) {
      const text = params && toDocumentText(params, documents);
      const document =
        text === undefined || (trustedOnly && !documents.isTrusted(text))
          ? undefined
          : parserCache.get(text);
      const documentNumber = document && documentNumbers.get(document);
      if (text === undefined || !document || documentNumber === undefined) return undefined;
      // An empty name counts as absent.
      const name = params?.operationName || undefined;
      const operation = getOperationAST(document, name);
      if (operation?.operation !== 'query') return undefined;
      const variables = params?.variables ?? undefined;
      return { text, document, documentNumber, operation, variables, name };
    },
    isWithinCost({ document, operation, variables }) {
      try {
        checkCost({ schema, document, operation, variables });
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** What is reported of an operation, besides its variables. */
export function toOperationInfo({
  text,
  operation,
}: WarmOperation): Omit<OperationInfo, 'variables'> {
  return { type: operation.operation, name: operation.name?.value, document: text };
}

/**
 * The text of a document that is sent in full, or named by its id. A text with a hash goes to Yoga,
 * which compares them.
 */
function toDocumentText(params: RequestParams, documents: DocumentStore): string | undefined {
  if (params.query) return hasHash(params) ? undefined : params.query;
  try {
    const documentId = parseDocumentId(POST_REQUEST, params);
    return documentId && documents.get(documentId.id);
  } catch {
    return undefined;
  }
}

const POST_REQUEST = { method: 'POST', url: '' };
