import type { z } from 'zod';
import { LOOPBACK_HOSTS, variables } from './variables.ts';

/** Everything that can be set, checked. Each comes from an environment variable of the README's table. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly revox: {
    /** Without a slash at its end. */
    readonly baseUrl: string;
    /** The key the gateway itself uses (service mode); absent: each request brings its own (pass-through mode). */
    readonly apiKey: string | undefined;
    readonly firstPage: 'auto' | 0 | 1;
    readonly arrayFormat: 'comma' | 'repeat' | 'brackets';
    readonly pageSize: number;
    readonly timeoutMs: number;
    /** Of the stages of one request; `timeoutMs` bounds them all together. */
    readonly timeouts: { readonly connectMs: number; readonly headersMs: number; readonly bodyMs: number };
    /** How often a request that failed is sent again. */
    readonly retries: number;
    readonly breaker: {
      /** So many failures keep further requests back, if they are half of all. */
      readonly failures: number;
      /** How long at first. */
      readonly openMs: number;
    };
    /** In flight for one credential. */
    readonly maxConcurrency: number;
    readonly maxConcurrencyTotal: number;
    /** Of one caller, waiting for their turn. */
    readonly maxQueued: number;
    readonly maxResponseBytes: number;
  };
  /** Any of them admits a request that carries it in `Router-Authorization`; empty: none is asked for. */
  readonly routerSecrets: readonly string[];
  /** What is remembered between operations, and for how long. */
  readonly cache: {
    /** Memory for answers; estimated, for parsed objects have no exact size. */
    readonly maxBytes: number;
    /** Keys the fingerprints by which credentials are told apart; absent: a random one, or with Redis none. */
    readonly secret: string | undefined;
    readonly freshness: {
      /** A call that ended a while ago. Its `recording_url` may be a signed link of unknown life. */
      readonly endedCallMs: number;
      /** A call that just ended: its transcript and structured output may still arrive. */
      readonly justEndedCallMs: number;
      /** For so long after its end a call has just ended. */
      readonly settlingCallMs: number;
      /** A call that is not over, and a list page with such a call or attempt on it. */
      readonly liveCallMs: number;
      readonly assistantMs: number;
      readonly campaignMs: number;
      readonly runningCampaignMs: number;
      /** A page of call attempts or of campaign rows. */
      readonly pageMs: number;
      /** That there is no such object. */
      readonly notFoundMs: number;
      /** After its freshness an answer is served once more for so long, while it is fetched anew. Never a live call, nor a list page. */
      readonly whileRevalidatingMs: number;
    };
    /** After its freshness an answer is served for so long where the upstream fails. */
    readonly graceMs: number;
    /** Pass-through mode: so long after the upstream took a credential, what is remembered is read without asking again. */
    readonly credentialRecheckMs: number;
    /** Absent: what is remembered stays in the process. */
    readonly redisUrl: string | undefined;
    /** The longest that a request waits for Redis. */
    readonly redisTimeoutMs: number;
  };
  /** Service mode: a bearer token that was issued for this gateway admits, too; absent: none does. */
  readonly jwt: JwtSettings | undefined;
  readonly requestDeadlineMs: number;
  readonly maxUpstreamRequests: number;
  /** Bytes of their responses, decoded, that one operation may read. */
  readonly maxUpstreamBytes: number;
  /** How much one request may bring, and one operation may ask for. */
  readonly limits: {
    readonly bodyBytes: number;
    /** Of the document, as the lexer counts them. */
    readonly tokens: number;
    /** Levels of fields; fragments add none. */
    readonly depth: number;
    /** With fields that stand beside their like. */
    readonly aliases: number;
    readonly directives: number;
    /** Fields, each as often as it can come: see `http/limits/cost.ts`. */
    readonly cost: number;
    /** Items of an `ids` argument. */
    readonly ids: number;
    /** Items of `_entities(representations:)`. */
    readonly representations: number;
    /** Of an answer: its names and texts, and 128 for each field and item. */
    readonly responseBytes: number;
    /** Fields and items that may fail before an operation is given up. */
    readonly errors: number;
  };
  /** Origins whose pages may read answers; empty: none but the gateway's own. */
  readonly corsOrigins: readonly string[];
  readonly trustedDocuments: {
    /** A manifest, or a directory of them; absent: none. */
    readonly path: string | undefined;
    /** Whether nothing else is executed. */
    readonly trustedOnly: boolean;
  };
  /** Whether answers are compressed for clients that take it; false: that is left to what stands in front. */
  readonly compression: boolean;
  /** Of clients, at a time. */
  readonly maxConnections: number;
  /** Of those, from one address; `Infinity`: the address is that of a proxy. */
  readonly maxConnectionsPerAddress: number;
  /** Answers that are ready, and that clients have yet to read. */
  readonly unsent: {
    readonly maxBytes: number;
    readonly maxBytesPerCaller: number;
  };
  /** How long a client may take to send a request, ms. */
  readonly clientTimeouts: {
    readonly headersMs: number;
    /** All of it, headers and body. */
    readonly requestMs: number;
  };
  /** What happens when the process is told to end. */
  readonly drain: {
    /** For so long it is not ready, but goes on as before, so that its clients go elsewhere. */
    readonly delayMs: number;
    /** For so long after that requests under way may go on. */
    readonly timeoutMs: number;
  };
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** `extensions.upstream` for requests that ask for it. */
  readonly upstreamTrace: boolean;
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    /** `text`: for people before a terminal. */
    readonly format: 'json' | 'text';
    /** Whether documents and variables are told. */
    readonly personalData: boolean;
  };
  readonly tracing: {
    /** Whether the process is to send traces: OpenTelemetry's own variables say so. The rest of them is read by its SDK. */
    readonly isEnabled: boolean;
    /** Whether they say what the service is called, too. */
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
  /** Each has to be granted; empty: none is asked for. */
  readonly scopes: readonly string[];
}

