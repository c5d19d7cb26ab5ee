import { hasLoopbackHost } from '#http/auth/host-check.ts';
import { type IsRouter, isFederatedTraceRequested } from '#http/auth/router-secret.ts';
import { NO_STORE, VARY } from '#http/headers/cache-control.ts';
import { createCors } from '#http/headers/cors.ts';
import { setSecurityHeaders } from '#http/headers/security-headers.ts';
import type { UnsentResponseBudget } from '#http/limits/unsent-response-budget.ts';
import { createGraphQLServer, type GraphQLServerOptions } from '#http/yoga/server.ts';
import type { ObserveRequest, RequestObserver } from '#observability/request-observer.ts';
import { createCompress } from './compression.ts';
import { errorCodeOf, toErrorResponse } from './error-response.ts';
import {
  callerOf,
  type Handler,
  type HeaderReader,
  type HeaderWriter,
  ownerOf,
  type PlainRequest,
  type PlainResponse,
  type RequestHead,
  recordCaller,
  toPlainRequest,
  toResponse,
} from './message.ts';
import { createProbes, PROBE_PATHS, type ProbesOptions } from './probes.ts';

export interface HandlerOptions extends Omit<GraphQLServerOptions, 'endpoint'>, ProbesOptions {
  /** Whether a request carries the secret of a router. */
  readonly isRouter: IsRouter;
  /** Answer only requests to `localhost`, `127.0.0.1` and `[::1]`. */
  readonly isLoopbackOnly: boolean;
  /** Origins whose pages may read answers, besides the gateway's own. */
  readonly corsOrigins: readonly string[];
  /** Whether answers are compressed for clients that take it; false: that is left to what stands in front. */
  readonly compression: boolean;
  /** Whether operations that have come before go past Yoga. */
  readonly fastPath: boolean;
  readonly unsentBudget: Pick<UnsentResponseBudget, 'reserve'>;
  /** Begins to watch a request: all of them are told of, whatever becomes of them. */
  readonly observeRequest: ObserveRequest;
}

export const GRAPHQL_ENDPOINT = '/graphql';

