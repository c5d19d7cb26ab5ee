import type { CancellationSignal } from '#cancellation.ts';
import { hasLoopbackHost } from '#http/auth/host-check.ts';
import { isFederatedTraceRequested } from '#http/auth/router-secret.ts';
import { NO_STORE, VARY } from '#http/headers/cache-control.ts';
import { createCors } from '#http/headers/cors.ts';
import { ACCEPTABLE_TYPES } from '#http/headers/media-type.ts';
import { setSecurityHeaders } from '#http/headers/security-headers.ts';
import type { UnsentResponseBudget } from '#http/limits/unsent-response-budget.ts';
import { streamOf } from '#http/streams/stream-body.ts';
import {
  createWebhookEndpoint,
  type WebhookEndpointOptions,
} from '#http/webhooks/webhook-endpoint.ts';
import type { HandleUpgrade } from '#http/websocket/handle-upgrade.ts';
import { createHandleUpgrade } from '#http/websocket/upgrade.ts';
import type { ObserveRequest, RequestObserver } from '#observability/request-observer.ts';
import { createCompress } from './compression.ts';
import { errorCodeOf, toErrorResponse } from './error-response.ts';
import { createGraphQLServer, type GraphQLServerOptions } from './graphql-server.ts';
import { createHealthEndpoints, type HealthEndpointsOptions } from './health-endpoints.ts';
import {
  callerOf,
  type Handler,
  type HeaderWriter,
  isPlainResponse,
  ownerOf,
  type PlainRequest,
  type PlainResponse,
  type RequestHead,
  recordCaller,
  takeReport,
  toPlainRequest,
  toResponse,
} from './message.ts';
import {
  GRAPHQL_ENDPOINT,
  toNotFound,
  toRoute,
  toWebhookSecret,
  UNKNOWN_ROUTE,
  WEBHOOK_ROUTE,
} from './routes.ts';

export interface HandlerOptions
  extends Omit<GraphQLServerOptions, 'endpoint'>,
    HealthEndpointsOptions {
  /** The prefix of all routes: empty, or as in `/api/calls`. */
  readonly basePath: string;
  /** Whether only requests to `localhost`, `127.0.0.1` and `[::1]` are accepted. */
  readonly isLoopbackOnly: boolean;
  /** Origins whose pages may read responses, besides the gateway's own. */
  readonly corsOrigins: readonly string[];
  /** Called when a page of another origin cannot read a response. */
  readonly onOriginRefused: (origin: string) => void;
  /**
   * Whether responses are compressed for clients that accept that. False: a proxy in front does it.
   */
  readonly compression: boolean;
  /** Empty: no webhooks are accepted. */
  readonly webhookSecrets: readonly string[];
  readonly onWebhook: WebhookEndpointOptions['onWebhook'];
  readonly unsentBudget: Pick<UnsentResponseBudget, 'reserve'>;
  /** Starts to observe a request. Every request is observed, whatever its outcome. */
  readonly observeRequest: ObserveRequest;
}

/** A URL, and which of `ROUTES` it names. */
interface Target {
  readonly url: URL;
  readonly route: string | undefined;
}

const NOT_A_REQUEST =
  'gateway.fetch takes one argument, a Request: gateway.fetch(new Request(url, init)).';

/**
 * The gateway's HTTP entry point: routes, CORS, compression, security headers and error responses
 * around the GraphQL server.
 */