/** All that is wrong with the settings, at once. Values are never repeated: they may be secrets. */
export class SettingsError extends Error {
  override name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The settings are wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.problems = faults;
  }
}

export type Environment = { readonly [name: string]: string | undefined };

/**
 * Reads the settings. An empty variable counts as absent.
 * @throws SettingsError naming every fault, if there is any
 */
export function readSettings(environment: Environment = process.env): Settings {
  const provided = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = variables.safeParse(provided);
  const problems = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}.`);

  const isServiceMode = provided.REVOX_API_KEY !== undefined;
  const isGuarded = provided.ROUTER_SECRETS !== undefined || provided.JWT_JWKS_URL !== undefined;
  if (isServiceMode && !isGuarded && provided.HOST !== undefined && !LOOPBACK_HOSTS.has(provided.HOST)) {
    problems.push(
      'HOST has to be 127.0.0.1, ::1 or localhost: with REVOX_API_KEY set, everyone who reaches the gateway ' +
        'reads with your key. Set ROUTER_SECRETS or JWT_JWKS_URL to let in only those who prove themselves.',
    );
  }
  problems.push(...findJwtProblems(provided));
  if (provided.TRUSTED_DOCUMENTS_ONLY === 'on' && provided.TRUSTED_DOCUMENTS === undefined) {
    problems.push(
      'TRUSTED_DOCUMENTS has to name a file or a directory: with TRUSTED_DOCUMENTS_ONLY=on nothing else is executed.',
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
      firstPage: values.REVOX_FIRST_PAGE === 'auto' ? 'auto' : values.REVOX_FIRST_PAGE === '0' ? 0 : 1,
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
    trustedDocuments: { path: values.TRUSTED_DOCUMENTS, trustedOnly: values.TRUSTED_DOCUMENTS_ONLY === 'on' },
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerAddress: toMaxPerAddress(values),
    unsent: { maxBytes: values.MAX_UNSENT_BYTES, maxBytesPerCaller: values.MAX_UNSENT_BYTES_PER_CALLER },
    compression: values.COMPRESSION === 'on',
    clientTimeouts: { headersMs: values.CLIENT_HEADERS_TIMEOUT_MS, requestMs: values.CLIENT_REQUEST_TIMEOUT_MS },
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

/** A token is checked against all of it, or none is taken: half of it would let in what was issued for somebody else. */
function findJwtProblems(provided: Environment): string[] {
  const names = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'] as const;
  const isConfigured = [...names, 'JWT_SCOPE'].some((name) => provided[name] !== undefined);
  if (!isConfigured) return [];
  const missing = names.filter((name) => provided[name] === undefined);
  return [
    ...missing.map((name) => `${name} has to be set: tokens are checked against keys, issuer and audience together.`),
    ...(provided.REVOX_API_KEY === undefined
      ? ['REVOX_API_KEY has to be set with JWT_JWKS_URL: in pass-through mode `Authorization` carries the Revox key.']
      : []),
  ];
}

function toJwtSettings(values: z.infer<typeof variables>): JwtSettings | undefined {
  const { JWT_JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_SCOPE: scope = '' } = values;
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) return undefined;
  return { jwksUrl, issuer, audience, scopes: scope.split(/\s+/).filter((name) => name !== '') };
}

/** OpenTelemetry's variables are what everyone knows them to be; where none of these is set, its SDK is not even loaded. */
function toTracingSettings(values: z.infer<typeof variables>): Settings['tracing'] {
  const exporters =
    values.OTEL_TRACES_EXPORTER ?? (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || values.OTEL_EXPORTER_OTLP_ENDPOINT);
  const isOff = values.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' || values.OTEL_TRACES_EXPORTER?.trim() === 'none';
  return {
    isEnabled: !isOff && (exporters ?? values.OTEL_CONFIG_FILE) !== undefined,
    hasServiceName:
      values.OTEL_SERVICE_NAME !== undefined || /(^|,)\s*service\.name\s*=/.test(values.OTEL_RESOURCE_ATTRIBUTES ?? ''),
  };
}

function toMaxPerAddress({ MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS }: z.infer<typeof variables>): number {
  if (MAX_CONNECTIONS_PER_ADDRESS === 'off') return Number.POSITIVE_INFINITY;
  return MAX_CONNECTIONS_PER_ADDRESS ?? Math.ceil(MAX_CONNECTIONS / 2);
}

/** The sandbox's port, unless it is set: the next one; any free one beside any free one. */
function adjacentPort(port: number): number {
  if (port === 0) return 0;
  return port === 65_535 ? 65_534 : port + 1;
}

function isOn(value: 'on' | 'off' | undefined, defaultValue: boolean): boolean {
  return value === undefined ? defaultValue : value === 'on';
}
