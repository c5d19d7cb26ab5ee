import type { RequestWatch, WatchRequest } from '#observability/request-watch.ts';
import { NO_STORE, VARY } from './cache-control.ts';
import { createCompress } from './compression.ts';
import { createCors } from './cors.ts';
import {
  type Answered,
  type Asked,
  admissionOf,
  type Handler,
  type HeaderReader,
  type HeaderWriter,
  noteAdmission,
  ownerOf,
  type RequestHead,
  toAsked,
  toResponse,
} from './exchange.ts';
import { createGraphQLServer, type GraphQLServerOptions } from './graphql-server.ts';
import { namesLoopback } from './loopback.ts';
import { codeOf, toRefusal } from './refusal.ts';
import type { IsRouter } from './router-secret.ts';
import { asksForTrace } from './router-trace.ts';
import { secure } from './security-headers.ts';
import { createStatusPages, STATUS_PLACES, type StatusPagesOptions } from './status-pages.ts';
import type { UnsentBytes } from './unsent-bytes.ts';

export interface HandlerOptions extends Omit<GraphQLServerOptions, 'endpoint'>, StatusPagesOptions {
  /** Whether a request carries the secret of a router. */
  readonly isRouter: IsRouter;
  /** Answer only requests to `localhost`, `127.0.0.1` and `[::1]`. */
  readonly isLoopbackOnly: boolean;
  /** Origins whose pages may read answers, besides the gateway's own. */
  readonly corsOrigins: readonly string[];
  /** Whether answers are compressed for clients that take it; false: that is left to what stands in front. */
  readonly compression: boolean;
  /** Whether operations that have come before go past Yoga. */
  readonly hasShortWay: boolean;
  readonly unsentBytes: Pick<UnsentBytes, 'hold'>;
  /** Begins to watch a request: all of them are told of, whatever becomes of them. */
  readonly watch: WatchRequest;
}

export const GRAPHQL_ENDPOINT = '/graphql';

