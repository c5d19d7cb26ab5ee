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
import {
  type CachedResponse,
  type OpenSession,
  type Session,
  toGatewayErrorResponse,
} from '#http/auth/session.ts';
import { parseDocumentId } from '#http/documents/document-id.ts';
import type { DocumentStore } from '#http/documents/document-store.ts';
import { NO_STORE, toPrivateMaxAge, VARY } from '#http/headers/cache-control.ts';
import { type MediaType, negotiateMediaType } from '#http/headers/media-type.ts';
import { waitToSerialize } from '#http/large-results.ts';
import type { CostInput } from '#http/limits/cost.ts';
import type { PendingBody } from '#http/limits/request-body-budget.ts';
import {
  PlainHeaders,
  type PlainRequest,
  type PlainResponse,
  type RequestHead,
} from '#http/message.ts';
import { EXECUTION_OPTIONS, isTraceRequested, withExtensions } from '#http/operation-result.ts';
import { type OnDrift, reportError, reportExecuted } from '#http/report-operation.ts';
import type { OperationScheduler } from '#http/scheduler.ts';
import type { OperationInfo, RequestObserver } from '#observability/request-observer.ts';
import {
  createRequestCache,
  type NumberedOperation,
  parseParams,
  type RequestParams,
} from './request-cache.ts';

export interface FastPathOptions {
  readonly schema: GraphQLSchema;
  /** Parsed documents, by their text. */
  readonly parserCache: { get(text: string): DocumentNode | undefined };
  readonly documents: DocumentStore;
  /** Whether only trusted documents are executed. */
  readonly trustedOnly: boolean;
  readonly openSession: OpenSession;
  readonly scheduler: OperationScheduler;
  readonly maxBodyBytes: number;
  /** @throws for an operation over a cost limit */
  readonly checkCost: (input: CostInput) => void;
  readonly upstreamTrace: boolean;
  readonly maskError: (error: unknown) => GraphQLError;
  readonly onDrift: OnDrift;
  /** Current time, in ms. */
  readonly now: () => number;
}

/** A request that Yoga must handle, with what was already read so that Yoga need not repeat it. */
export interface Fallthrough {
  readonly session: Session;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface FastPath {
  /** Records that a document is valid and within the limits. */
  markValid(document: DocumentNode): void;
  /** Whether the fast path may handle a request, as far as its head shows. */
  canHandle(head: RequestHead): boolean;
  /**
   * Responds to the request, rejects it, or returns a `Fallthrough`.
   * @param pendingBody its reservation is released by the caller of this function when the response
   * is complete
   * @throws an unexpected error, or the reason of the signal when the client has disconnected
   */
  handle(
    request: PlainRequest,
    pendingBody: PendingBody,
    observer: RequestObserver,
  ): Promise<PlainResponse | Response | Fallthrough>;
}

/** Requests with another content type, or with one of these headers, go to Yoga. */
const JSON_CONTENT_TYPE = /^application\/json(;\s*charset=utf-8)?$/;
const UNSUPPORTED_HEADERS = ['apollo-federation-include-trace', 'content-encoding'];

/**
 * Fast path for warm operations: a JSON POST whose document Yoga has already parsed, validated and
 * measured is executed directly. Yoga's pipeline to the same response, through two HTTP adapters
 * and a list of plugins, takes several times as long as GraphQL does.
 *
 * Everything else falls through to Yoga unchanged, including every malformed request: so each
 * rejection has one source and one wording. `test/http/fast-path.test.ts` compares the two
 * pipelines.
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
  /** The keys of cached responses name a document by its number. */
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
      // A long request waits for its turn before it is decoded: many decoded requests would fill
      // the heap.
      const parsedRequest =
        body.byteLength <= MAX_CACHEABLE_REQUEST_BYTES
          ? requestCache.parse(decodeBody(body))
          : undefined;
      let cacheKey = isTraced ? undefined : parsedRequest?.responseKeys?.keys[mediaType];
      let cachedResponse = cacheKey === undefined ? undefined : session.responseCache.get(cacheKey);
      let operation: WarmOperation | undefined;
      if (!cachedResponse) {
        operation = findWarmOperation(parsedRequest?.params);
        const currentKey =
          operation && parsedRequest && !isTraced
            ? requestCache.toResponseKeys(operation, parsedRequest)[mediaType]
            : undefined;
        if (currentKey !== undefined && currentKey !== cacheKey)
          cachedResponse = session.responseCache.get(currentKey);
        cacheKey = currentKey;
      }
      if (cachedResponse) {
        // A cached response is sent without scheduling, unless its body is large.
        if (typeof cachedResponse.body === 'string') scheduler.recordActivity(session.callerKey);
        else await waitForLargeResponseTurn(cachedResponse.body, session, request);
        return respondFromCache(cachedResponse, parsedRequest?.params, mediaType, observer);
      }
      await scheduler.waitForTurn(session);
      // The client may have disconnected while the request waited.
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

  async function waitForLargeResponseTurn(
    { byteLength }: Uint8Array,
    session: Session,
    { signal }: PlainRequest,
  ): Promise<void> {
    await scheduler.waitForTurn(session, true);
    signal.throwIfAborted();
    // The slices are sent after the turn, so the scheduler does not measure their time.
    scheduler.charge(session, byteLength * SEND_MS_PER_BYTE);
  }

