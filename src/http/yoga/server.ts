import type { GraphQLError, GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import type { OpenSession, Session } from '#http/auth/session.ts';
import type { ParserCache } from '#http/documents/parser-cache.ts';
import { useParserCache } from '#http/documents/use-parser-cache.ts';
import {
  type PersistedDocumentsOptions,
  usePersistedDocuments,
} from '#http/documents/use-persisted-documents.ts';
import { prefersHtml } from '#http/headers/media-type.ts';
import type { CostInput } from '#http/limits/operation-cost.ts';
import type { PendingBody } from '#http/limits/request-body-budget.ts';
import { useBodyLimit } from '#http/limits/use-body-limit.ts';
import { type Limits, useLimits } from '#http/limits/use-limits.ts';
import type { OnDrift } from '#http/report-operation.ts';
import type { ExecutionRecord } from '#http/response-cache/store-yoga-response.ts';
import type { OperationScheduler } from '#http/scheduler.ts';
import type { RequestObserver } from '#observability/request-observer.ts';
import type { BrowserPage } from './graphiql.ts';
import { useAuthentication } from './use-authentication.ts';
import { useDisableIntrospection } from './use-disable-introspection.ts';
import { useFairScheduling } from './use-fair-scheduling.ts';
import { useJsonOnly } from './use-json-only.ts';
import { useMediaType } from './use-media-type.ts';
import { useOperationLifecycle } from './use-operation-lifecycle.ts';
import { useParameters } from './use-parameters.ts';
import { useReadOnly } from './use-read-only.ts';
import { useRequestObserver } from './use-request-observer.ts';
import { type SubscriptionRecord, useSubscriptions } from './use-subscriptions.ts';

export interface YogaServerOptions {
  readonly endpoint: string;
  readonly openSession: OpenSession;
  readonly scheduler: OperationScheduler;
  readonly limits: Limits & { readonly bodyBytes: number };
  /** @throws for an operation over a cost limit */
  readonly checkCost: (input: CostInput) => void;
  /** @throws for a subscription over its cost limit */
  readonly checkSubscriptionCost: (input: CostInput) => void;
  /** Undefined: no event is sent to a callback URL. */
  readonly callbacks: object | undefined;
  readonly introspection: boolean;
  readonly persistedDocuments: PersistedDocumentsOptions;
  readonly parserCache: ParserCache;
  /** GraphiQL, or a page that says that it is off. */
  readonly page: BrowserPage;
  /** Whether `x-revox-trace: 1` adds `extensions.upstream` to a response. */
  readonly upstreamTrace: boolean;
  readonly maskError: (error: unknown) => GraphQLError;
  readonly onDrift: OnDrift;
  /** Current time, in ms. */
  readonly now: () => number;
}

/** Yoga's server context of a request. */
interface ServerContext {
  readonly observer: RequestObserver;
  /** Absent: the request is not authenticated yet. */
  readonly session?: Session;
  /** Whether the request has already waited for its turn. */
  readonly isScheduled?: boolean;
  readonly pendingBody: PendingBody;
  /** Filled when the operation has been executed. */
  readonly executionRecord?: ExecutionRecord;
  readonly subscriptionRecord: SubscriptionRecord;
}

/** Parse errors are not cached: a document that does not parse is parsed again. */
const DISABLED_CACHE = { get: () => undefined, set: () => {} };

/** Yoga with the plugins of the gateway. Each plugin documents its own purpose. */
export function createYogaServer(
  schema: GraphQLSchema,
  options: YogaServerOptions,
  extraPlugin: Plugin,
) {
  const { scheduler, limits, parserCache, page } = options;
  return createYoga<ServerContext, RequestContext>({
    schema,
    graphqlEndpoint: options.endpoint,
    // Authentication has already run.
    context: ({ session, request, observer }) =>
      (session as Session).createContext(request.signal, observer.trace),
    plugins: [
      useAuthentication(options.openSession),
      useMediaType(),
      useJsonOnly(),
      useBodyLimit(limits.bodyBytes),
      useFairScheduling(scheduler),
      // Before every plugin that reads the document.
      usePersistedDocuments(options.persistedDocuments),
      useParameters(),
      useReadOnly(schema),
      useLimits(limits, options.checkCost),
      ...(options.introspection ? [] : [useDisableIntrospection()]),
      useOperationLifecycle(options),
      useSubscriptions(options.checkSubscriptionCost, options.callbacks !== undefined),
      useRequestObserver(options.onDrift),
      useParserCache(parserCache),
      extraPlugin,
    ],
    graphiql: (request) => prefersHtml(request.headers.get('accept')) && page.options,
    renderGraphiQL: page.render,
    maskedErrors: { maskError: options.maskError },
    // `useBodyLimit` replaces it: Yoga's limit closes the connection without a response.
    maxRequestBodySize: false,
    // Yoga only reads the document cache. `useParserCache` writes it, because it knows the caller.
    parserAndValidationCache: {
      documentCache: { get: parserCache.get, set: () => {} },
      errorCache: DISABLED_CACHE,
    },
    // `createCors` replaces Yoga's CORS, which overwrites `Vary`, and lets every sandboxed frame
    // (origin `null`) read responses.
    cors: false,
    multipart: false,
    landingPage: false,
    // `createHealthEndpoints` replaces Yoga's health check, which accepts any method. Yoga responds
    // without authentication to each URL that ends with this text. No URL ends with a space.
    healthCheckEndpoint: ' ',
    // `onUnexpectedError` gets every unexpected error once. Yoga would log it again.
    logging: false,
  });
}
