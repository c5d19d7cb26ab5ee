import type { z } from 'zod';
import { LOOPBACK_HOSTS, variables } from './variables.ts';

/** All settings, checked. Each comes from an environment variable of `docs/reference/configuration.md`. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly revox: {
    /** Without a trailing slash. */
    readonly baseUrl: string;
    /**
     * The key of the gateway itself (service mode). Absent: each request has its own key
     * (pass-through mode).
     */
    readonly apiKey: string | undefined;
    readonly firstPage: 'auto' | 0 | 1;
    readonly arrayFormat: 'comma' | 'repeat' | 'brackets';
    readonly pageSize: number;
    readonly timeoutMs: number;
    /** Of the stages of one request; `timeoutMs` bounds all of them together. */
    readonly timeouts: {
      readonly connectMs: number;
      readonly headersMs: number;
      readonly bodyMs: number;
    };
    /** How often a failed request is sent again. */
    readonly retries: number;
    readonly breaker: {
      /** The number of failures that opens the circuit, if they are half of all requests. */
      readonly failures: number;
      /** How long the circuit is open at first. */
      readonly openMs: number;
    };
    /** Maximum requests in flight for one credential. */
    readonly maxConcurrency: number;
    readonly maxConcurrencyTotal: number;
    /** Maximum queued requests of one caller. */
    readonly maxQueued: number;
    readonly maxResponseBytes: number;
  };
  /**
   * A request with one of them in `Router-Authorization` is accepted. Empty: no secret is required.
   */
  readonly routerSecrets: readonly string[];
  /** What is cached between operations, and for how long. */
  readonly cache: {
    /** Memory for cached responses; an estimate, because parsed objects have no exact size. */
    readonly maxBytes: number;
    /**
     * The key of the fingerprints that distinguish credentials. Absent: a random key, or with Redis
     * none.
     */
    readonly secret: string | undefined;
    readonly freshness: {
      /** A call that ended a while ago. Its `recording_url` may be a signed link of unknown life. */
      readonly endedCallMs: number;
      /** A call that just ended: its transcript and structured output may still arrive. */
      readonly justEndedCallMs: number;
      /** How long after its end a call counts as just ended. */
      readonly settlingCallMs: number;
      /** A call that has not ended, and a list page with such a call or attempt on it. */
      readonly liveCallMs: number;
      readonly assistantMs: number;
      readonly campaignMs: number;
      readonly runningCampaignMs: number;
      /** A page of call attempts or of campaign rows. */
      readonly pageMs: number;
      /** The response that an object does not exist. */
      readonly notFoundMs: number;
      /**
       * Stale-while-revalidate: how long after its freshness a cached response is served while it
       * is fetched again. Never a live call, nor a list page.
       */
      readonly whileRevalidatingMs: number;
    };
    /**
     * Stale-if-error: how long after its freshness a cached response is served if the upstream
     * fails.
     */
    readonly graceMs: number;
    /**
     * Pass-through mode: how long after the upstream accepted a credential its cached data is
     * served without asking the upstream again.
     */
    readonly credentialRecheckMs: number;
    /** Absent: cached data stays in the process. */
    readonly redisUrl: string | undefined;
    /** Maximum wait of a request for Redis. */
    readonly redisTimeoutMs: number;
  };
  /**
   * Service mode: a bearer token that was issued for this gateway is accepted too. Absent: no
   * bearer token is.
   */
  readonly jwt: JwtSettings | undefined;
  readonly requestDeadlineMs: number;
  readonly maxUpstreamRequests: number;
  /** Bytes of upstream responses, decoded, that one operation may read. */
  readonly maxUpstreamBytes: number;
  /** How much one request may send, and one operation may request. */
  readonly limits: {
    readonly bodyBytes: number;
    /** Tokens of the document, as the lexer counts them. */
    readonly tokens: number;
    /** Levels of fields; fragments add none. */
    readonly depth: number;
    /** Aliases, and fields that are repeated in one selection set. */
    readonly aliases: number;
    readonly directives: number;
    /** Fields, each as often as it can occur: see `http/limits/cost.ts`. */
    readonly cost: number;
    /** Items of an `ids` argument. */
    readonly ids: number;
    /** Items of `_entities(representations:)`. */
    readonly representations: number;
    /** Of a response: its names and texts, and 128 for each field and item. */
    readonly responseBytes: number;
    /** Fields and items that may fail before an operation is aborted. */
    readonly errors: number;
  };
  /** Origins whose pages may read responses. Empty: only the gateway's own. */
  readonly corsOrigins: readonly string[];
  readonly trustedDocuments: {
    /** A manifest, or a directory of manifests and documents. Absent: no trusted documents. */
    readonly path: string | undefined;
    /** Whether only trusted documents are executed. */
    readonly trustedOnly: boolean;
  };
  /**
   * Whether responses are compressed for clients that accept that. False: a proxy in front does it.
   */
  readonly compression: boolean;
  /** Maximum open connections of clients. */
  readonly maxConnections: number;
  /** Maximum open connections from one address. `Infinity`: the address is that of a proxy. */
  readonly maxConnectionsPerAddress: number;
  /** Responses that are complete, and that clients have yet to read. */
  readonly unsent: {
    readonly maxBytes: number;
    readonly maxBytesPerCaller: number;
  };
  /** How long a client may take to send a request. */
  readonly clientTimeouts: {
    readonly headersMs: number;
    /** The whole request, headers and body. */
    readonly requestMs: number;
  };
  /** What happens when the process gets a signal to end. */
  readonly drain: {
    /**
     * How long the gateway is not ready but goes on as before, so that its clients go elsewhere.
     */
    readonly delayMs: number;
    /** How long requests in flight may go on after that. */
    readonly timeoutMs: number;
  };
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** Whether requests may ask for `extensions.upstream`. */
  readonly upstreamTrace: boolean;
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    /** `text`: for a terminal. */
    readonly format: 'json' | 'text';
    /** Whether documents and variables are logged. */
    readonly personalData: boolean;
  };
  readonly tracing: {
    /**
     * Whether the process sends traces: OpenTelemetry's own variables say so. Its SDK reads the
     * rest of them.
     */
    readonly isEnabled: boolean;
    /** Whether these variables contain the name of the service. */
    readonly hasServiceName: boolean;
  };
  /** Demo only. */
  readonly sandboxPort: number;
}