/** Who may enter, how much they may bring, and what they are told when something fails. */
export function createHandler(options: HandlerOptions): Handler {
  const cors = createCors(options.corsOrigins);
  const graphql = createGraphQLServer({ ...options, endpoint: GRAPHQL_ENDPOINT });
  const compress = options.compression ? createCompress() : undefined;
  const answerStatus = createStatusPages(options);
  /** The last one that was read: clients ask at the same place again and again. */
  let lastURL: { readonly text: string; readonly url: URL | null } | undefined;
  const mayAnswer = (head: RequestHead) => options.hasShortWay && END_OF_PLACE.test(head.url) && graphql.mayAnswer(head);
  const answer = (asked: Asked) => respond(asked, (url, watch) => handle(asked, url, () => graphql.answer(asked, watch)));
  return {
    mayAnswer,
    answer,
    async fetch(request) {
      if (mayAnswer(request)) {
        const asked = toAsked(request);
        const answered = await answer(asked);
        if (asked.admission) noteAdmission(request, asked.admission);
        return toResponse(answered);
      }
      return respond(request, (url, watch) =>
        handle(request, url, () => graphql.fetch(request, watch, asksForTrace(request.headers, options.isRouter))),
      );
    },
    hold(request, bytes) {
      const admission = admissionOf(request);
      return options.unsentBytes.hold(admission ? ownerOf(admission) : PUBLIC, bytes);
    },
  };

  async function respond<Reply extends Answered | Response>(
    request: RequestHead & { readonly signal: AbortSignal },
    ask: (url: URL | null, watch: RequestWatch) => Promise<Reply | Response>,
  ): Promise<Reply | Response> {
    const url = toURL(request.url);
    const watch = options.watch(request, url && PLACES.has(url.pathname) ? url.pathname : ELSEWHERE);
    try {
      const response = await ask(url, watch);
      secure(response.headers, graphql.pagePolicy);
      response.headers.set('x-request-id', watch.requestId);
      const sent = compress ? await compress(request, response) : response;
      const refusedWith = codeOf(sent) ?? codeOf(response);
      if (refusedWith) watch.onError(refusedWith);
      watch.onAnswered(sent.status);
      return sent;
    } catch (error) {
      if (request.signal.aborted) {
        watch.onLeft();
        throw error;
      }
      const response = toFault(error);
      watch.onError('INTERNAL_SERVER_ERROR');
      watch.onAnswered(response.status);
      return response;
    }
  }

  function toURL(text: string): URL | null {
    if (lastURL?.text !== text) lastURL = { text, url: URL.parse(text) };
    return lastURL.url;
  }

  /** Something that nobody foresaw, in what stands around the operation. */
  function toFault(error: unknown): Response {
    options.onBug(error);
    const response = toRefusal('INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.', { status: 500 });
    secure(response.headers, undefined);
    return response;
  }

  async function handle<Reply extends Answered | Response>(
    request: RequestHead & { readonly signal: AbortSignal },
    url: URL | null,
    execute: () => Promise<Reply | Response>,
  ): Promise<Reply | Response> {
    if (!url) {
      return toRefusal('BAD_USER_INPUT', 'The Host header, with the path, makes no URL.', { status: 400 });
    }
    if (options.isLoopbackOnly && !namesLoopback(url, request.headers)) {
      return toRefusal('FORBIDDEN', 'This gateway answers only localhost: it holds an API key and asks for none.', {
        status: 403,
      });
    }
    // Yoga takes any URL that ends like its endpoint for it. Only what is named here gets so far.
    if (!PLACES.has(url.pathname)) return sayWhere(url.pathname, request.headers);
    if (url.pathname !== GRAPHQL_ENDPOINT) return answerStatus(url.pathname, request);
    const response = cors.preflight(request) ?? (await ask(request, execute));
    sayWhoMayKeep(response.headers, asksForTrace(request.headers, options.isRouter));
    cors.allow(request, response.headers);
    return response;
  }

  async function ask<Reply extends Answered | Response>(
    request: { readonly signal: AbortSignal },
    execute: () => Promise<Reply | Response>,
  ): Promise<Reply | Response> {
    try {
      const response = await execute();
      return response.body === null && response.status === 406 ? toNotAcceptable() : response;
    } catch (error) {
      // The client has left: nobody is told, and nothing is wrong.
      if (request.signal.aborted) throw error;
      options.onBug(error);
      return toRefusal('INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.', { status: 500 });
    }
  }
}

/** Nothing behind it: what stands in a URL is read by Yoga. */
const END_OF_PLACE = new RegExp(`[^/]${GRAPHQL_ENDPOINT}$`);

/** Owns the pages and refusals that are the same for all. */
const PUBLIC = 'public';

const PLACES = new Set([GRAPHQL_ENDPOINT, ...STATUS_PLACES]);

/** What callers ask for beside our own places has no end: it is one. */
const ELSEWHERE = 'other';

/**
 * What was executed says so itself. What was refused before, what comes in parts, and what tells how long it took is for nobody to keep; the
 * page is the same for all.
 */
function sayWhoMayKeep(headers: HeaderWriter, isTraced: boolean): void {
  const type = headers.get('content-type') ?? '';
  headers.set('vary', VARY);
  if (type.startsWith('text/html')) return;
  const isWhole = /^application\/(graphql-response\+)?json/.test(type);
  if (!isWhole || isTraced || !headers.has('cache-control')) headers.set('cache-control', NO_STORE);
}

/** A browser at the root is sent to GraphiQL; everyone else is told where to go. */
function sayWhere(pathname: string, headers: HeaderReader): Response {
  if (pathname === '/' && headers.get('accept')?.includes('text/html')) {
    return new Response(null, { status: 302, headers: { location: GRAPHQL_ENDPOINT } });
  }
  const message = `Nothing is at ${pathname}: the GraphQL endpoint is ${GRAPHQL_ENDPOINT}, besides /health, /ready and /metrics.`;
  return toRefusal('BAD_USER_INPUT', message, { status: 404 });
}

/** Yoga refuses this one without a word. */
function toNotAcceptable(): Response {
  const message =
    'The Accept header takes nothing that GraphQL answers in: application/graphql-response+json or application/json.';
  return toRefusal('BAD_USER_INPUT', message, { status: 406 });
}