/** Who may enter, how much they may bring, and what they are told when something fails. */
export function createHandler(options: HandlerOptions): Handler {
  const cors = createCors(options.corsOrigins);
  const graphqlServer = createGraphQLServer({ ...options, endpoint: GRAPHQL_ENDPOINT });
  const compress = options.compression ? createCompress() : undefined;
  const handleProbe = createProbes(options);
  /** The last one that was read: clients ask at the same place again and again. */
  let lastURL: { readonly text: string; readonly url: URL | null } | undefined;
  const canHandlePlain = (head: RequestHead) =>
    options.fastPath && ENDS_WITH_ENDPOINT.test(head.url) && graphqlServer.canHandlePlain(head);
  const handlePlain = (request: PlainRequest) =>
    respond(request, (url, observer) => route(request, url, () => graphqlServer.handlePlain(request, observer)));
  return {
    canHandlePlain,
    handlePlain,
    async fetch(request) {
      if (canHandlePlain(request)) {
        const asked = toPlainRequest(request);
        const answered = await handlePlain(asked);
        if (asked.caller) recordCaller(request, asked.caller);
        return toResponse(answered);
      }
      return respond(request, (url, observer) =>
        route(request, url, () =>
          graphqlServer.fetch(request, observer, isFederatedTraceRequested(request.headers, options.isRouter)),
        ),
      );
    },
    reserveUnsent(request, bytes) {
      const caller = callerOf(request);
      return options.unsentBudget.reserve(caller ? ownerOf(caller) : PUBLIC_OWNER, bytes);
    },
  };

  async function respond<Reply extends PlainResponse | Response>(
    request: RequestHead & { readonly signal: AbortSignal },
    createResponse: (url: URL | null, observer: RequestObserver) => Promise<Reply | Response>,
  ): Promise<Reply | Response> {
    const url = parseUrl(request.url);
    const observer = options.observeRequest(request, url && ROUTES.has(url.pathname) ? url.pathname : UNKNOWN_ROUTE);
    try {
      const response = await createResponse(url, observer);
      setSecurityHeaders(response.headers, graphqlServer.pageContentSecurityPolicy);
      response.headers.set('x-request-id', observer.requestId);
      const encodedResponse = compress ? await compress(request, response) : response;
      const errorCode = errorCodeOf(encodedResponse) ?? errorCodeOf(response);
      if (errorCode) observer.onError(errorCode);
      observer.onResponse(encodedResponse.status);
      return encodedResponse;
    } catch (error) {
      if (request.signal.aborted) {
        observer.onClientDisconnect();
        throw error;
      }
      const response = toInternalError(error);
      observer.onError('INTERNAL_SERVER_ERROR');
      observer.onResponse(response.status);
      return response;
    }
  }

  function parseUrl(text: string): URL | null {
    if (lastURL?.text !== text) lastURL = { text, url: URL.parse(text) };
    return lastURL.url;
  }

  /** Something that nobody foresaw, in what stands around the operation. */
  function toInternalError(error: unknown): Response {
    options.onUnexpectedError(error);
    const response = toErrorResponse('INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.', { status: 500 });
    setSecurityHeaders(response.headers, undefined);
    return response;
  }

  async function route<Reply extends PlainResponse | Response>(
    request: RequestHead & { readonly signal: AbortSignal },
    url: URL | null,
    execute: () => Promise<Reply | Response>,
  ): Promise<Reply | Response> {
    if (!url) {
      return toErrorResponse('BAD_USER_INPUT', 'The Host header, with the path, makes no URL.', { status: 400 });
    }
    if (options.isLoopbackOnly && !hasLoopbackHost(url, request.headers)) {
      return toErrorResponse('FORBIDDEN', 'This gateway answers only localhost: it holds an API key and asks for none.', {
        status: 403,
      });
    }
    // Yoga takes any URL that ends like its endpoint for it. Only what is named here gets so far.
    if (!ROUTES.has(url.pathname)) return toNotFound(url.pathname, request.headers);
    if (url.pathname !== GRAPHQL_ENDPOINT) return handleProbe(url.pathname, request);
    const response = cors.handlePreflight(request) ?? (await ask(request, execute));
    setCacheHeaders(response.headers, isFederatedTraceRequested(request.headers, options.isRouter));
    cors.setAllowOrigin(request, response.headers);
    return response;
  }

  async function ask<Reply extends PlainResponse | Response>(
    request: { readonly signal: AbortSignal },
    execute: () => Promise<Reply | Response>,
  ): Promise<Reply | Response> {
    try {
      const response = await execute();
      return response.body === null && response.status === 406 ? toUnacceptableMediaType() : response;
    } catch (error) {
      // The client has left: nobody is told, and nothing is wrong.
      if (request.signal.aborted) throw error;
      options.onUnexpectedError(error);
      return toErrorResponse('INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.', { status: 500 });
    }
  }
}

/** Nothing behind it: what stands in a URL is read by Yoga. */
const ENDS_WITH_ENDPOINT = new RegExp(`[^/]${GRAPHQL_ENDPOINT}$`);

/** Owns the pages and refusals that are the same for all. */
const PUBLIC_OWNER = 'public';

const ROUTES = new Set([GRAPHQL_ENDPOINT, ...PROBE_PATHS]);

/** What callers ask for beside our own places has no end: it is one. */
const UNKNOWN_ROUTE = 'other';

/**
 * What was executed says so itself. What was refused before, what comes in parts, and what tells how long it took is for nobody to keep; the
 * page is the same for all.
 */
function setCacheHeaders(headers: HeaderWriter, isTraced: boolean): void {
  const type = headers.get('content-type') ?? '';
  headers.set('vary', VARY);
  if (type.startsWith('text/html')) return;
  const isCompleteJson = /^application\/(graphql-response\+)?json/.test(type);
  if (!isCompleteJson || isTraced || !headers.has('cache-control')) headers.set('cache-control', NO_STORE);
}

/** A browser at the root is sent to GraphiQL; everyone else is told where to go. */
function toNotFound(pathname: string, headers: HeaderReader): Response {
  if (pathname === '/' && headers.get('accept')?.includes('text/html')) {
    return new Response(null, { status: 302, headers: { location: GRAPHQL_ENDPOINT } });
  }
  const message = `Nothing is at ${pathname}: the GraphQL endpoint is ${GRAPHQL_ENDPOINT}, besides /health, /ready and /metrics.`;
  return toErrorResponse('BAD_USER_INPUT', message, { status: 404 });
}

/** Yoga refuses this one without a word. */
function toUnacceptableMediaType(): Response {
  const message =
    'The Accept header takes nothing that GraphQL answers in: application/graphql-response+json or application/json.';
  return toErrorResponse('BAD_USER_INPUT', message, { status: 406 });
}
