import { createNodeTypes } from '#cache/node-types.ts';
import { createNotebook } from '#cache/notebook.ts';
import { createRedisTier } from '#cache/redis-tier.ts';
import { createRememberingAsk } from '#cache/remember.ts';
import { isProxyNamed } from '#config/proxy.ts';
import type { JwtSettings, Settings } from '#config/settings.ts';
import { readTrustedDocuments } from '#config/trusted-documents.ts';
import { createIdentify, type Identify } from '#context/caller.ts';
import { createContextFactory, type RequestContext } from '#context/request-context.ts';
import { createSubgraphSchema } from '#federation/schema.ts';
import { createAdmission } from '#http/admission.ts';
import type { Handler, RequestHead } from '#http/exchange.ts';
import { createHandler, GRAPHQL_ENDPOINT } from '#http/handler.ts';
import { createLateTokenCheck } from '#http/late-token-check.ts';
import { tellOutdated } from '#http/outdated-documents.ts';
import type { ReadyOperation } from '#http/ready-operation.ts';
import type { DisconnectReason, ServerRefusal } from '#http/refusal.ts';
import { createRequestBytes, type HeldBody } from '#http/request-bytes.ts';
import { createRouterCheck } from '#http/router-secret.ts';
import type { CheckToken } from '#http/token.ts';
import { createUnsentBytes } from '#http/unsent-bytes.ts';
import type { Admission, OperationAnswer, OwnAnswers } from '#http/use-admission.ts';
import type { Log } from '#observability/log.ts';
import { createMetrics } from '#observability/metrics.ts';
import { createOperationNames } from '#observability/operation-names.ts';
import { createRequestWatch } from '#observability/request-watch.ts';
import { createStructuredLog } from '#observability/structured-log.ts';
import { createTracing, type TracerProvider } from '#observability/tracing.ts';
import { createUpstreamWatch } from '#observability/upstream-watch.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import { createAcceptedCredentials } from '#rest/accepted-credentials.ts';
import { createBodyLimiter } from '#rest/body-limiter.ts';
import { createRestClient } from '#rest/client.ts';
import { createDocumentFetch } from '#rest/document.ts';
import { createRestFactory } from '#rest/endpoints.ts';
import { toTransport } from '#rest/transport.ts';
import { createUndiciTransport } from '#rest/undici-transport.ts';
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
  onRefused(refusal: ServerRefusal): void;
  /** The server around it has closed a connection that its client did not use. */
  onDisconnected(reason: DisconnectReason): void;
  /** Something went wrong around it that nobody foresaw: it is told like its own faults. */
  onBug(error: unknown): void;
  /** Closes what is open towards the upstream and Redis. */
  dispose(): Promise<void>;
}

export interface GatewayOptions {
  /** Sends a request upstream, in the place of real sockets. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Asks the issuer of bearer tokens for its keys, in the place of real sockets. */
  readonly fetchKeys?: (request: Request) => Promise<Response>;
  /** Operations for GraphiQL's tabs. */
  readonly readyOperations?: readonly ReadyOperation[];
  /** Default: lines on the standard output, as the settings say. */
  readonly log?: Log;
  /** Makes spans, in the place of the provider that the process has registered with OpenTelemetry's API. */
  readonly tracerProvider?: TracerProvider;
  /** Whether `/metrics` tells of the process, too. Only where it is all there is in the process. */
  readonly processMetrics?: boolean;
  /** Whether an operation whose document has come before goes past Yoga, the short way. Default true; the answers are the same. */
  readonly hasShortWay?: boolean;
  /** Whether whole answers are kept beside what they are made of. Default true. */
  readonly keepsAnswers?: boolean;
  /** The clock, ms. */
  readonly now?: () => number;
  /** A clock for durations, ms and parts of it; it never goes back. */
  readonly elapsed?: () => number;
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
  const { now = Date.now, elapsed = monotonicNow, startTimer = startSystemTimer, random = Math.random } = options;
  const { log = createStructuredLog(settings.log) } = options;
  // First: what fails here leaves nothing open.
  const documents = trustedDocuments.path === undefined ? [] : readTrustedDocuments(trustedDocuments.path);
  const isServiceMode = revox.apiKey !== undefined;
  const asksForSecret = settings.routerSecrets.length > 0;
  const isOpen = isServiceMode && !asksForSecret && settings.jwt === undefined;
  const sockets = createUndiciTransport({ ...revox.timeouts, mayNeedProxy: isProxyNamed(), startTimer });
  let isDraining = false;

