import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { type OpenSession, type Session, useAuthentication } from '#http/auth/session.ts';
import { ID_PARAMETERS } from '#http/documents/document-id.ts';
import { createDocumentStore, type TrustedDocument } from '#http/documents/document-store.ts';
import { createParserCache } from '#http/documents/parser-cache.ts';
import { useParserCache } from '#http/documents/use-parser-cache.ts';
import { type PersistedDocumentsOptions, usePersistedDocuments } from '#http/documents/use-persisted-documents.ts';
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
  /** Makes another one, for operations that are traced. */
  readonly createSchema: () => GraphQLSchema;
  readonly openSession: OpenSession;
  readonly limits: Limits & { readonly bodyBytes: number };
  readonly introspection: boolean;
  readonly persistedDocuments: Omit<PersistedDocumentsOptions, 'documents'> & { readonly documents: readonly TrustedDocument[] };
  /** False: no page. Else the operations in its tabs, and whether the user has to bring a key. */
  readonly graphiql: false | { readonly operations: readonly ExampleOperation[]; readonly requiresApiKey: boolean };
  /** Whether `x-revox-trace: 1` is answered with `extensions.upstream`. */
  readonly upstreamTrace: boolean;
  readonly onUnexpectedError: (error: unknown) => void;
  /** Hears of each operation that is over a limit: of the setting that raises it, if there is one. */
  readonly onLimitExceeded: (setting: string | undefined) => void;
  readonly onDrift: OnDrift;
  /** The clock, ms. */
  readonly now: () => number;
  /** A clock for durations, ms and parts of it. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export interface GraphQLServer {
  /** @param isTraced whether a router is told how long each field took */
  fetch(request: Request, observer: RequestObserver, isTraced: boolean): Promise<Response>;
  /** Whether a request is for `answer`, as far as its head tells. */
  canHandlePlain(head: RequestHead): boolean;
  /** As `fetch` does, with none of Fetch's objects between where that can be. */
  handlePlain(request: PlainRequest, observer: RequestObserver): Promise<PlainResponse | Response>;
  /** What GraphiQL's page may do, once it has been served. */
  readonly pageContentSecurityPolicy: string | undefined;
}

/** What goes with a request through Yoga. */
interface ServerContext {
  readonly observer: RequestObserver;
  /** Absent: it is yet to be let in. */
  readonly session?: Session;
  /** It has waited for its turn. */
  readonly isScheduled?: boolean;
  readonly pendingBody: PendingBody;
}

/** A document that does not parse is no use to anyone: it is parsed again. */
const DISABLED_CACHE = { get: () => undefined, set: () => {} };

/** Yoga, as a list of plugins: each says what it is for. */
export function createGraphQLServer(options: GraphQLServerOptions): GraphQLServer {
  /** Nine megabytes, once for everyone: a text would be turned into bytes, and those kept, for each who asks and does not read. */
  let graphiqlPage: Uint8Array<ArrayBuffer> | undefined;
  let pageContentSecurityPolicy: string | undefined;
  const documents = createDocumentStore(options.persistedDocuments.documents);
  const persistedDocuments = usePersistedDocuments({ ...options.persistedDocuments, documents });
  const parserCache = createParserCache();
  const scheduler = createOperationScheduler({ ...options, runNextIteration: setImmediate, afterMicrotasks });
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
    // It takes 30 ms, which nobody has to pay whom no router asks for traces.
    const { useFederatedTracing } = await import('./use-federated-tracing.ts');
    return createYogaServer(options.createSchema(), useFederatedTracing());
  }

  /** Loading it may fail for want of a file handle, and succeed the next time. */
  function resetTracing(error: unknown): never {
    tracingYoga = undefined;
    throw error;
  }

  function createYogaServer(schema: GraphQLSchema, ...extraPlugins: Plugin[]) {
    return createYoga<ServerContext, RequestContext>({
      schema,
      graphqlEndpoint: options.endpoint,
      // Nobody comes so far who was not let in.
      context: ({ session, request, observer }) => (session as Session).createContext(request.signal, observer.trace),
      plugins: [
        useAuthentication(options.openSession, options.endpoint),
        useJsonOnly(),
        useBodyLimit(options.limits.bodyBytes),
        useFairScheduling(scheduler),
        // Before whatever looks at the document.
        persistedDocuments,
        useLimits(options.limits, checkCost),
        ...(options.introspection ? [] : [useDisableIntrospection()]),
        useOperationLifecycle({ ...options, scheduler }),
        useRequestObserver(options.onDrift),
        useParserCache(parserCache),
        ...extraPlugins,
      ],
      graphiql: options.graphiql && toGraphiQLOptions({ ...options.graphiql, tracing: options.upstreamTrace }),
      renderGraphiQL: async (page) => {
        if (graphiqlPage) return graphiqlPage;
        const text = await renderGraphiQLPage(page);
        pageContentSecurityPolicy = toContentSecurityPolicy(text);
        graphiqlPage = new TextEncoder().encode(text);
        return graphiqlPage;
      },
      maskedErrors: { maskError: mask },
      // Ours; Yoga's closes the connection without an answer.
      maxRequestBodySize: false,
      // Yoga looks documents up; `useParserCache` keeps them, because it knows the caller.
      parserAndValidationCache: { documentCache: { get: parserCache.get, set: () => {} }, errorCache: DISABLED_CACHE },
      extraParamNames: ID_PARAMETERS,
      // Ours; Yoga's tells strangers that the origin `null` may read, which every sandboxed frame can be, and overwrites `Vary`.
      cors: false,
      multipart: false,
      landingPage: false,
      // Ours; Yoga would answer any method there.
      healthCheckEndpoint: '/health/yoga',
      // Everything unforeseen comes to `onUnexpectedError` once; Yoga would log it again.
      logging: false,
    });
  }
}
