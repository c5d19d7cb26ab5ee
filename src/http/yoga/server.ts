import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { type OpenSession, type Session, useAuthentication } from '#http/auth/session.ts';
import { ID_PARAMETERS } from '#http/documents/document-id.ts';
import { createDocumentStore, type TrustedDocument } from '#http/documents/document-store.ts';
import { createParserCache } from '#http/documents/parser-cache.ts';
import { useParserCache } from '#http/documents/use-parser-cache.ts';
import {
  type PersistedDocumentsOptions,
  usePersistedDocuments,
} from '#http/documents/use-persisted-documents.ts';
import type { ExampleOperation } from '#http/example-operation.ts';
import { createFastPath, useFastPathRegistration } from '#http/fast-path/index.ts';
import { toContentSecurityPolicy } from '#http/headers/security-headers.ts';
import { createCostCheck } from '#http/limits/cost.ts';
import type { PendingBody } from '#http/limits/request-body-budget.ts';
import { useBodyLimit } from '#http/limits/use-body-limit.ts';
import { type Limits, useLimits } from '#http/limits/use-limits.ts';
import { maskError } from '#http/mask-error.ts';
import type { PlainRequest, PlainResponse, RequestHead } from '#http/message.ts';
import type { OnDrift } from '#http/report-operation.ts';
import { afterMicrotasks, createOperationScheduler } from '#http/scheduler.ts';
import type { RequestObserver } from '#observability/request-observer.ts';
import { renderGraphiQLPage, toGraphiQLOptions } from './graphiql.ts';
import { useDisableIntrospection } from './use-disable-introspection.ts';
import { useFairScheduling } from './use-fair-scheduling.ts';
import { useJsonOnly } from './use-json-only.ts';
import { useOperationLifecycle } from './use-operation-lifecycle.ts';
import { useRequestObserver } from './use-request-observer.ts';

export interface GraphQLServerOptions {
  readonly endpoint: string;
  readonly schema: GraphQLSchema;
  /** Creates another instance of the schema, for operations that are traced. */
  readonly createSchema: () => GraphQLSchema;
  readonly openSession: OpenSession;
  readonly limits: Limits & { readonly bodyBytes: number };
  readonly introspection: boolean;
  readonly persistedDocuments: Omit<PersistedDocumentsOptions, 'documents'> & {
    readonly documents: readonly TrustedDocument[];
  };
  /**
   * False: no page. Otherwise the operations of its tabs, and whether the user must enter a key.
   */
  readonly graphiql:
    | false
    | { readonly operations: readonly ExampleOperation[]; readonly requiresApiKey: boolean };
  /** Whether `x-revox-trace: 1` adds `extensions.upstream` to a response. */
  readonly upstreamTrace: boolean;
  readonly onUnexpectedError: (error: unknown) => void;
  /**
   * Called for each operation over a limit, with the setting that raises the limit, if there is
   * one.
   */
  readonly onLimitExceeded: (setting: string | undefined) => void;
  readonly onDrift: OnDrift;
  /** Current time, in ms. */
  readonly now: () => number;
  /** Monotonic clock, in ms and fractions of it. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export interface GraphQLServer {
  /** @param isTraced whether a router requests the timings of fields */
  fetch(request: Request, observer: RequestObserver, isTraced: boolean): Promise<Response>;
  /** Whether `handlePlain` can handle a request, as far as its head shows. */
  canHandlePlain(head: RequestHead): boolean;
  /** Like `fetch`, without Fetch objects where possible. */
  handlePlain(request: PlainRequest, observer: RequestObserver): Promise<PlainResponse | Response>;
  /** The content security policy of GraphiQL's page. Undefined until the page is served. */
  readonly pageContentSecurityPolicy: string | undefined;
}

/** Yoga's server context of a request. */
interface ServerContext {
  readonly observer: RequestObserver;
  /** Absent: the request is not authenticated yet. */
  readonly session?: Session;
  /** Whether the request has already waited for its turn. */
  readonly isScheduled?: boolean;
  readonly pendingBody: PendingBody;
}

/** Parse errors are not cached: a document that does not parse is parsed again. */
const DISABLED_CACHE = { get: () => undefined, set: () => {} };