  const metrics = createMetrics({
    upstreamState: () => rest.state,
    cacheState: () => remembering.state,
    unsentBytes: () => unsentBytes.total(),
    ofProcess: options.processMetrics ?? false,
  });
  const tracing = createTracing({ provider: options.tracerProvider, baseUrl: revox.baseUrl });
  const upstreamWatch = createUpstreamWatch(metrics, tracing, now);

  const keyHolder = isServiceMode ? 'gateway' : 'caller';
  const acceptedCredentials = createAcceptedCredentials({ keyHolder, elapsed });
  const rest = createRestClient({
    ...revox,
    transport: options.fetch ? toTransport(options.fetch) : sockets.transport,
    keyHolder,
    acceptedCredentials,
    events: upstreamWatch.events,
    now,
    elapsed,
    startTimer,
    random,
  });
  const nodeTypes = createNodeTypes(now);
  const redis =
    cache.redisUrl === undefined
      ? undefined
      : createRedisTier({ url: cache.redisUrl, timeoutMs: cache.redisTimeoutMs, now, startTimer, onTrouble: log.error });
  const remembering = createRememberingAsk<OperationAnswer>(rest.send, {
    ...cache,
    credentialRecheckMs: isServiceMode ? Number.POSITIVE_INFINITY : cache.credentialRecheckMs,
    maxRevalidations: Math.ceil(revox.maxConcurrency / 2),
    secondTier: redis,
    onRefused: nodeTypes.forget,
    events: metrics.cacheEvents,
    now,
    elapsed,
    startTimer,
  });
  const endpointFacts = createEndpointFacts({ ...revox, elapsed });
  const createContext = createContextFactory({
    createRest: createRestFactory(remembering.ask, revox),
    factsOf: (credential) =>
      endpointFacts({
        fingerprint: credential.fingerprint,
        notebook: redis && createNotebook(redis, credential),
      }),
    nodeTypesOf: nodeTypes.of,
    maxUpstreamRequests: settings.maxUpstreamRequests,
    maxUpstreamBytes: settings.maxUpstreamBytes,
    bodyLimiter: createBodyLimiter(),
    answer: { maxBytes: settings.limits.answerBytes, maxErrors: settings.limits.errors },
    deadlineMs: settings.requestDeadlineMs,
    startTimer,
    elapsed,
  });
  const isRouter = createRouterCheck(settings.routerSecrets);
  const checkAdmission = createAdmission({
    asksForSecret,
    isRouter,
    isOpen,
    corsOrigins: settings.corsOrigins,
    checkToken: settings.jwt && createTokenCheck(settings.jwt),
  });
  const identify = createIdentify({ apiKey: revox.apiKey, cacheSecret: toCacheSecret(settings) });

  const unsentBytes = createUnsentBytes({
    maxBytes: settings.unsent.maxBytes,
    // Where callers are not told apart, all of them are one.
    maxBytesPerOwner: isServiceMode && !settings.jwt ? settings.unsent.maxBytes : settings.unsent.maxBytesPerCaller,
    onExcess: metrics.onLimit,
  });

  const requestBytes = createRequestBytes({ maxBodyBytes: settings.limits.bodyBytes });

  /** A class: one object for each request, where a literal with a closure for each method took 0.5 % of a cached answer. */
  class GatewayAdmission implements Admission {
    readonly caller: string;
    readonly #credential: ReturnType<Identify>;
    readonly #caller: string | undefined;
    readonly #request: RequestHead;

