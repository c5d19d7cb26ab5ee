import { type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { NO_STORE, VARY } from './cache-control.ts';
import { createDocumentCaches } from './document-caches.ts';
import { NAMING_PARAMETERS } from './document-name.ts';
import { type ReadyOperation, renderPage, toGraphiQLOptions } from './graphiql.ts';
import { namesLoopback } from './loopback.ts';
import { toPublicError } from './public-error.ts';
import { toRefusal } from './refusal.ts';
import type { IsRouter } from './router-secret.ts';
import { type Admit, type OpenOperation, useAdmission } from './use-admission.ts';
import { useBodyLimit } from './use-body-limit.ts';
import { asksForTrace, useFederatedTracing } from './use-federated-tracing.ts';
import { useHealth } from './use-health.ts';
import { type Limits, useLimits } from './use-limits.ts';
import { type NamedDocumentsOptions, useNamedDocuments } from './use-named-documents.ts';
import { useOperation } from './use-operation.ts';
import { useRequestFormat } from './use-request-format.ts';

export interface HandlerOptions {
  readonly schema: GraphQLSchema;
  /** Makes another one, for operations that are traced. */
  readonly createSchema: () => GraphQLSchema;
  readonly admit: Admit;
  /** Whether a request carries the secret of a router. */
  readonly isRouter: IsRouter;
  /** Answer only requests to `localhost`, `127.0.0.1` and `[::1]`. */
  readonly isLoopbackOnly: boolean;
  readonly isReady: () => boolean;
  readonly limits: Limits & { readonly bodyBytes: number };
  readonly introspection: boolean;
  readonly namedDocuments: NamedDocumentsOptions;
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
  const namedDocuments = useNamedDocuments(options.namedDocuments);
  const documentCaches = createDocumentCaches();
  const createServer = (schema: GraphQLSchema, ...more: Plugin[]) =>
    createYoga<{ operation: OpenOperation }, RequestContext>({
      schema,
      graphqlEndpoint: GRAPHQL_ENDPOINT,
      context: ({ operation, request }) => operation(request.signal),
      plugins: [
        useHealth(options.isReady),
        useAdmission(options.admit, GRAPHQL_ENDPOINT),
        useRequestFormat(),
        useBodyLimit(options.limits.bodyBytes),
        // Before whatever looks at the document.
        namedDocuments,
        useLimits(options.limits),
        ...(options.introspection ? [] : [useNoIntrospection()]),
        useOperation(options),
        ...more,
      ],
      graphiql: options.graphiql && toGraphiQLOptions({ ...options.graphiql, traces: options.upstreamTrace }),
      renderGraphiQL: (page) => (graphiqlPage ??= renderPage(page)),
      maskedErrors: { maskError: (error) => toPublicError(error, options.onBug) },
      // Ours; Yoga's closes the connection without an answer.
      maxRequestBodySize: false,
      parserAndValidationCache: documentCaches,
      extraParamNames: NAMING_PARAMETERS,
      // Yoga's default reflects any origin, with credentials.
      cors: false,
      multipart: false,
      landingPage: false,
      // Ours; Yoga would answer any method there.
      healthCheckEndpoint: '/health/yoga',
      // Everything unforeseen comes to `onBug` once; Yoga would log it again.
      logging: false,
    });
  const yoga = createServer(options.schema);
  let tracingYoga: typeof yoga | undefined;
  return async (request) => {
    try {
      return await handle(request);
    } catch (error) {
      // The client has left: nobody is told, and nothing is wrong.
      if (request.signal.aborted) throw error;
      options.onBug(error);
      return toRefusal('INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.', { status: 500 });
    }
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
    const isTraced = asksForTrace(request.headers, options.isRouter);
    if (isTraced) tracingYoga ??= createServer(options.createSchema(), useFederatedTracing());
    const response = await (isTraced && tracingYoga ? tracingYoga : yoga).fetch(request);
    if (response.body === null && response.status === 406) return toNotAcceptable();
    if (url.pathname === GRAPHQL_ENDPOINT) sayWhoMayKeep(response.headers, isTraced);
    return response;
  }
}

const PLACES = new Set([GRAPHQL_ENDPOINT, '/health', '/ready']);

/** What was executed says so itself. What was refused before, what comes in parts, and what tells how long it took is for nobody to keep; the page is the same for all. */
function sayWhoMayKeep(headers: Headers, isTraced: boolean): void {
  const type = headers.get('content-type') ?? '';
  headers.set('vary', VARY);
  if (type.startsWith('text/html')) return;
  const isWhole = /^application\/(graphql-response\+)?json/.test(type);
  if (!isWhole || isTraced || !headers.has('cache-control')) headers.set('cache-control', NO_STORE);
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

function useNoIntrospection(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}
