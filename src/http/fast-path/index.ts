import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { type CachedResponse, type OpenSession, type Session, toGatewayErrorResponse } from '#http/auth/session.ts';
import { parseDocumentId } from '#http/documents/document-id.ts';
import type { DocumentStore } from '#http/documents/document-store.ts';
import { NO_STORE, toPrivateMaxAge, VARY } from '#http/headers/cache-control.ts';
import { type MediaType, negotiateMediaType } from '#http/headers/media-type.ts';
import { waitToSerialize } from '#http/large-results.ts';
import type { CostInput } from '#http/limits/cost.ts';
import type { PendingBody } from '#http/limits/request-body-budget.ts';
import { PlainHeaders, type PlainRequest, type PlainResponse, type RequestHead } from '#http/message.ts';
import { EXECUTION_OPTIONS, isTraceRequested, withExtensions } from '#http/operation-result.ts';
import { type OnDrift, reportError, reportExecuted } from '#http/report-operation.ts';
import type { OperationScheduler } from '#http/scheduler.ts';
import type { OperationInfo, RequestObserver } from '#observability/request-observer.ts';
import { createRequestCache, type NumberedOperation, parseParams, type RequestParams } from './request-cache.ts';

export interface FastPathOptions {
  readonly schema: GraphQLSchema;
  /** Documents that have been parsed, by their text. */
  readonly parserCache: { get(text: string): DocumentNode | undefined };
  readonly documents: DocumentStore;
  /** Whether no documents are executed but those that are trusted. */
  readonly trustedOnly: boolean;
  readonly openSession: OpenSession;
  readonly scheduler: OperationScheduler;
  readonly maxBodyBytes: number;
  /** @throws for an operation that may bring too much */
  readonly checkCost: (costed: CostInput) => void;
  readonly upstreamTrace: boolean;
  readonly maskError: (error: unknown) => GraphQLError;
  readonly onDrift: OnDrift;
  /** The clock, ms. */
  readonly now: () => number;
}