/** Yoga with the plugins of the gateway. Each plugin documents its own purpose. */
export function createGraphQLServer(options: GraphQLServerOptions): GraphQLServer {
  /**
   * Nine megabytes, shared by all clients. A text would be encoded for each request, and its bytes
   * kept for each client that does not read them.
   */
  let graphiqlPage: Uint8Array<ArrayBuffer> | undefined;
  let pageContentSecurityPolicy: string | undefined;
  const documents = createDocumentStore(options.persistedDocuments.documents);
  const persistedDocuments = usePersistedDocuments({ ...options.persistedDocuments, documents });
  const parserCache = createParserCache();
  const scheduler = createOperationScheduler({
    ...options,
    runNextIteration: setImmediate,
    afterMicrotasks,
  });
  const checkCost = createCostCheck(options.limits);
  const mask = (error: unknown) => maskError(error, options);
  const fastPath = createFastPath({
    ...options,
    parserCache,
    documents,
    trustedOnly: options.persistedDocuments.trustedOnly,
    scheduler,
    maxBodyBytes: options.limits.bodyBytes,
    checkCost,
    maskError: mask,
  });

  const yoga = createYogaServer(options.schema, useFastPathRegistration(fastPath));
  let tracingYoga: Promise<typeof yoga> | undefined;
  return {
    async fetch(request, observer, isTraced) {
      const pendingBody: PendingBody = {};
      try {
        if (!isTraced) return await yoga.fetch(request, { observer, pendingBody });
        tracingYoga ??= createTracingYoga().catch(resetTracing);
        return await (await tracingYoga).fetch(request, { observer, pendingBody });
      } finally {
        pendingBody.reservation?.release();
      }
    },
    canHandlePlain: fastPath.canHandle,
    async handlePlain(request, observer) {
      const pendingBody: PendingBody = {};
      try {
        const result = await fastPath.handle(request, pendingBody, observer);
        if (!('session' in result)) return result;
        return await yoga.fetch(request.toRequest(result.body), {
          observer,
          pendingBody,
          session: result.session,
          isScheduled: true,
        });
      } finally {
        pendingBody.reservation?.release();
      }
    },
    get pageContentSecurityPolicy() {
      return pageContentSecurityPolicy;
    },
  };

  async function createTracingYoga() {
    // Loading the tracing plugin takes 30 ms, so only gateways that are asked for traces load it.
    const { useFederatedTracing } = await import('./use-federated-tracing.ts');
    return createYogaServer(options.createSchema(), useFederatedTracing());
  }

  /** Loading may fail because no file handle is left, and succeed the next time. */
  function resetTracing(error: unknown): never {
    tracingYoga = undefined;
    throw error;
  }

  function createYogaServer(schema: GraphQLSchema, ...extraPlugins: Plugin[]) {
    return createYoga<ServerContext, RequestContext>({
      schema,
      graphqlEndpoint: options.endpoint,
      // Authentication has already run.
      context: ({ session, request, observer }) =>
        (session as Session).createContext(request.signal, observer.trace),
      plugins: [
        useAuthentication(options.openSession, options.endpoint),
        useJsonOnly(),
        useBodyLimit(options.limits.bodyBytes),
        useFairScheduling(scheduler),
        // Before every plugin that reads the document.
        persistedDocuments,
        useLimits(options.limits, checkCost),
        ...(options.introspection ? [] : [useDisableIntrospection()]),
        useOperationLifecycle({ ...options, scheduler }),
        useRequestObserver(options.onDrift),
        useParserCache(parserCache),
        ...extraPlugins,
      ],
      graphiql:
        options.graphiql &&
        toGraphiQLOptions({ ...options.graphiql, tracing: options.upstreamTrace }),
      renderGraphiQL: async (page) => {
        if (graphiqlPage) return graphiqlPage;
        const text = await renderGraphiQLPage(page);
        pageContentSecurityPolicy = toContentSecurityPolicy(text);
        graphiqlPage = new TextEncoder().encode(text);
        return graphiqlPage;
      },
      maskedErrors: { maskError: mask },
      // `useBodyLimit` replaces it: Yoga's limit closes the connection without a response.
      maxRequestBodySize: false,
      // Yoga only looks documents up. `useParserCache` stores them, because it knows the caller.
      parserAndValidationCache: {
        documentCache: { get: parserCache.get, set: () => {} },
        errorCache: DISABLED_CACHE,
      },
      extraParamNames: ID_PARAMETERS,
      // `createCors` replaces it: Yoga's allows the origin `null` to read responses, which every
      // sandboxed frame can have, and overwrites `Vary`.
      cors: false,
      multipart: false,
      landingPage: false,
      // `createProbes` replaces it: Yoga would accept any method there.
      healthCheckEndpoint: '/health/yoga',
      // `onUnexpectedError` gets every unexpected error once. Yoga would log it again.
      logging: false,
    });
  }
}