export function createHandler(
  options: HandlerOptions,
): Handler & { readonly handleUpgrade: HandleUpgrade } {
  const { basePath } = options;
  const cors = createCors(options.corsOrigins, options.onOriginRefused);
  const graphqlServer = createGraphQLServer({
    ...options,
    endpoint: `${basePath}${GRAPHQL_ENDPOINT}`,
  });
  const compress = options.compression ? createCompress() : undefined;
  const { subscriptions, webhookSecrets } = options;
  const handleWebhook =
    subscriptions && webhookSecrets.length > 0
      ? createWebhookEndpoint({ ...options, secrets: webhookSecrets, hint: subscriptions.hint })
      : undefined;
  const handleHealthRequest = createHealthEndpoints(options);
  /** The last parsed URL: clients send requests to the same URL again and again. */
  let lastURL: { readonly text: string; readonly target: Target | undefined } | undefined;
  const canHandlePlain = (head: RequestHead) =>
    ENDS_WITH_ENDPOINT.test(head.url) && graphqlServer.canHandlePlain(head);
  const handlePlain = (request: PlainRequest) =>
    respond(request, (observer) => graphqlServer.handlePlain(request, observer));
  return {
    canHandlePlain,
    handlePlain,
    async fetch(request) {
      if (typeof request?.headers?.get !== 'function') throw new TypeError(NOT_A_REQUEST);
      if (canHandlePlain(request)) {
        const plainRequest = toPlainRequest(request);
        const response = await handlePlain(plainRequest);
        takeReport(plainRequest)?.();
        if (plainRequest.caller) recordCaller(request, plainRequest.caller);
        return toResponse(response);
      }
      return respond(
        request,
        (observer) =>
          graphqlServer.fetch(
            request,
            observer,
            isFederatedTraceRequested(request.headers, options.isRouter),
          ),
        request,
      );
    },
    handleUpgrade: createHandleUpgrade({
      ...options,
      subscribe: graphqlServer.subscribe,
      maxMessageBytes: options.limits.bodyBytes,
      route: GRAPHQL_ENDPOINT,
      unknownRoute: UNKNOWN_ROUTE,
      findPathError: ({ pathname }, headers) =>
        toRoute(pathname, basePath) === GRAPHQL_ENDPOINT
          ? undefined
          : toNotFound(pathname, basePath, headers),
    }),
    reserveUnsent(request, bytes) {
      const caller = callerOf(request);
      return options.unsentBudget.reserve(caller ? ownerOf(caller) : PUBLIC_OWNER, bytes);
    },
  };

  async function respond<Reply extends PlainResponse | Response>(
    request: RequestHead & { readonly signal: CancellationSignal },
    execute: Execute<Reply>,
    fetchRequest?: Request,
  ): Promise<Reply | Response> {
    const target = parseTarget(request.url);
    const observer = options.observeRequest(request, target?.route ?? UNKNOWN_ROUTE);
    try {
      const response = await (findOtherResponse(request, target, fetchRequest) ??
        executeGraphQL(request, execute, observer));
      if (!isPlainResponse(response))
        setSecurityHeaders(response.headers, graphqlServer.pageContentSecurityPolicy);
      response.headers.set('x-request-id', observer.requestId);
      const encoded = compress ? compress(request, response) : response;
      const encodedResponse = encoded instanceof Promise ? await encoded : encoded;
      const errorCode = errorCodeOf(encodedResponse) ?? errorCodeOf(response);
      if (errorCode) observer.onError(errorCode);
      if (streamOf(response)) observer.onStreamStart(response.status);
      else reportResponse(request, observer, encodedResponse.status);
      return encodedResponse;
    } catch (error) {
      if (request.signal.aborted) {
        observer.onClientDisconnect();
        throw error;
      }
      const response = toInternalError(request, error);
      observer.onError('INTERNAL_SERVER_ERROR');
      reportResponse(request, observer, response.status);
      return response;
    }
  }

  function parseTarget(text: string): Target | undefined {
    if (lastURL?.text !== text) {
      const url = URL.parse(text);
      lastURL = { text, target: url ? { url, route: toRoute(url.pathname, basePath) } : undefined };
    }
    return lastURL.target;
  }

  /** Converts an unexpected error outside of the operation to a 500. */
  function toInternalError(request: RequestHead, error: unknown): Response {
    options.onUnexpectedError(error);
    const response = toErrorResponse(
      'INTERNAL_SERVER_ERROR',
      'Something went wrong in the gateway.',
      { status: 500 },
    );
    setSecurityHeaders(response.headers, undefined);
    cors.setAllowOrigin(request, response.headers);
    return response;
  }

  /** The response to a request that is no operation. Undefined for every other request. */
  function findOtherResponse(
    request: RequestHead,
    target: Target | undefined,
    fetchRequest: Request | undefined,
  ): Response | Promise<Response> | undefined {
    if (!target || (options.isLoopbackOnly && !hasLoopbackHost(target.url, request.headers))) {
      const response = target ? toForbiddenHost() : toInvalidUrl();
      cors.setAllowOrigin(request, response.headers);
      return response;
    }
    const { url, route } = target;
    // Yoga accepts any URL that ends with its endpoint, so every other path is rejected here.
    if (route === undefined) return toNotFound(url.pathname, basePath, request.headers);
    if (route === WEBHOOK_ROUTE) {
      const given = toWebhookSecret(url.pathname, basePath);
      const response = fetchRequest && handleWebhook?.(given, fetchRequest);
      return response ?? toNotFound(url.pathname, basePath, request.headers);
    }
    return route === GRAPHQL_ENDPOINT ? undefined : handleHealthRequest(route, request);
  }

  async function executeGraphQL<Reply extends PlainResponse | Response>(
    request: RequestHead & { readonly signal: CancellationSignal },
    execute: Execute<Reply>,
    observer: RequestObserver,
  ): Promise<Reply | Response> {
    let response: Reply | Response;
    try {
      response = cors.handlePreflight(request) ?? (await execute(observer));
      if (response.body === null && response.status === 406) response = toUnacceptableMediaType();
    } catch (error) {
      // The client has disconnected: that is no error.
      if (request.signal.aborted) throw error;
      options.onUnexpectedError(error);
      response = toErrorResponse('INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.', {
        status: 500,
      });
    }
    if (!streamOf(response))
      setCacheHeaders(response, isFederatedTraceRequested(request.headers, options.isRouter));
    cors.setAllowOrigin(request, response.headers);
    return response;
  }
}

