import { createCachingClient } from '#cache/caching-client.ts';
import { createNodeTypes } from '#cache/node-types.ts';
import { createFactStore } from '#cache/redis/fact-store.ts';
import type { Settings } from '#config/settings.ts';
import { readTrustedDocuments } from '#config/trusted-documents.ts';
import { createCredentialResolver, toFingerprintSecret } from '#context/credential-resolver.ts';
import {
  createContextFactory,
  EVENT_DEADLINE_MS,
  type RequestContextOptions,
} from '#context/request-context.ts';
import { createUpstreamPollerFactory } from '#context/upstream-poller.ts';
import { createCoordination } from '#coordination/coordination.ts';
import { createSubgraphSchema, shareSubgraphSchema } from '#federation/schema.ts';
import { createAuthenticate } from '#http/auth/authenticate.ts';
import { createLazyJwtVerifier } from '#http/auth/lazy-jwt-verifier.ts';
import { createOpenSession } from '#http/auth/open-session.ts';
import { createRouterCheck } from '#http/auth/router-secret.ts';
import { createCallbacks } from '#http/callback/callbacks.ts';
import { findInvalidDocuments } from '#http/documents/validate-trusted.ts';
import { createHandler } from '#http/handler.ts';
import { createRequestBodyBudget } from '#http/limits/request-body-budget.ts';
import { createUnsentResponseBudget } from '#http/limits/unsent-response-budget.ts';
import { type CachedResponse, toSessionCache } from '#http/response-cache/cached-response.ts';
import { GRAPHQL_ENDPOINT } from '#http/routes.ts';
import { toLiveOptions } from '#live/live-options.ts';
import { createLiveSubscriptions } from '#live/subscriptions.ts';
import { createConditions } from '#observability/conditions.ts';
import { createLogger } from '#observability/logger.ts';
import { createMetrics } from '#observability/metrics.ts';
import { createOperationNamer } from '#observability/operation-names.ts';
import { createRefusedOriginLog } from '#observability/refused-origins.ts';
import { createRequestObserver } from '#observability/request-observer.ts';
import { createServerObserver } from '#observability/server-observer.ts';
import { standardOutput } from '#observability/standard-output.ts';
import { createTracing } from '#observability/tracing.ts';
import { createUpstreamObserver } from '#observability/upstream-observer.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import { createRestClient } from '#rest/client.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createBodyLimiter } from '#rest/resilience/body-limiter.ts';
import { createRevoxApiFactory } from '#rest/revox-api.ts';
import { createJsonFetch } from '#rest/transport/json-fetch.ts';
import { createFetchTransport } from '#rest/transport/transport.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { toUserAgent } from '#rest/transport/user-agent.ts';
import type { Gateway } from './gateway-interface.ts';
import { checkGatewayArguments, type GatewayOptions } from './gateway-options.ts';
import * as systemClock from './system-clock.ts';

export type { Gateway } from './gateway-interface.ts';
export type { GatewayOptions } from './gateway-options.ts';

/**
 * Creates a gateway from its settings.
 * @throws SettingsError if a file that the settings name cannot be read; TypeError
 */