export interface JwtSettings {
  /** Where the issuer publishes its keys (JWKS). */
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  /** A token must grant all of them. Empty: no scope is required. */
  readonly scopes: readonly string[];
}

/** All problems of the settings at once. Values are never quoted, because they may be secrets. */
export class SettingsError extends Error {
  override name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Invalid settings:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

export type Environment = { readonly [name: string]: string | undefined };

/**
 * Reads the settings. An empty variable counts as absent.
 * @throws SettingsError with every problem, if there is any
 */
export function readSettings(environment: Environment = process.env): Settings {
  const provided = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = variables.safeParse(provided);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}.`);

  const isServiceMode = provided.REVOX_API_KEY !== undefined;
  const isGuarded = provided.ROUTER_SECRETS !== undefined || provided.JWT_JWKS_URL !== undefined;
  if (
    isServiceMode &&
    !isGuarded &&
    provided.HOST !== undefined &&
    !LOOPBACK_HOSTS.has(provided.HOST)
  ) {
    problems.push(
      'HOST must be 127.0.0.1, ::1 or localhost: with REVOX_API_KEY set, every client that reaches the gateway ' +
        'reads with your key. Set ROUTER_SECRETS or JWT_JWKS_URL to accept only authenticated clients.',
    );
  }
  problems.push(...findJwtProblems(provided));
  if (provided.TRUSTED_DOCUMENTS_ONLY === 'on' && provided.TRUSTED_DOCUMENTS === undefined) {
    problems.push(
      'TRUSTED_DOCUMENTS must name a file or a directory: with TRUSTED_DOCUMENTS_ONLY=on nothing else is executed.',
    );
  }
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems);

  const values = parsed.data;
  const isProduction = values.NODE_ENV === 'production';
  return {
    port: values.PORT,
    host: values.HOST,
    revox: {
      baseUrl: values.REVOX_BASE_URL,
      apiKey: values.REVOX_API_KEY,
      firstPage:
        values.REVOX_FIRST_PAGE === 'auto' ? 'auto' : values.REVOX_FIRST_PAGE === '0' ? 0 : 1,
      arrayFormat: values.REVOX_ARRAY_FORMAT,
      pageSize: values.REVOX_PAGE_SIZE,
      timeoutMs: values.REVOX_TIMEOUT_MS,
      timeouts: {
        connectMs: values.REVOX_CONNECT_TIMEOUT_MS,
        headersMs: values.REVOX_HEADERS_TIMEOUT_MS,
        bodyMs: values.REVOX_BODY_TIMEOUT_MS,
      },
      retries: values.REVOX_RETRIES,
      breaker: { failures: values.REVOX_BREAKER_FAILURES, openMs: values.REVOX_BREAKER_OPEN_MS },
      maxConcurrency: values.REVOX_MAX_CONCURRENCY,
      maxConcurrencyTotal: values.REVOX_MAX_CONCURRENCY_TOTAL,
      maxQueued: values.REVOX_MAX_QUEUE,
      maxResponseBytes: values.REVOX_MAX_RESPONSE_BYTES,
    },
    routerSecrets: values.ROUTER_SECRETS,
    jwt: toJwtSettings(values),
    cache: {
      maxBytes: values.CACHE_MAX_BYTES,
      secret: values.CACHE_SECRET,
      freshness: {
        endedCallMs: values.FRESHNESS_ENDED_CALL_MS,
        justEndedCallMs: values.FRESHNESS_JUST_ENDED_CALL_MS,
        settlingCallMs: values.FRESHNESS_SETTLING_CALL_MS,
        liveCallMs: values.FRESHNESS_LIVE_CALL_MS,
        assistantMs: values.FRESHNESS_ASSISTANT_MS,
        campaignMs: values.FRESHNESS_CAMPAIGN_MS,
        runningCampaignMs: values.FRESHNESS_RUNNING_CAMPAIGN_MS,
        pageMs: values.FRESHNESS_PAGE_MS,
        notFoundMs: values.FRESHNESS_NOT_FOUND_MS,
        whileRevalidatingMs: values.FRESHNESS_WHILE_REVALIDATING_MS,
      },
      graceMs: values.GRACE_MS,
      credentialRecheckMs: values.CREDENTIAL_RECHECK_MS,
      redisUrl: values.REDIS_URL,
      redisTimeoutMs: values.REDIS_TIMEOUT_MS,
    },
    requestDeadlineMs: values.REQUEST_DEADLINE_MS,
    maxUpstreamRequests: values.MAX_UPSTREAM_REQUESTS,
    maxUpstreamBytes: values.MAX_UPSTREAM_BYTES,
    limits: {
      bodyBytes: values.MAX_BODY_BYTES,
      tokens: values.MAX_TOKENS,
      depth: values.MAX_DEPTH,
      aliases: values.MAX_ALIASES,
      directives: values.MAX_DIRECTIVES,
      cost: values.MAX_COST,
      ids: values.MAX_IDS,
      representations: values.MAX_REPRESENTATIONS,
      responseBytes: values.MAX_ANSWER_BYTES,
      errors: values.MAX_ERRORS,
    },
    corsOrigins: values.CORS_ORIGINS,
    trustedDocuments: {
      path: values.TRUSTED_DOCUMENTS,
      trustedOnly: values.TRUSTED_DOCUMENTS_ONLY === 'on',
    },
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerAddress: toMaxPerAddress(values),
    unsent: {
      maxBytes: values.MAX_UNSENT_BYTES,
      maxBytesPerCaller: values.MAX_UNSENT_BYTES_PER_CALLER,
    },
    compression: values.COMPRESSION === 'on',
    clientTimeouts: {
      headersMs: values.CLIENT_HEADERS_TIMEOUT_MS,
      requestMs: values.CLIENT_REQUEST_TIMEOUT_MS,
    },
    drain: { delayMs: values.DRAIN_DELAY_MS, timeoutMs: values.DRAIN_TIMEOUT_MS },
    graphiql: isOn(values.GRAPHIQL, !isProduction),
    introspection: isOn(values.INTROSPECTION, !isProduction),
    upstreamTrace: isOn(values.UPSTREAM_TRACE, !isProduction),
    log: {
      level: values.LOG_LEVEL,
      format: values.LOG_FORMAT ?? (isProduction ? 'json' : 'text'),
      personalData: values.LOG_PERSONAL_DATA === 'on',
    },
    tracing: toTracingSettings(values),
    sandboxPort: values.SANDBOX_PORT ?? adjacentPort(values.PORT),
  };
}

/**
 * Either all of the settings are there, or no token is accepted: with half of them the gateway
 * would accept tokens that were issued for another service.
 */
function findJwtProblems(provided: Environment): string[] {
  const names = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'] as const;
  const isConfigured = [...names, 'JWT_SCOPE'].some((name) => provided[name] !== undefined);
  if (!isConfigured) return [];
  const missing = names.filter((name) => provided[name] === undefined);
  return [
    ...missing.map(
      (name) =>
        `${name} must be set: tokens are checked against keys, issuer and audience together.`,
    ),
    ...(provided.REVOX_API_KEY === undefined
      ? [
          'REVOX_API_KEY must be set with JWT_JWKS_URL: in pass-through mode `Authorization` carries the Revox key.',
        ]
      : []),
  ];
}

function toJwtSettings(values: z.infer<typeof variables>): JwtSettings | undefined {
  const {
    JWT_JWKS_URL: jwksUrl,
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: audience,
    JWT_SCOPE: scope = '',
  } = values;
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) return undefined;
  return { jwksUrl, issuer, audience, scopes: scope.split(/\s+/).filter((name) => name !== '') };
}

/**
 * OpenTelemetry's variables have their usual meaning. Where none of these is set, its SDK is not
 * even loaded.
 */
function toTracingSettings(values: z.infer<typeof variables>): Settings['tracing'] {
  const exporters =
    values.OTEL_TRACES_EXPORTER ??
    (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || values.OTEL_EXPORTER_OTLP_ENDPOINT);
  const isOff =
    values.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' ||
    values.OTEL_TRACES_EXPORTER?.trim() === 'none';
  return {
    isEnabled: !isOff && (exporters ?? values.OTEL_CONFIG_FILE) !== undefined,
    hasServiceName:
      values.OTEL_SERVICE_NAME !== undefined ||
      /(^|,)\s*service\.name\s*=/.test(values.OTEL_RESOURCE_ATTRIBUTES ?? ''),
  };
}

function toMaxPerAddress({
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_ADDRESS,
}: z.infer<typeof variables>): number {
  if (MAX_CONNECTIONS_PER_ADDRESS === 'off') return Number.POSITIVE_INFINITY;
  return MAX_CONNECTIONS_PER_ADDRESS ?? Math.ceil(MAX_CONNECTIONS / 2);
}

/**
 * Default port of the sandbox: the next one. If the gateway takes any free port, so does the
 * sandbox.
 */
function adjacentPort(port: number): number {
  if (port === 0) return 0;
  return port === 65_535 ? 65_534 : port + 1;
}

function isOn(value: 'on' | 'off' | undefined, defaultValue: boolean): boolean {
  return value === undefined ? defaultValue : value === 'on';
}