/** Executes the operation of a request. */
type Execute<Reply> = (observer: RequestObserver) => Promise<Reply | Response>;

/**
 * Matches a URL that ends with the endpoint. A URL with a query string goes to Yoga, which reads
 * its parameters.
 */
const ENDS_WITH_ENDPOINT = new RegExp(`[^/]${GRAPHQL_ENDPOINT}/?$`);

/** Owner of the unsent bytes of pages and error responses that are the same for all callers. */
const PUBLIC_OWNER = 'public';

/** Leaves the report of a plain request to the server, which writes the response first. */
function reportResponse(
  request: RequestHead | PlainRequest,
  observer: RequestObserver,
  status: number,
): void {
  if ('report' in request) request.report = () => observer.onResponse(status);
  else observer.onResponse(status);
}

/**
 * Sets `Vary`, and `no-store` for every response except the page, its files and a complete result with
 * a `Cache-Control` of its own. A rejection, a multipart response, and a response with federated
 * tracing must not be cached; the page is the same for all clients.
 */
function setCacheHeaders(response: PlainResponse | Response, isFederatedTraced: boolean): void {
  const headers: HeaderWriter = response.headers;
  // A plain response is complete JSON: its type need not be read.
  const type = isPlainResponse(response) ? undefined : (headers.get('content-type') ?? '');
  if (type !== undefined && /^text\/(javascript|css)/.test(type)) return;
  headers.set('vary', VARY);
  if (type?.startsWith('text/html')) return;
  const isCompleteJson = type === undefined || /^application\/(graphql-response\+)?json/.test(type);
  if (!isCompleteJson || isFederatedTraced || !headers.has('cache-control'))
    headers.set('cache-control', NO_STORE);
}

function toInvalidUrl(): Response {
  const message = 'The Host header and the path do not form a valid URL.';
  return toErrorResponse('BAD_USER_INPUT', message, { status: 400 });
}

function toForbiddenHost(): Response {
  const message =
    'This gateway accepts only requests to localhost, because it uses its own API key without authentication. Set ROUTER_SECRETS or JWT_JWKS_URL to accept others.';
  return toErrorResponse('FORBIDDEN', message, { status: 403 });
}

/** Creates the response that replaces Yoga's empty 406. */
function toUnacceptableMediaType(): Response {
  const message = `The Accept header must accept ${ACCEPTABLE_TYPES}.`;
  return toErrorResponse('BAD_USER_INPUT', message, { status: 406 });
}
