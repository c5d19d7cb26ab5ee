import { createCachingClient } from '#cache/caching-client.ts';
import { createNodeTypes } from '#cache/node-types.ts';
import { createFactStore } from '#cache/redis/fact-store.ts';
import { createRedisTier } from '#cache/redis/redis-tier.ts';
import { isProxyConfigured } from '#config/proxy.ts';
import type { JwtSettings, Settings } from '#config/settings.ts';
import { readTrustedDocuments } from '#config/trusted-documents.ts';
import { createCredentialResolver, type ResolveCredential } from '#context/credential-resolver.ts';
import { createContextFactory, type RequestContext } from '#context/request-context.ts';
import { createSubgraphSchema } from '#federation/schema.ts';
import { createAuthenticate } from '#http/auth/authenticate.ts';
import type { VerifyToken } from '#http/auth/jwt.ts';
import { createLazyJwtVerifier } from '#http/auth/lazy-jwt-verifier.ts';
import { createRouterCheck } from '#http/auth/router-secret.ts';
import type { CachedResponse, Session, SessionResponseCache } from '#http/auth/session.ts';
import { findInvalidDocuments } from '#http/documents/validate-trusted.ts';
import type { DisconnectReason, RejectedRequest } from '#http/error-response.ts';
import type { ExampleOperation } from '#http/example-operation.ts';
import { createHandler, GRAPHQL_ENDPOINT } from '#http/handler.ts';
import { type BodyReservation, createRequestBodyBudget } from '#http/limits/request-body-budget.ts';
import { createUnsentResponseBudget } from '#http/limits/unsent-response-budget.ts';
import type { Handler, RequestHead } from '#http/message.ts';
import type { Log } from '#observability/log.ts';
import { createLogger } from '#observability/logger.ts';
import { createMetrics } from '#observability/metrics.ts';
import { createOperationNamer } from '#observability/operation-names.ts';
import { createRequestObserver } from '#observability/request-observer.ts';
import { createTracing, type TracerProvider } from '#observability/tracing.ts';
import { createUpstreamObserver } from '#observability/upstream-observer.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import { createRestClient } from '#rest/client.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createBodyLimiter } from '#rest/resilience/body-limiter.ts';
import { createRevoxApiFactory } from '#rest/revox-api.ts';
import { createJsonFetch } from '#rest/transport/json-fetch.ts';
import { createFetchTransport } from '#rest/transport/transport.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import type { UpstreamState } from '#rest/upstream-events.ts';

export interface Gateway extends Handler {
  /**
   * Answers a request. It opens no port: mount it wherever requests come in; its places are `/graphql`, `/health`, `/ready` and
   * `/metrics`, at the root.
   * Rejects only when the request is aborted: then nobody waits.
   */
  fetch(request: Request): Promise<Response>;
  /** From now on `/ready` says no; what is under way goes on. */
  drain(): void;
  /** The server around it has refused a request that never got here: that is told like all others, in the log and in the metrics. */
  onRejected(rejected: RejectedRequest): void;
  /** The server around it has closed a connection that its client did not use. */
  onDisconnected(reason: DisconnectReason): void;
  /** Something went wrong around it that nobody foresaw: it is told like its own faults. */
  onUnexpectedError(error: unknown): void;
  /** Closes what is open towards the upstream and Redis. */
  dispose(): Promise<void>;
}

export interface GatewayOptions {
  /** Sends a request upstream, in the place of real sockets. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Asks the issuer of bearer tokens for its keys, in the place of real sockets. */
  readonly fetchKeys?: (request: Request) => Promise<Response>;
  /** Operations for GraphiQL's tabs. */
  readonly exampleOperations?: readonly ExampleOperation[];
  /** Default: lines on the standard output, as the settings say. */
  readonly log?: Log;
  /** Makes spans, in the place of the provider that the process has registered with OpenTelemetry's API. */
  readonly tracerProvider?: TracerProvider;
  /** Whether `/metrics` tells of the process, too. Only where it is all there is in the process. */
  readonly processMetrics?: boolean;
  /** Whether an operation whose document has come before goes past Yoga, the short way. Default true; the answers are the same. */
  readonly fastPath?: boolean;
  /** Whether whole answers are kept beside what they are made of. Default true. */
  readonly responseCache?: boolean;
  /** Current time, in ms. */
  readonly now?: () => number;
  /** A clock for durations, ms and parts of it; it never goes back. */
  readonly monotonicNow?: () => number;
  /** Calls back after a time, ms; returns what calls that off. */
  readonly startTimer?: (ms: number, onTime: () => void) => () => void;
  /** Chance, 0 to 1: those who failed together shall not come back together. */
  readonly random?: () => number;
}

/**
 * Builds a gateway from its settings.
 * @throws SettingsError when what `TRUSTED_DOCUMENTS` names cannot be read
 */
