import { type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { type ReadyOperation, renderPage, toGraphiQLOptions } from './graphiql.ts';
import { toPublicError } from './public-error.ts';
import { type Admit, type OpenOperation, useAdmission } from './use-admission.ts';
import { useHealth } from './use-health.ts';
import { useLoopbackOnly } from './use-loopback-only.ts';
import { useOperation } from './use-operation.ts';
import { useRequestFormat } from './use-request-format.ts';

export interface HandlerOptions {
  readonly schema: GraphQLSchema;
  readonly admit: Admit;
  /** Answer only requests to `localhost`, `127.0.0.1` and `[::1]`. */
  readonly isLoopbackOnly: boolean;
  readonly isReady: () => boolean;
  readonly maxBodyBytes: number;
  readonly introspection: boolean;
  /** False: no page. Else the operations in its tabs, and whether the user has to bring a key. */
  readonly graphiql: false | { readonly operations: readonly ReadyOperation[]; readonly asksForKey: boolean };
  readonly onBug: (error: unknown) => void;
}

export const GRAPHQL_ENDPOINT = '/graphql';

/** The gateway's face to HTTP: who may enter, how much they may bring, and what they are told when something fails. */
export function createHandler(options: HandlerOptions): (request: Request) => Promise<Response> {
  /** Nine megabytes, the same for everyone. */
  let graphiqlPage: string | undefined;
  const yoga = createYoga<{ operation: OpenOperation }, RequestContext>({
    schema: options.schema,
    graphqlEndpoint: GRAPHQL_ENDPOINT,
    context: ({ operation, request }) => operation(request.signal),
    plugins: [
      ...(options.isLoopbackOnly ? [useLoopbackOnly()] : []),
      useHealth(options.isReady),
      useAdmission(options.admit, GRAPHQL_ENDPOINT),
      useRequestFormat(),
      ...(options.introspection ? [] : [useNoIntrospection()]),
      useOperation(),
    ],
    graphiql: options.graphiql && toGraphiQLOptions(options.graphiql.operations, options.graphiql.asksForKey),
    renderGraphiQL: (page) => (graphiqlPage ??= renderPage(page)),
    maskedErrors: { maskError: (error) => toPublicError(error, options.onBug) },
    maxRequestBodySize: options.maxBodyBytes,
    // Yoga's default reflects any origin, with credentials.
    cors: false,
    multipart: false,
    landingPage: false,
    // Ours; Yoga would answer any method there.
    healthCheckEndpoint: '/health/yoga',
    // Everything unforeseen comes to `onBug` once; Yoga would log it again.
    logging: false,
  });
  return async (request) => {
    // Yoga takes any URL that ends like its endpoint for it. Only what is named here gets so far.
    const { pathname } = new URL(request.url);
    if (!PLACES.has(pathname)) return sayWhere(pathname, request);
    const response = await yoga.fetch(request);
    const words = response.body === null ? WORDS[response.status] : undefined;
    return words ? refuse(words, response) : response;
  };
}

const PLACES = new Set([GRAPHQL_ENDPOINT, '/health', '/ready']);

/** A browser at the root is sent to GraphiQL; everyone else is told where to go. */
function sayWhere(pathname: string, { headers }: Request): Response {
  if (pathname === '/' && headers.get('accept')?.includes('text/html')) {
    return new Response(null, { status: 302, headers: { location: GRAPHQL_ENDPOINT } });
  }
  return refuse(`Nothing is at ${pathname}: the GraphQL endpoint is ${GRAPHQL_ENDPOINT}, besides /health and /ready.`, {
    status: 404,
  });
}

/** Where Yoga refuses without a word. */
const WORDS: { readonly [status: number]: string } = {
  406: 'The Accept header takes nothing that GraphQL answers in: application/graphql-response+json or application/json.',
};

function refuse(message: string, init: ResponseInit): Response {
  return Response.json({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] }, init);
}

function useNoIntrospection(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}
