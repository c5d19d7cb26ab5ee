import type { GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { CancellationSignal } from '#cancellation.ts';
import type { IsRouter } from '#http/auth/router-secret.ts';
import type { OpenSession } from '#http/auth/session.ts';
import { createDocumentStore, type TrustedDocument } from '#http/documents/document-store.ts';
import { createParserCache } from '#http/documents/parser-cache.ts';
import type { PersistedDocumentsOptions } from '#http/documents/use-persisted-documents.ts';
import { createFastPath } from '#http/fast-path/execute.ts';
import { createCostCheck } from '#http/limits/cost.ts';
import type { PendingBody } from '#http/limits/request-body-budget.ts';
import type { Limits } from '#http/limits/use-limits.ts';
import {
  type ExecutionRecord,
  storeYogaResponse,
} from '#http/response-cache/store-yoga-response.ts';
import type { Callbacks } from '#http/streams/callback.ts';
import { createOpenStream } from '#http/streams/open-stream.ts';
import { isEligible } from '#http/warm-operations/eligibility.ts';
import { createWarmOperations } from '#http/warm-operations/warm-operations.ts';
import { createGraphiQLPage, createNoticePage } from '#http/yoga/graphiql.ts';
import { createYogaServer } from '#http/yoga/server.ts';
import type { SubscriptionRecord } from '#http/yoga/use-subscriptions.ts';
import type { LiveSubscriptions } from '#live/subscriptions.ts';
import type { RequestObserver } from '#observability/request-observer.ts';
import type { ExampleOperation } from './example-operation.ts';
import { maskError } from './mask-error.ts';
import type { PlainRequest, PlainResponse, RequestHead } from './message.ts';
import { createPlainPipeline, type Fallthrough } from './plain-pipeline.ts';
import type { OnDrift } from './report-operation.ts';
import { afterMicrotasks, createOperationScheduler } from './scheduler.ts';

export interface GraphQLServerOptions {
  readonly endpoint: string;
  readonly schema: GraphQLSchema;
  /** Creates another instance of the schema, for operations that are traced. */
  readonly createSchema: () => GraphQLSchema;
  readonly openSession: OpenSession;
  readonly limits: Limits & { readonly bodyBytes: number };
  /** Absent: subscriptions are rejected. */
  readonly subscriptions: LiveSubscriptions | undefined;
  /** Absent: no event is sent to a callback URL. */
  readonly callbacks: Callbacks | undefined;
  /** Maximum cost of one event of a subscription. */
  readonly maxSubscriptionCost: number;
  /** Whether a request carries a router's secret. */
  readonly isRouter: IsRouter;
  /** Whether bearer tokens are those of an issuer, and expire. */
  readonly hasTokens: boolean;
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
  /** Whether warm operations are executed on the fast path, without Yoga. */
  readonly fastPath: boolean;
  /** Whether the fast path executes operations by plans, without graphql-js where possible. */
  readonly plannedExecution: boolean;
  /** Whether responses to warm operations are cached. */
  readonly responseCache: boolean;
}

export interface GraphQLServer {
  /** @param isFederatedTraced whether a router requests the timings of fields */
  fetch(request: Request, observer: RequestObserver, isFederatedTraced: boolean): Promise<Response>;
  /**
   * Opens a subscription of a WebSocket: its response has a stream, or errors as JSON. Every other
   * operation is rejected.
   */
  subscribe(request: Request, observer: RequestObserver): Promise<Response>;
  /** Whether `handlePlain` can handle a request, as far as its head shows. */
  canHandlePlain(head: RequestHead): boolean;
  /** Like `fetch`, without Fetch objects where possible. */
  handlePlain(request: PlainRequest, observer: RequestObserver): Promise<PlainResponse | Response>;
  /** The content security policy of the page that a browser gets. */
  readonly pageContentSecurityPolicy: string;
}

/**
 * Executes operations: on the plain pipeline (response cache, fast path), and with Yoga. Both use
 * the same sessions, scheduler, documents and limits. They differ only in how they reach the
 * execution.
 */
export function createGraphQLServer(options: GraphQLServerOptions): GraphQLServer {
  const { schema, limits, fastPath, responseCache } = options;
  const documents = createDocumentStore(options.persistedDocuments.documents);
  const persistedDocuments = { ...options.persistedDocuments, documents };
  const parserCache = createParserCache();
  const scheduler = createOperationScheduler({
    ...options,
    runNextIteration: setImmediate,
    afterMicrotasks,
  });
  const parts = {
    ...options,
    persistedDocuments,
    parserCache,
    scheduler,
    checkCost: createCostCheck(limits),
    checkSubscriptionCost: createCostCheck({
      ...limits,
      cost: options.maxSubscriptionCost,
      costSetting: 'MAX_SUBSCRIPTION_COST',
    }),
    maskError: (error: unknown) => maskError(error, options),
    page: options.graphiql
      ? createGraphiQLPage({
          ...options.graphiql,
          hasSubscriptions: options.subscriptions !== undefined,
          tracing: options.upstreamTrace,
        })
      : createNoticePage(),
  };
  const warmOperations = createWarmOperations({
    ...parts,
    documents,
    trustedOnly: persistedDocuments.trustedOnly,
  });
  const plainPipeline = createPlainPipeline({
    ...parts,
    warmOperations,
    executeWarmOperation: fastPath ? createFastPath(parts) : undefined,
    fallThrough,
    maxBodyBytes: limits.bodyBytes,
  });
  const openStream =
    options.subscriptions &&
    createOpenStream({ ...options, ...parts, subscriptions: options.subscriptions });
  const warmUp: Plugin = {
    // A document that is executed has been parsed, validated and measured.
    onExecute({ args: { document } }) {
      warmOperations.markValid(document);
    },
  };
  const yoga = createYogaServer(schema, parts, warmUp);
  let tracingYoga: Promise<typeof yoga> | undefined;

  return {
    async fetch(request, observer, isFederatedTraced) {
      const file = await parts.page.respondWithFile(request);
      if (file) return file;
      if (isFederatedTraced) tracingYoga ??= createTracingYoga().catch(resetTracing);
      const server = isFederatedTraced && tracingYoga ? await tracingYoga : yoga;
      return fetchWith(server, request, observer, {});
    },
    subscribe: (request, observer) =>
      fetchWith(yoga, request, observer, { transport: 'websocket' }),
    canHandlePlain: (head) => (fastPath || responseCache) && isEligible(head, limits.bodyBytes),
    handlePlain: plainPipeline,
    pageContentSecurityPolicy: parts.page.contentSecurityPolicy,
  };

  async function fetchWith(
    server: typeof yoga,
    request: Request,
    observer: RequestObserver,
    subscriptionRecord: SubscriptionRecord,
  ): Promise<Response> {
    const pendingBody: PendingBody = {};
    try {
      const context = { observer, pendingBody, subscriptionRecord };
      const response = await server.fetch(request, context);
      return toStream(request, subscriptionRecord, observer) ?? response;
    } finally {
      pendingBody.reservation?.release();
    }
  }

  async function fallThrough(
    request: PlainRequest,
    { session, body, pendingBody, storable }: Fallthrough,
    observer: RequestObserver,
  ): Promise<PlainResponse | Response> {
    const executionRecord: ExecutionRecord = {};
    const subscriptionRecord: SubscriptionRecord = {};
    const response = await yoga.fetch(request.toRequest(body), {
      observer,
      pendingBody,
      session,
      isScheduled: true,
      executionRecord,
      subscriptionRecord,
    });
    const stream = toStream(request, subscriptionRecord, observer);
    if (stream) return stream;
    return storable ? storeYogaResponse(response, storable, executionRecord) : response;
  }

  /** The stream of a valid subscription. Undefined for every other operation. */
  function toStream(
    request: RequestHead & { readonly signal: CancellationSignal },
    { accepted }: SubscriptionRecord,
    observer: RequestObserver,
  ): Response | Promise<Response> | undefined {
    return accepted && openStream?.(request, accepted, observer);
  }

  async function createTracingYoga() {
    // Loading the tracing plugin takes 30 ms, so only gateways that are asked for traces load it.
    const { useFederatedTracing } = await import('#http/yoga/use-federated-tracing.ts');
    return createYogaServer(options.createSchema(), parts, useFederatedTracing());
  }

  /** Loading may fail because no file handle is left, and succeed the next time. */
  function resetTracing(error: unknown): never {
    tracingYoga = undefined;
    throw error;
  }
}