export function createGateway(settings: Settings, options: GatewayOptions = {}): Gateway {
  checkGatewayArguments(settings, options);
  const { revox, cache, trustedDocuments } = settings;
  const {
    now = Date.now,
    monotonicNow = systemClock.monotonicNow,
    startTimer = systemClock.startTimer,
    random = Math.random,
  } = options;
  const clock = { now, monotonicNow, startTimer };
  const { startTimer: startOperationTimer = systemClock.startOperationTimer } = options;
  const { log = createLogger(settings.log, standardOutput(systemClock.startTimer)) } = options;
  // First, because an error here leaves nothing open.
  const documents =
    trustedDocuments.path === undefined ? [] : readTrustedDocuments(trustedDocuments.path);
  const isServiceMode = revox.apiKey !== undefined;
  const hasRouterSecrets = settings.routerSecrets.length > 0;
  const isAnonymousAllowed = isServiceMode && !hasRouterSecrets && settings.jwt === undefined;
  const userAgent = toUserAgent(revox.userAgentComment);
  const undiciTransport = createUndiciTransport({
    ...revox.timeouts,
    userAgent,
    proxies: revox.proxies,
    startTimer,
  });
  let isDraining = false;

  const keyHolder = isServiceMode ? 'gateway' : 'caller';
  const conditions = createConditions({
    baseUrl: revox.baseUrl,
    keyHolder,
    upstreamState: () => restClient.state,
    log,
    ...clock,
  });
  const metrics = createMetrics({
    conditionStates: conditions.readStates,
    upstreamState: () => restClient.state,
    cacheState: () => cachingClient.state,
    unsentBytes: () => unsentBudget.totalBytes(),
    processClock: options.processMetrics ? { monotonicNow, startTimer } : undefined,
    liveState: () => subscriptions?.state(),
    onLiveError: (error) => serverObserver.onUnexpectedError(error),
  });
  const tracing = createTracing({ provider: options.tracerProvider, baseUrl: revox.baseUrl });
  const upstreamObserver = createUpstreamObserver({
    metrics,
    tracing,
    conditions: conditions.upstream,
    log,
    now,
  });
  const serverObserver = createServerObserver(metrics, log);

  const fingerprintSecret = toFingerprintSecret(cache, revox.baseUrl);
  const coordination = createCoordination(settings, {
    onStatusChange: conditions.onRedisStatusChange,
    log: log.info,
    secret: fingerprintSecret ?? '',
    ...clock,
  });
  const acceptedCredentials = createAcceptedCredentials({ keyHolder, monotonicNow });
  const restClient = createRestClient({
    ...revox,
    transport: options.fetch
      ? createFetchTransport(options.fetch, startTimer)
      : undiciTransport.transport,
    userAgent,
    keyHolder,
    acceptedCredentials,
    events: upstreamObserver.events,
    shareLimits: coordination?.shareLimits,
    ...clock,
    random,
  });
  const nodeTypes = createNodeTypes(now);
  const subscriptions = settings.live.isEnabled
    ? createLiveSubscriptions({
        ...toLiveOptions(settings),
        events: metrics.liveEvents,
        ...clock,
        random,
        expire: (...entry) => cachingClient.expire(...entry),
        leases: coordination?.pollLeases,
      })
    : undefined;
  const cachingClient = createCachingClient<CachedResponse>(restClient.send, {
    ...cache,
    credentialRecheckMs: isServiceMode ? Number.POSITIVE_INFINITY : cache.credentialRecheckMs,
    maxRevalidations: Math.ceil(revox.maxConcurrency / 2),
    secondTier: coordination?.tier,
    onCredentialRejected(fingerprint, error) {
      nodeTypes.revoke(fingerprint);
      subscriptions?.revoke(fingerprint, error);
    },
    onWrite: subscriptions?.offer,
    events: metrics.cacheEvents,
    ...clock,
  });
  const endpointFacts = createEndpointFacts({ ...revox, monotonicNow });
  const apiOptions = { ...revox, monotonicNow };
  const contextOptions: RequestContextOptions = {
    createRevoxApi: createRevoxApiFactory(cachingClient.fetch, apiOptions),
    factsOf: (credential) =>
      endpointFacts({
        fingerprint: credential.fingerprint,
        sharedFacts: coordination && createFactStore(coordination.tier, credential),
      }),
    nodeTypesOf: nodeTypes.of,
    maxUpstreamRequests: settings.maxUpstreamRequests,
    maxUpstreamBytes: settings.maxUpstreamBytes,
    bodyLimiter: createBodyLimiter(),
    responseLimits: { maxBytes: settings.limits.responseBytes, maxErrors: settings.limits.errors },
    deadlineMs: settings.requestDeadlineMs,
    startTimer: startOperationTimer,
    monotonicNow,
  };
  const callbacks = createCallbacks(settings, { userAgent, startTimer, startOperationTimer });
  const isRouter = createRouterCheck(settings.routerSecrets);
  const authenticate = createAuthenticate({
    hasRouterSecrets,
    isRouter,
    isAnonymousAllowed,
    corsOrigins: settings.corsOrigins,
    verifyToken:
      settings.jwt &&
      createLazyJwtVerifier({
        ...settings.jwt,
        fetchKeys: options.fetchKeys ?? createJsonFetch(undiciTransport.transport, userAgent),
        onFetchFailed: conditions.onKeysFetchFailed,
        onFetched: conditions.onKeysFetched,
        now,
      }),
  });
  const resolveCredential = createCredentialResolver({
    apiKey: revox.apiKey,
    cacheSecret: fingerprintSecret,
  });

  const unsentBudget = createUnsentResponseBudget({
    maxBytes: settings.unsent.maxBytes,
    // Without tokens, service mode does not distinguish callers: all of them are one owner.
    maxBytesPerOwner:
      isServiceMode && !settings.jwt ? settings.unsent.maxBytes : settings.unsent.maxBytesPerCaller,
    onLimitExceeded: metrics.onLimitExceeded,
  });

  const schema = shareSubgraphSchema(settings.live.isEnabled);
  for (const line of findInvalidDocuments(schema, documents)) log.info(line);
  const handler = createHandler({
    basePath: settings.basePath,
    schema,
    createSchema: () => createSubgraphSchema(settings.live.isEnabled),
    openSession: createOpenSession({
      authenticate,
      resolveCredential,
      acceptedCredentials,
      requestBodyBudget: createRequestBodyBudget({ maxBodyBytes: settings.limits.bodyBytes }),
      unsentBudget,
      responseCacheOf:
        options.responseCache === false
          ? undefined
          : (fingerprint) => toSessionCache(cachingClient.responses, fingerprint),
      createContext: createContextFactory(contextOptions),
      createEventContext: createContextFactory({
        ...contextOptions,
        maxUpstreamRequests: settings.live.maxUpstreamRequests,
        deadlineMs: EVENT_DEADLINE_MS,
      }),
      createPoller: createUpstreamPollerFactory({
        ...contextOptions,
        createSharedApi: createRevoxApiFactory(cachingClient.fetchShared, apiOptions),
      }),
    }),
    unsentBudget,
    isRouter,
    isLoopbackOnly: isAnonymousAllowed,
    fastPath: options.fastPath ?? true,
    plannedExecution: options.plannedExecution ?? true,
    responseCache: options.responseCache ?? true,
    corsOrigins: settings.corsOrigins,
    onOriginRefused: createRefusedOriginLog({ log, monotonicNow }),
    compression: settings.compression,
    isReady: () => !isDraining,
    upstreamStatus: () => ({
      ...restClient.state,
      lastResponseAt: upstreamObserver.lastResponseAt,
    }),
    conditionStatus: conditions.readStates,
    metrics,
    observeRequest: createRequestObserver({
      operationRoute: GRAPHQL_ENDPOINT,
      log,
      metrics,
      tracing,
      nameOperation: createOperationNamer(),
      logsPersonalData: settings.log.personalData,
      monotonicNow,
    }),
    limits: settings.limits,
    subscriptions,
    callbacks,
    webhookSecrets: settings.live.webhookSecrets,
    onWebhook: metrics.liveEvents.onWebhook,
    maxSubscriptionCost: settings.live.maxCost,
    hasTokens: settings.jwt !== undefined,
    introspection: settings.introspection,
    persistedDocuments: { documents, trustedOnly: trustedDocuments.trustedOnly, isRouter },
    graphiql: settings.graphiql && {
      operations: options.exampleOperations ?? [],
      requiresApiKey: !isServiceMode,
    },
    upstreamTrace: settings.upstreamTrace,
    onUnexpectedError: serverObserver.onUnexpectedError,
    onLimitExceeded: metrics.onLimitExceeded,
    onDrift: metrics.onDrift,
    now,
    monotonicNow,
    startTimer: startOperationTimer,
  });

  return {
    ...handler,
    ...serverObserver,
    drain: async () => {
      isDraining = true;
      subscriptions?.drain();
      await callbacks?.drain();
    },
    dispose: async () => {
      conditions.close();
      await Promise.all([undiciTransport.close(), callbacks?.close(), coordination?.close()]);
    },
  };
}