    constructor(credential: ReturnType<Identify>, caller: string | undefined, request: RequestHead) {
      this.#credential = credential;
      this.#caller = caller;
      this.#request = request;
      this.caller = caller === undefined ? credential.fingerprint : `${credential.fingerprint} ${caller}`;
    }

    get answers(): OwnAnswers {
      return answersOf(this.#credential.fingerprint);
    }

    isAccepted(): boolean {
      return acceptedCredentials.has(this.#credential.fingerprint);
    }

    holdRequest(): HeldBody {
      return requestBytes.hold(this, this.#request);
    }

    checkUnsent(): void {
      unsentBytes.check(this);
    }

    open(client: AbortSignal, trace: unknown): RequestContext {
      return createContext({ credential: this.#credential, caller: this.#caller, client, trace });
    }
  }

  const schema = createSubgraphSchema();
  for (const line of tellOutdated(schema, documents)) log.info(line);

  const handler = createHandler({
    schema,
    createSchema: createSubgraphSchema,
    async admit(request) {
      const caller = await checkAdmission(request);
      const credential = identify(request.headers);
      const admission = new GatewayAdmission(credential, caller, request);
      // A key is accepted by its first operation, which other callers' unread answers must not prevent.
      if (admission.isAccepted()) admission.checkUnsent();
      return admission;
    },
    unsentBytes,
    isRouter,
    isLoopbackOnly: isOpen,
    hasShortWay: options.hasShortWay ?? true,
    corsOrigins: settings.corsOrigins,
    compression: settings.compression,
    isReady: () => !isDraining,
    upstream: () => tellUpstream(rest.state, upstreamWatch.lastAnswerAt),
    metrics,
    watch: createRequestWatch({
      operationPlace: GRAPHQL_ENDPOINT,
      log,
      metrics,
      tracing,
      nameOperation: createOperationNames(MOST_OPERATION_NAMES),
      logsPersonalData: settings.log.personalData,
      elapsed,
    }),
    limits: settings.limits,
    introspection: settings.introspection,
    namedDocuments: { documents, only: trustedDocuments.only, isRouter },
    graphiql: settings.graphiql && { operations: options.readyOperations ?? [], asksForKey: !isServiceMode },
    upstreamTrace: settings.upstreamTrace,
    onBug,
    onExcess: metrics.onLimit,
    onDrift: metrics.onDrift,
    now,
    elapsed,
    startTimer,
  });

  return {
    ...handler,
    onBug,
    onRefused({ status, code, setting }) {
      metrics.onResponse(NOWHERE, status);
      metrics.onRefused(code);
      if (setting !== undefined) metrics.onLimit(setting);
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
      await Promise.all([sockets.close(), redis?.close()]);
    },
  };

  function answersOf(fingerprint: string): OwnAnswers {
    const { answers } = remembering;
    return {
      find: (key) => (options.keepsAnswers === false ? undefined : answers.find(fingerprint, key)),
      begin(key) {
        const mark = answers.mark();
        return (answer) => answers.keep(fingerprint, key, answer, mark);
      },
    };
  }

  function onBug(error: unknown): void {
    metrics.onBug();
    log.bug(error);
  }

  function createTokenCheck(jwt: JwtSettings): CheckToken {
    const fetchKeys = options.fetchKeys ?? createDocumentFetch(sockets.transport);
    return createLateTokenCheck({ ...jwt, fetchKeys, onTrouble: log.error, now });
  }
}

/** The place of what was refused before it had one. */
const NOWHERE = 'none';

/** Names of operations that are counted one by one: each is some fifteen series for each code that it ends with. */
const MOST_OPERATION_NAMES = 100;

/** What `/ready` says of the upstream. */
function tellUpstream({ breaker, waiting, inFlight, paused }: UpstreamState, lastAnswerAt: number | undefined) {
  return {
    breaker,
    waiting,
    inFlight,
    paused,
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

function monotonicNow(): number {
  return performance.now();
}
