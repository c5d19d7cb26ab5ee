import type { GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
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
import { isEligible } from '#http/warm-operations/eligibility.ts';
import { createWarmOperations } from '#http/warm-operations/warm-operations.ts';
import { createGraphiQLPage } from '#http/yoga/graphiql.ts';
import { createYogaServer } from '#http/yoga/server.ts';
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
  /** Whether `handlePlain` can handle a request, as far as its head shows. */
  canHandlePlain(head: RequestHead): boolean;
  /** Like `fetch`, without Fetch objects where possible. */
  handlePlain(request: PlainRequest, observer: RequestObserver): Promise<PlainResponse | Response>;
  /** The content security policy of GraphiQL's page. Undefined until the page is served. */
  readonly pageContentSecurityPolicy: string | undefined;
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
    maskError: (error: unknown) => maskError(error, options),
    graphiqlPage: options.graphiql
      ? createGraphiQLPage({ ...options.graphiql, tracing: options.upstreamTrace })
      : undefined,
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
    maxBodyBytes: limits.bodyBytes,
  });
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
      const pendingBody: PendingBody = {};
      try {
        if (!isFederatedTraced) return await yoga.fetch(request, { observer, pendingBody });
        tracingYoga ??= createTracingYoga().catch(resetTracing);
        return await (await tracingYoga).fetch(request, { observer, pendingBody });
      } finally {
        pendingBody.reservation?.release();
      }
    },
    canHandlePlain: (head) => (fastPath || responseCache) && isEligible(head, limits.bodyBytes),
    async handlePlain(request, observer) {
      const pendingBody: PendingBody = {};
      try {
        const result = await plainPipeline(request, pendingBody, observer);
        return 'session' in result
          ? await fallThrough(request, result, pendingBody, observer)
          : result;
      } finally {
        pendingBody.reservation?.release();
      }
    },
    get pageContentSecurityPolicy() {
      return parts.graphiqlPage?.contentSecurityPolicy;
    },
  };

  async function fallThrough(
    request: PlainRequest,
    { session, body, storable }: Fallthrough,
    pendingBody: PendingBody,
    observer: RequestObserver,
  ): Promise<PlainResponse | Response> {
    const executionRecord: ExecutionRecord = {};
    const response = await yoga.fetch(request.toRequest(body), {
      observer,
      pendingBody,
      session,
      isScheduled: true,
      executionRecord,
    });
    return storable ? storeYogaResponse(response, storable, executionRecord) : response;
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
