import type { GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { NO_STORE, VARY } from './cache-control.ts';
import { createCors } from './cors.ts';
import { type ReadyOperation, renderPage, toGraphiQLOptions } from './graphiql.ts';
import { namesLoopback } from './loopback.ts';
import { toPublicError } from './public-error.ts';
import { toRefusal } from './refusal.ts';
import { secure, toPagePolicy } from './security-headers.ts';
import { type Admit, type Admitted, useAdmission } from './use-admission.ts';
import { useClosedSchema } from './use-closed-schema.ts';
import { useHealth } from './use-health.ts';
import { useOperation } from './use-operation.ts';
import { useRequestFormat } from './use-request-format.ts';

export interface HandlerOptions {
  readonly schema: GraphQLSchema;
  readonly admit: Admit;
  /** Answer only requests to `localhost`, `127.0.0.1` and `[::1]`. */
  readonly isLoopbackOnly: boolean;
  /** Origins whose pages may read answers, besides the gateway's own. */
  readonly corsOrigins: readonly string[];
  readonly isReady: () => boolean;
  readonly maxBodyBytes: number;
  readonly introspection: boolean;
  /** False: no page. Else the operations in its tabs, and whether the user has to bring a key. */
  readonly graphiql: false | { readonly operations: readonly ReadyOperation[]; readonly asksForKey: boolean };
  /** Whether `x-revox-trace: 1` is answered with `extensions.upstream`. */
  readonly upstreamTrace: boolean;
  readonly onBug: (error: unknown) => void;
  /** The clock, ms. */
  readonly now: () => number;
}

export const GRAPHQL_ENDPOINT = '/graphql';

/** The gateway's face to HTTP: who may enter, how much they may bring, and what they are told when something fails. */
export function createHandler(options: HandlerOptions): (request: Request) => Promise<Response> {
  /** Nine megabytes, the same for everyone. */
  let graphiqlPage: string | undefined;
  let pagePolicy: string | undefined;
  const cors = createCors(options.corsOrigins);
  const yoga = createYoga<Admitted, RequestContext>({
    schema: options.schema,
    graphqlEndpoint: GRAPHQL_ENDPOINT,
    context: ({ operation, request }) => operation(request.signal),
    plugins: [
      useHealth(options.isReady),
      useAdmission(options.admit, GRAPHQL_ENDPOINT),
      useRequestFormat(),
      ...(options.introspection ? [] : [useClosedSchema()]),
      useOperation(options),
    ],
    graphiql: options.graphiql && toGraphiQLOptions({ ...options.graphiql, traces: options.upstreamTrace }),
    renderGraphiQL: (page) => {
      graphiqlPage ??= renderPage(page);
      pagePolicy ??= toPagePolicy(graphiqlPage);
      return graphiqlPage;
    },
    maskedErrors: { maskError: (error) => toPublicError(error, options) },
    maxRequestBodySize: options.maxBodyBytes,
    // `cors.ts` is ours: Yoga's own tells strangers that the origin `null` may read, which every sandboxed frame can be, and overwrites `Vary`.
    cors: false,
    multipart: false,
    landingPage: false,
    // Ours; Yoga would answer any method there.
    healthCheckEndpoint: '/health/yoga',
    // Everything unforeseen comes to `onBug` once; Yoga would log it again.
    logging: false,
  });
  return async (request) => {
    const response = await handle(request);
    secure(response.headers, pagePolicy);
    return response;
  };

  async function handle(request: Request): Promise<Response> {
    if (!URL.canParse(request.url)) {
      return toRefusal('BAD_USER_INPUT', 'The Host header, with the path, makes no URL.', { status: 400 });
    }
    const url = new URL(request.url);
    if (options.isLoopbackOnly && !namesLoopback(url)) {
      return toRefusal('FORBIDDEN', 'This gateway answers only localhost: it holds an API key and asks for none.', {
        status: 403,
      });
    }
    // Yoga takes any URL that ends like its endpoint for it. Only what is named here gets so far.
    if (!PLACES.has(url.pathname)) return sayWhere(url.pathname, request.headers);
    if (url.pathname !== GRAPHQL_ENDPOINT) return ask(request);
    const response = cors.preflight(request) ?? (await ask(request));
    sayWhoMayKeep(response.headers);
    cors.allow(request, response.headers);
    return response;
  }

  async function ask(request: Request): Promise<Response> {
    try {
      const response = await yoga.fetch(request);
      return response.body === null && response.status === 406 ? toNotAcceptable() : response;
    } catch (error) {
      // The client has left: nobody is told, and nothing is wrong.
      if (request.signal.aborted) throw error;
      options.onBug(error);
      return toRefusal('INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.', { status: 500 });
    }
  }
}

const PLACES = new Set([GRAPHQL_ENDPOINT, '/health', '/ready']);

/** What was executed says so itself. What was refused before, and what comes in parts, is for nobody to keep; the page is the same for all. */
function sayWhoMayKeep(headers: Headers): void {
  const type = headers.get('content-type') ?? '';
  headers.set('vary', VARY);
  if (type.startsWith('text/html')) return;
  const isWhole = /^application\/(graphql-response\+)?json/.test(type);
  if (!isWhole || !headers.has('cache-control')) headers.set('cache-control', NO_STORE);
}

/** A browser at the root is sent to GraphiQL; everyone else is told where to go. */
function sayWhere(pathname: string, headers: Headers): Response {
  if (pathname === '/' && headers.get('accept')?.includes('text/html')) {
    return new Response(null, { status: 302, headers: { location: GRAPHQL_ENDPOINT } });
  }
  const message = `Nothing is at ${pathname}: the GraphQL endpoint is ${GRAPHQL_ENDPOINT}, besides /health and /ready.`;
  return toRefusal('BAD_USER_INPUT', message, { status: 404 });
}

/** Yoga refuses this one without a word. */
function toNotAcceptable(): Response {
  const message =
    'The Accept header takes nothing that GraphQL answers in: application/graphql-response+json or application/json.';
  return toRefusal('BAD_USER_INPUT', message, { status: 406 });
}