  /**
   * Reports a cached response to the observer like an execution that finds everything in memory.
   */
  function respondFromCache(
    { operation, body, freshUntil, dependencies }: CachedResponse,
    params: RequestParams | undefined,
    mediaType: MediaType,
    observer: RequestObserver,
  ): PlainResponse {
    observer.onOperation({ ...operation, variables: params?.variables ?? undefined });
    observer.onExecuteStart();
    observer.onExecuteEnd({
      waitedMs: 0,
      upstreamRequests: 0,
      cacheHits: dependencies.length,
      coalesced: 0,
      stale: 0,
    });
    return {
      status: 200,
      headers: toResponseHeaders(
        mediaType,
        toPrivateMaxAge(Number.isFinite(freshUntil) ? freshUntil - now() : 0),
      ),
      body,
    };
  }

  function findWarmOperation(params: RequestParams | undefined): WarmOperation | undefined {
    const text = params && toDocumentText(params, documents);
    const document =
      text === undefined || (trustedOnly && !documents.isTrusted(text))
        ? undefined
        : parserCache.get(text);
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
    const operationInfo = {
      type: operation.operation,
      name: operation.name?.value,
      document: text,
      variables,
    };
    observer.onOperation(operationInfo);
    const storeResponse =
      cacheKey === undefined ? undefined : session.responseCache.startStore(cacheKey);
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
    // The client has disconnected: skip the serialization.
    signal.throwIfAborted();
    const { cacheControl = NO_STORE, ...completeResult } = withExtensions(
      result,
      document,
      context,
      isTraced,
      now(),
    );
    const errors = completeResult.errors?.map(maskError);
    const response = toGraphQLResponse(
      errors ? { ...completeResult, errors } : completeResult,
      cacheControl,
      mediaType,
      observer,
    );
    if (storeResponse && !errors)
      cacheResponse(storeResponse, operationInfo, response.body, context);
    return response;
  }
}

/**
 * Stores a response only if all its look-ups were cache hits and all of them are its dependencies.
 * A first execution makes look-ups on the way (what an id names, where a list begins), which would
 * be counted at each replay and would make the response as old as they are. A response with live
 * data is not stored either, nor one with drift, because each occurrence of drift is counted.
 */
function cacheResponse(
  storeResponse: (response: CachedResponse) => void,
  operationInfo: OperationInfo,
  body: string,
  context: RequestContext,
): void {
  const { freshness, counts, dependencies } = context.usage;
  if (freshness.isLive || counts.cache !== dependencies.length || context.driftLog.drift.length > 0)
    return;
  const { variables: _, ...operation } = operationInfo;
  // All clients that receive a large body share its bytes.
  const storedBody = body.length > MAX_SMALL_BODY_LENGTH ? new TextEncoder().encode(body) : body;
  const bytes =
    2 * operationInfo.document.length +
    (typeof storedBody === 'string' ? 2 * storedBody.length : storedBody.byteLength);
  storeResponse({
    operation,
    body: storedBody,
    freshUntil: freshness.freshUntil,
    dependencies,
    bytes,
  });
}

/** A longer request is parsed and executed each time. */
const MAX_CACHEABLE_REQUEST_BYTES = 16_384;

function decodeBody({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

/** A longer cached body waits for its turn, and is stored as bytes. In UTF-16 code units. */
const MAX_SMALL_BODY_LENGTH = 65_536;

/** Event-loop time that sending a byte of a large body takes. */
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
  /** The key under which the response is stored. Undefined if it is not stored. */
  readonly cacheKey: string | undefined;
  readonly isTraced: boolean;
}

/**
 * The text of a document that is sent in full, or named by its id. A request with both goes to
 * Yoga, which compares them.
 */
function toDocumentText(params: RequestParams, documents: DocumentStore): string | undefined {
  const hasDocumentId =
    'documentId' in params || (params.extensions && 'persistedQuery' in params.extensions);
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

/** Makes the same response of a result as Yoga does. */
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
  return new PlainHeaders({
    'content-type': `${mediaType}; charset=utf-8`,
    'cache-control': cacheControl,
    vary: VARY,
  });
}

/**
 * The highest status that an error requests. `spec`: ignored for `application/json`, whose clients
 * take every status but 200 for a failure of the transport.
 */
function toHttpStatus(errors: readonly GraphQLError[], mediaType: MediaType): number {
  let status = 0;
  for (const { extensions } of errors) {
    const http = extensions.http as
      | { readonly spec?: boolean; readonly status?: number }
      | undefined;
    if (http?.status && !(http.spec && mediaType === 'application/json'))
      status = Math.max(status, http.status);
  }
  return status || 200;
}

function withoutHttpExtension(error: GraphQLError) {
  const { extensions, ...serialized } = error.toJSON();
  const { http, ...otherExtensions } = extensions ?? {};
  return Object.keys(otherExtensions).length > 0
    ? { ...serialized, extensions: otherExtensions }
    : serialized;
}

/** Marks each document that Yoga executes as valid: it has been parsed, validated and measured. */
export function useFastPathRegistration(fastPath: FastPath): Plugin {
  return {
    onExecute({ args: { document } }) {
      fastPath.markValid(document);
    },
  };
}