/** A request that is not for here. What has been found out of it need not be found out again. */
export interface Fallthrough {
  readonly session: Session;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface FastPath {
  /** Notes that a document is valid and within the limits. */
  markValid(document: DocumentNode): void;
  /** Whether a request may be for here, as far as its head tells. */
  canHandle(head: RequestHead): boolean;
  /**
   * Answers it, refuses it, or passes it on.
   * @param pendingBody released by the caller when the request is answered
   * @throws what nobody foresaw, or what the client's leaving broke off
   */
  handle(
    request: PlainRequest,
    pendingBody: PendingBody,
    observer: RequestObserver,
  ): Promise<PlainResponse | Response | Fallthrough>;
}

/** What is neither asked for nor answered in the plainest way is for Yoga. */
const JSON_CONTENT_TYPE = /^application\/json(;\s*charset=utf-8)?$/;
const UNSUPPORTED_HEADERS = ['apollo-federation-include-trace', 'content-encoding'];

/**
 * The short way for what has been this way before: an operation by POST, in JSON, whose document Yoga has parsed, validated and measured. It is
 * executed, with nothing between: Yoga's way to the same answer, over two HTTP adapters and a list of plugins, takes several times as long as
 * GraphQL does. Whatever is odd about a request, or wrong with it, is passed on to Yoga as it came: so what is refused, and in which words, is
 * said in one place. `test/http/fast-path.test.ts` holds the two ways against each other.
 */
export function createFastPath(options: FastPathOptions): FastPath {
  const {
    schema,
    parserCache,
    documents,
    trustedOnly,
    openSession,
    scheduler,
    maxBodyBytes,
    upstreamTrace,
    checkCost,
    maskError,
    now,
  } = options;
  /** Each has a number, by which the keys of its answers name it. */
  const documentNumbers = new WeakMap<DocumentNode, number>();
  let lastDocumentNumber = 0;
  const requestCache = createRequestCache();

  return {
    markValid(document) {
      if (documentNumbers.has(document)) return;
      lastDocumentNumber += 1;
      documentNumbers.set(document, lastDocumentNumber);
    },
    canHandle({ method, headers }) {
      return (
        method === 'POST' &&
        JSON_CONTENT_TYPE.test(headers.get('content-type') ?? '') &&
        !(Number(headers.get('content-length') ?? 0) > maxBodyBytes) &&
        !UNSUPPORTED_HEADERS.some((name) => headers.has(name)) &&
        negotiateMediaType(headers.get('accept')) !== undefined
      );
    },
    async handle(request, pendingBody, observer) {
      let session: Session;
      try {
        session = await openSession(request);
        request.caller = session;
        pendingBody.reservation = session.reserveBody();
      } catch (error) {
        return toGatewayErrorResponse(error, request);
      }
      const mediaType = negotiateMediaType(request.headers.get('accept')) ?? 'application/json';
      let body: Uint8Array<ArrayBuffer>;
      try {
        body = await request.readBody(maxBodyBytes, pendingBody.reservation.add);
      } catch (error) {
        if (request.signal.aborted) throw error;
        return toGraphQLResponse({ errors: [maskError(error)] }, NO_STORE, mediaType, observer);
      }
      const isTraced = upstreamTrace && isTraceRequested(request.headers);
      // A long request waits for its turn before it becomes a text: many of them would fill the heap.
      const parsedRequest = body.byteLength <= MAX_CACHEABLE_REQUEST_BYTES ? requestCache.parse(decodeBody(body)) : undefined;
      let cacheKey = isTraced ? undefined : parsedRequest?.responseKeys?.keys[mediaType];
      let cachedResponse = cacheKey === undefined ? undefined : session.responseCache.get(cacheKey);
      let operation: WarmOperation | undefined;
      if (!cachedResponse) {
        operation = findWarmOperation(parsedRequest?.params);
        const currentKey =
          operation && parsedRequest && !isTraced ? requestCache.toResponseKeys(operation, parsedRequest)[mediaType] : undefined;
        if (currentKey !== undefined && currentKey !== cacheKey) cachedResponse = session.responseCache.get(currentKey);
        cacheKey = currentKey;
      }
      if (cachedResponse) {
        // An operation that finds all that it asks for in memory is not scheduled, but for a large body.
        if (typeof cachedResponse.body === 'string') scheduler.recordActivity(session.callerKey);
        else await waitForLargeResponseTurn(cachedResponse.body, session, request);
        return respondFromCache(cachedResponse, parsedRequest?.params, mediaType, observer);
      }
      await scheduler.waitForTurn(session);
      // Nothing is begun for who has left meanwhile.
      request.signal.throwIfAborted();
      if (!parsedRequest) operation = findWarmOperation(parseParams(decodeBody(body)));
      if (!operation || !isWithinCost(operation)) return { session, body };
      try {
        return await executeWarmOperation(operation, {
          session,
          cacheKey,
          isTraced,
          signal: request.signal,
          mediaType,
          observer,
        });
      } catch (error) {
        return toGatewayErrorResponse(error, request);
      }
    },
  };

  async function waitForLargeResponseTurn({ byteLength }: Uint8Array, session: Session, { signal }: PlainRequest): Promise<void> {
    await scheduler.waitForTurn(session, true);
    signal.throwIfAborted();
    // Its slices are sent after its turn.
    scheduler.charge(session, byteLength * SEND_MS_PER_BYTE);
  }

  /** As an operation that finds all that it asks for in memory. */
  function respondFromCache(
    { operation, body, freshUntil, dependencies }: CachedResponse,
    params: RequestParams | undefined,
    mediaType: MediaType,
    observer: RequestObserver,
  ): PlainResponse {
    observer.onOperation({ ...operation, variables: params?.variables ?? undefined });
    observer.onExecuteStart();
    observer.onExecuteEnd({ waitedMs: 0, upstreamRequests: 0, cacheHits: dependencies.length, coalesced: 0, stale: 0 });
    return {
      status: 200,
      headers: toResponseHeaders(mediaType, toPrivateMaxAge(Number.isFinite(freshUntil) ? freshUntil - now() : 0)),
      body,
    };
  }

  function findWarmOperation(params: RequestParams | undefined): WarmOperation | undefined {
    const text = params && toDocumentText(params, documents);
    const document = text === undefined || (trustedOnly && !documents.isTrusted(text)) ? undefined : parserCache.get(text);
    const documentNumber = document && documentNumbers.get(document);
    if (text === undefined || !document || documentNumber === undefined) return undefined;
    const operation = getOperationAST(document, params?.operationName);
    if (operation?.operation !== 'query') return undefined;
    const variables = params?.variables ?? undefined;
    return { text, document, documentNumber, operation, variables, name: params?.operationName };
  }

  function isWithinCost({ document, operation, variables }: WarmOperation): boolean {
    try {
      checkCost({ schema, document, operation, variables });
      return true;
    } catch {
      return false;
    }
  }

  async function executeWarmOperation(
    { text, document, operation, variables, name }: WarmOperation,
    request: FastPathExecution,
  ): Promise<PlainResponse> {
    const { session, cacheKey, isTraced, signal, mediaType, observer } = request;
    const operationInfo = { type: operation.operation, name: operation.name?.value, document: text, variables };
    observer.onOperation(operationInfo);
    const storeResponse = cacheKey === undefined ? undefined : session.responseCache.startStore(cacheKey);
    const context = session.createContext(signal, observer.trace);
    observer.onExecuteStart();
    let result: ExecutionResult;
    try {
      result = await execute({
        schema,
        document,
        contextValue: context,
        variableValues: variables,
        operationName: name,
        options: EXECUTION_OPTIONS,
      });
    } finally {
      context.end();
      reportExecuted(context, observer, options.onDrift);
    }
    await waitToSerialize(context, session, scheduler);
    // Nobody is there to be told.
    signal.throwIfAborted();
    const { cacheControl = NO_STORE, ...completeResult } = withExtensions(result, document, context, isTraced, now());
    const errors = completeResult.errors?.map(maskError);
    const response = toGraphQLResponse(
      errors ? { ...completeResult, errors } : completeResult,
      cacheControl,
      mediaType,
      observer,
    );
    if (storeResponse && !errors) cacheResponse(storeResponse, operationInfo, response.body, context);
    return response;
  }
}

/**
 * Only one that was found in memory, all of it: what was asked on the way there, to find out what an id names or where a list begins, would count
 * each time, and make the answer as old as that. Nor one with something live in it, nor with something odd, for that is counted each time.
 */
function cacheResponse(
  storeResponse: (response: CachedResponse) => void,
  operationInfo: OperationInfo,
  body: string,
  context: RequestContext,
): void {
  const { freshness, counts, dependencies } = context.usage;
  if (freshness.isLive || counts.cache !== dependencies.length || context.driftLog.drift.length > 0) return;
  const { variables: _, ...operation } = operationInfo;
  // All clients that a large body is sent to share its bytes.
  const storedBody = body.length > MAX_SMALL_BODY_LENGTH ? new TextEncoder().encode(body) : body;
  const bytes =
    2 * operationInfo.document.length + (typeof storedBody === 'string' ? 2 * storedBody.length : storedBody.byteLength);
  storeResponse({ operation, body: storedBody, freshUntil: freshness.freshUntil, dependencies, bytes });
}

/** A longer request is executed each time, bytes. */
const MAX_CACHEABLE_REQUEST_BYTES = 16_384;

function decodeBody({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

/** A longer body waits for its turn, and is kept as bytes. */
const MAX_SMALL_BODY_LENGTH = 65_536;

/** What a byte of a large body takes of the event loop to be sent, ms. */
const SEND_MS_PER_BYTE = 1e-6;

interface WarmOperation extends NumberedOperation {
  readonly text: string;
  readonly document: DocumentNode;
  readonly name: string | null | undefined;
}

interface FastPathExecution {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly mediaType: MediaType;
  readonly observer: RequestObserver;
  /** Under which its answer is kept; undefined: it is not. */
  readonly cacheKey: string | undefined;
  readonly isTraced: boolean;
}

/** The text of a document that comes in full, or by its name; both together are for Yoga to compare. */
function toDocumentText(params: RequestParams, documents: DocumentStore): string | undefined {
  const hasDocumentId = 'documentId' in params || (params.extensions && 'persistedQuery' in params.extensions);
  if (!hasDocumentId) return params.query ?? undefined;
  if (params.query) return undefined;
  try {
    const documentId = parseDocumentId(POST_REQUEST, params);
    return documentId && documents.get(documentId.id);
  } catch {
    return undefined;
  }
}

const POST_REQUEST = { method: 'POST', url: '' };

/** As Yoga makes an answer of a result. */
function toGraphQLResponse(
  result: ExecutionResult,
  cacheControl: string,
  mediaType: MediaType,
  observer: RequestObserver,
): PlainResponse & { readonly body: string } {
  reportError(result, observer);
  const { errors, data, extensions = {} } = result;
  const hasExtensions = Object.keys(extensions).length > 0;
  return {
    status: toHttpStatus(errors ?? [], mediaType),
    headers: toResponseHeaders(mediaType, cacheControl),
    body: JSON.stringify({
      ...(errors?.length ? { errors: errors.map(withoutHttpExtension) } : {}),
      ...('data' in result ? { data } : {}),
      ...(hasExtensions ? { extensions } : {}),
    }),
  };
}

function toResponseHeaders(mediaType: MediaType, cacheControl: string): PlainHeaders {
  return new PlainHeaders({ 'content-type': `${mediaType}; charset=utf-8`, 'cache-control': cacheControl, vary: VARY });
}

/** The highest that an error asks for. `spec`: not in `application/json`, whose clients take any other than 200 for a failure of the transport. */
function toHttpStatus(errors: readonly GraphQLError[], mediaType: MediaType): number {
  let status = 0;
  for (const { extensions } of errors) {
    const http = extensions.http as { readonly spec?: boolean; readonly status?: number } | undefined;
    if (http?.status && !(http.spec && mediaType === 'application/json')) status = Math.max(status, http.status);
  }
  return status || 200;
}

function withoutHttpExtension(error: GraphQLError) {
  const { extensions, ...serialized } = error.toJSON();
  const { http, ...otherExtensions } = extensions ?? {};
  return Object.keys(otherExtensions).length > 0 ? { ...serialized, extensions: otherExtensions } : serialized;
}

/** Notes what comes to be executed: it has been parsed, validated and measured, and need not be again. */
export function useFastPathRegistration(fastPath: FastPath): Plugin {
  return {
    onExecute({ args: { document } }) {
      fastPath.markValid(document);
    },
  };
}