export function createGateway(settings: Settings, options: GatewayOptions = {}): Gateway {
  const { revox, cache, trustedDocuments } = settings;
  const { now = Date.now, monotonicNow = systemMonotonicNow, startTimer = startSystemTimer, random = Math.random } = options;
  const { log = createLogger(settings.log) } = options;
  // First: what fails here leaves nothing open.
  const documents = trustedDocuments.path === undefined ? [] : readTrustedDocuments(trustedDocuments.path);
  const isServiceMode = revox.apiKey !== undefined;
  const requiresRouterSecret = settings.routerSecrets.length > 0;
  const isAnonymousAllowed = isServiceMode && !requiresRouterSecret && settings.jwt === undefined;
  const undiciTransport = createUndiciTransport({ ...revox.timeouts, isProxyConfigured: isProxyConfigured(), startTimer });
  let isDraining = false;

  const metrics = createMetrics({
    upstreamState: () => restClient.state,
    cacheState: () => cachingClient.state,
    unsentBytes: () => unsentBudget.totalBytes(),
    includeProcess: options.processMetrics ?? false,
  });
  const tracing = createTracing({ provider: options.tracerProvider, baseUrl: revox.baseUrl });
  const upstreamObserver = createUpstreamObserver(metrics, tracing, now);

  const keyHolder = isServiceMode ? 'gateway' : 'caller';
  const acceptedCredentials = createAcceptedCredentials({ keyHolder, monotonicNow });
  const restClient = createRestClient({
    ...revox,
    transport: options.fetch ? createFetchTransport(options.fetch) : undiciTransport.transport,
    keyHolder,
    acceptedCredentials,
    events: upstreamObserver.events,
    now,
    monotonicNow,
    startTimer,
    random,
  });
  const nodeTypes = createNodeTypes(now);
  const redis =
    cache.redisUrl === undefined
      ? undefined
      : createRedisTier({ url: cache.redisUrl, timeoutMs: cache.redisTimeoutMs, now, startTimer, onStatusChange: log.error });
  const cachingClient = createCachingClient<CachedResponse>(restClient.send, {
    ...cache,
    credentialRecheckMs: isServiceMode ? Number.POSITIVE_INFINITY : cache.credentialRecheckMs,
    maxRevalidations: Math.ceil(revox.maxConcurrency / 2),
    secondTier: redis,
    onCredentialRevoked: nodeTypes.revoke,
    events: metrics.cacheEvents,
    now,
    monotonicNow,
    startTimer,
  });
  const endpointFacts = createEndpointFacts({ ...revox, monotonicNow });
  const createContext = createContextFactory({
    createRevoxApi: createRevoxApiFactory(cachingClient.fetch, revox),
    factsOf: (credential) =>
      endpointFacts({
        fingerprint: credential.fingerprint,
        sharedFacts: redis && createFactStore(redis, credential),
      }),
    nodeTypesOf: nodeTypes.of,
    maxUpstreamRequests: settings.maxUpstreamRequests,
    maxUpstreamBytes: settings.maxUpstreamBytes,
    bodyLimiter: createBodyLimiter(),
    responseLimits: { maxBytes: settings.limits.responseBytes, maxErrors: settings.limits.errors },
    deadlineMs: settings.requestDeadlineMs,
    startTimer,
    monotonicNow,
  });
  const isRouter = createRouterCheck(settings.routerSecrets);
  const authenticate = createAuthenticate({
    requiresRouterSecret,
    isRouter,
    isAnonymousAllowed,
    corsOrigins: settings.corsOrigins,
    verifyToken: settings.jwt && createTokenVerifier(settings.jwt),
  });
  const resolveCredential = createCredentialResolver({ apiKey: revox.apiKey, cacheSecret: toCacheSecret(settings) });

  const unsentBudget = createUnsentResponseBudget({
    maxBytes: settings.unsent.maxBytes,
    // Where callers are not told apart, all of them are one.
    maxBytesPerOwner: isServiceMode && !settings.jwt ? settings.unsent.maxBytes : settings.unsent.maxBytesPerCaller,
    onLimitExceeded: metrics.onLimitExceeded,
  });

  const requestBodyBudget = createRequestBodyBudget({ maxBodyBytes: settings.limits.bodyBytes });

  /** A class: one object for each request, where a literal with a closure for each method took 0.5 % of a cached answer. */
  class GatewaySession implements Session {
    readonly callerKey: string;
    readonly #credential: ReturnType<ResolveCredential>;
    readonly #caller: string | undefined;
    readonly #request: RequestHead;

    constructor(credential: ReturnType<ResolveCredential>, caller: string | undefined, request: RequestHead) {
      this.#credential = credential;
      this.#caller = caller;
      this.#request = request;
      this.callerKey = caller === undefined ? credential.fingerprint : `${credential.fingerprint} ${caller}`;
    }

    get responseCache(): SessionResponseCache {
      return responseCacheOf(this.#credential.fingerprint);
    }

    isCredentialAccepted(): boolean {
      return acceptedCredentials.has(this.#credential.fingerprint);
    }

    reserveBody(): BodyReservation {
      return requestBodyBudget.reserve(this, this.#request);
    }

    checkUnsentBudget(): void {
      unsentBudget.check(this);
    }

    createContext(clientSignal: AbortSignal, trace: unknown): RequestContext {
      return createContext({ credential: this.#credential, caller: this.#caller, clientSignal, trace });
    }
  }

  const schema = createSubgraphSchema();
  for (const line of findInvalidDocuments(schema, documents)) log.info(line);

  const handler = createHandler({
    schema,
    createSchema: createSubgraphSchema,
    async openSession(request) {
      const subject = await authenticate(request);
      const credential = resolveCredential(request.headers);
      const session = new GatewaySession(credential, subject, request);
      // A key is accepted by its first operation, which other callers' unread answers must not prevent.
      if (session.isCredentialAccepted()) session.checkUnsentBudget();
      return session;
    },
    unsentBudget,
    isRouter,
    isLoopbackOnly: isAnonymousAllowed,
    fastPath: options.fastPath ?? true,
    corsOrigins: settings.corsOrigins,
    compression: settings.compression,
    isReady: () => !isDraining,
    upstreamStatus: () => toUpstreamStatus(restClient.state, upstreamObserver.lastResponseAt),
    metrics,
    observeRequest: createRequestObserver({
      operationRoute: GRAPHQL_ENDPOINT,
      log,
      metrics,
      tracing,
      nameOperation: createOperationNamer(MAX_OPERATION_NAMES),
      logsPersonalData: settings.log.personalData,
      monotonicNow,
    }),
    limits: settings.limits,
    introspection: settings.introspection,
    persistedDocuments: { documents, trustedOnly: trustedDocuments.trustedOnly, isRouter },
    graphiql: settings.graphiql && { operations: options.exampleOperations ?? [], requiresApiKey: !isServiceMode },
    upstreamTrace: settings.upstreamTrace,
    onUnexpectedError,
    onLimitExceeded: metrics.onLimitExceeded,
    onDrift: metrics.onDrift,
    now,
    monotonicNow,
    startTimer,
  });

  return {
    ...handler,
    onUnexpectedError,
    onRejected({ status, code, setting }) {
      metrics.onResponse(NO_ROUTE, status);
      metrics.onRejected(code);
      if (setting !== undefined) metrics.onLimitExceeded(setting);
      log.info('refused', { status, code });
    },
    onDisconnected(reason) {
      metrics.onDisconnected(reason);
      // Connections that say nothing are free: a line for each would be an attack on the log.
      if (reason === 'unread') log.info('closed the connection of a client that does not read its answer');
    },
    drain: () => {
      isDraining = true;
    },
    dispose: async () => {
      await Promise.all([undiciTransport.close(), redis?.close()]);
    },
  };

  function responseCacheOf(fingerprint: string): SessionResponseCache {
    const { responses } = cachingClient;
    return {
      get: (key) => (options.responseCache === false ? undefined : responses.get(fingerprint, key)),
      startStore(key) {
        const fence = responses.takeFence();
        return (response) => responses.set(fingerprint, key, response, fence);
      },
    };
  }

  function onUnexpectedError(error: unknown): void {
    metrics.onUnexpectedError();
    log.unexpected(error);
  }

  function createTokenVerifier(jwt: JwtSettings): VerifyToken {
    const fetchKeys = options.fetchKeys ?? createJsonFetch(undiciTransport.transport);
    return createLazyJwtVerifier({ ...jwt, fetchKeys, onStatusChange: log.error, now });
  }
}

/** The place of what was refused before it had one. */
const NO_ROUTE = 'none';

/** Names of operations that are counted one by one: each is some fifteen series for each code that it ends with. */
const MAX_OPERATION_NAMES = 100;

/** What `/ready` says of the upstream. */
function toUpstreamStatus({ breaker, queued, inFlight, coolingDown }: UpstreamState, lastAnswerAt: number | undefined) {
  return {
    breaker,
    waiting: queued,
    inFlight,
    paused: coolingDown,
    lastAnswerAt: lastAnswerAt === undefined ? null : new Date(lastAnswerAt).toISOString(),
  };
}

/**
 * Instances that share a Redis know each other's fingerprints: by a secret, or else by the credentials alone. The upstream is part of it: a
 * key that two of them take names two callers.
 */
function toCacheSecret({ cache, revox }: Settings): string | undefined {
  const isShared = cache.redisUrl !== undefined;
  return cache.secret === undefined && !isShared ? undefined : `${cache.secret ?? ''} ${revox.baseUrl}`;
}

function startSystemTimer(ms: number, onTime: () => void): () => void {
  const timer = setTimeout(onTime, ms);
  timer.unref();
  return () => clearTimeout(timer);
}

function systemMonotonicNow(): number {
  return performance.now();
}
