import { type Environment, readSettings, type Settings, SettingsError } from '#config/settings.ts';

export const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
const DAY_MS = 86_400_000;

/** The problems of the settings; none if they are valid. */
export function faultsOf(environment: Environment): readonly string[] {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

/** The variables that are whole numbers. */
export const WHOLE_NUMBERS: {
  name: string;
  min: number;
  max: number;
  unit: string;
  read: (settings: Settings) => number;
}[] = [
  { name: 'PORT', min: 0, max: 65_535, unit: 'port', read: ({ port }) => port },
  {
    name: 'REVOX_PAGE_SIZE',
    min: 1,
    max: 10_000,
    unit: 'items',
    read: ({ revox }) => revox.pageSize,
  },
  {
    name: 'REVOX_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ revox }) => revox.timeoutMs,
  },
  {
    name: 'REVOX_CONNECT_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ revox }) => revox.timeouts.connectMs,
  },
  {
    name: 'REVOX_HEADERS_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ revox }) => revox.timeouts.headersMs,
  },
  {
    name: 'REVOX_BODY_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ revox }) => revox.timeouts.bodyMs,
  },
  { name: 'REVOX_RETRIES', min: 0, max: 10, unit: 'retries', read: ({ revox }) => revox.retries },
  {
    name: 'REVOX_BREAKER_FAILURES',
    min: 1,
    max: 1_000_000,
    unit: 'failures',
    read: ({ revox }) => revox.breaker.failures,
  },
  {
    name: 'REVOX_BREAKER_OPEN_MS',
    min: 1,
    max: 30_000,
    unit: 'milliseconds',
    read: ({ revox }) => revox.breaker.openMs,
  },
  {
    name: 'REVOX_MAX_CONCURRENCY',
    min: 1,
    max: 10_000,
    unit: 'requests',
    read: ({ revox }) => revox.maxConcurrency,
  },
  {
    name: 'REVOX_MAX_CONCURRENCY_TOTAL',
    min: 1,
    max: 100_000,
    unit: 'requests',
    read: ({ revox }) => revox.maxConcurrencyTotal,
  },
  {
    name: 'REVOX_MAX_QUEUE',
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    read: ({ revox }) => revox.maxQueued,
  },
  {
    name: 'REVOX_MAX_RESPONSE_BYTES',
    min: 1024,
    max: GIBIBYTE,
    unit: 'bytes',
    read: ({ revox }) => revox.maxResponseBytes,
  },
  {
    name: 'REQUEST_DEADLINE_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ requestDeadlineMs }) => requestDeadlineMs,
  },
  {
    name: 'MAX_UPSTREAM_REQUESTS',
    min: 1,
    max: 100_000,
    unit: 'requests',
    read: ({ maxUpstreamRequests }) => maxUpstreamRequests,
  },
  {
    name: 'MAX_UPSTREAM_BYTES',
    min: 1024,
    max: GIBIBYTE,
    unit: 'bytes',
    read: ({ maxUpstreamBytes }) => maxUpstreamBytes,
  },
  {
    name: 'CACHE_MAX_BYTES',
    min: 0,
    max: 64 * 1024 * MEBIBYTE,
    unit: 'bytes',
    read: ({ cache }) => cache.maxBytes,
  },
  ...(
    [
      ['ENDED_CALL', 'endedCallMs'],
      ['JUST_ENDED_CALL', 'justEndedCallMs'],
      ['SETTLING_CALL', 'settlingCallMs'],
      ['LIVE_CALL', 'liveCallMs'],
      ['ASSISTANT', 'assistantMs'],
      ['CAMPAIGN', 'campaignMs'],
      ['RUNNING_CAMPAIGN', 'runningCampaignMs'],
      ['PAGE', 'pageMs'],
      ['NOT_FOUND', 'notFoundMs'],
      ['WHILE_REVALIDATING', 'whileRevalidatingMs'],
    ] as const
  ).map(([name, key]) => ({
    name: `FRESHNESS_${name}_MS`,
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ cache }: Settings) => cache.freshness[key],
  })),
  {
    name: 'GRACE_MS',
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ cache }) => cache.graceMs,
  },
  {
    name: 'CREDENTIAL_RECHECK_MS',
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ cache }) => cache.credentialRecheckMs,
  },
  {
    name: 'REDIS_TIMEOUT_MS',
    min: 1,
    max: 10_000,
    unit: 'milliseconds',
    read: ({ cache }) => cache.redisTimeoutMs,
  },
  {
    name: 'MAX_BODY_BYTES',
    min: 1024,
    max: GIBIBYTE,
    unit: 'bytes',
    read: ({ limits }) => limits.bodyBytes,
  },
  {
    name: 'MAX_TOKENS',
    min: 1,
    max: 1_000_000,
    unit: 'tokens',
    read: ({ limits }) => limits.tokens,
  },
  { name: 'MAX_DEPTH', min: 1, max: 1_000, unit: 'levels', read: ({ limits }) => limits.depth },
  {
    name: 'MAX_ALIASES',
    min: 0,
    max: 100_000,
    unit: 'aliases',
    read: ({ limits }) => limits.aliases,
  },
  {
    name: 'MAX_DIRECTIVES',
    min: 0,
    max: 100_000,
    unit: 'directives',
    read: ({ limits }) => limits.directives,
  },
  {
    name: 'MAX_COST',
    min: 1,
    max: 1_000_000_000,
    unit: 'fields',
    read: ({ limits }) => limits.cost,
  },
  { name: 'MAX_IDS', min: 1, max: 100_000, unit: 'ids', read: ({ limits }) => limits.ids },
  {
    name: 'MAX_REPRESENTATIONS',
    min: 1,
    max: 100_000,
    unit: 'representations',
    read: ({ limits }) => limits.representations,
  },
  { name: 'MAX_ERRORS', min: 1, max: 100_000, unit: 'errors', read: ({ limits }) => limits.errors },
  {
    name: 'MAX_ANSWER_BYTES',
    min: 1024,
    max: GIBIBYTE,
    unit: 'bytes',
    read: ({ limits }) => limits.responseBytes,
  },
  {
    name: 'CLIENT_HEADERS_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ clientTimeouts }) => clientTimeouts.headersMs,
  },
  {
    name: 'CLIENT_REQUEST_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ clientTimeouts }) => clientTimeouts.requestMs,
  },
  {
    name: 'KEEP_ALIVE_TIMEOUT_MS',
    min: 1,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ clientTimeouts }) => clientTimeouts.keepAliveMs,
  },
  {
    name: 'MAX_CONNECTIONS',
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    read: ({ maxConnections }) => maxConnections,
  },
  {
    name: 'MAX_UNSENT_BYTES',
    min: 2 ** 20,
    max: 64 * GIBIBYTE,
    unit: 'bytes',
    read: ({ unsent }) => unsent.maxBytes,
  },
  {
    name: 'MAX_UNSENT_BYTES_PER_CALLER',
    min: 2 ** 20,
    max: 64 * GIBIBYTE,
    unit: 'bytes',
    read: ({ unsent }) => unsent.maxBytesPerCaller,
  },
  {
    name: 'DRAIN_DELAY_MS',
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ drain }) => drain.delayMs,
  },
  {
    name: 'DRAIN_TIMEOUT_MS',
    min: 0,
    max: DAY_MS,
    unit: 'milliseconds',
    read: ({ drain }) => drain.timeoutMs,
  },
];

/** The variables that accept a few words. */
export const WORDS: {
  name: string;
  words: { [word: string]: unknown };
  read: (settings: Settings) => unknown;
  /** Other variables that the words need. */
  others?: Environment;
}[] = [
  {
    name: 'REVOX_FIRST_PAGE',
    words: { auto: 'auto', 0: 0, 1: 1 },
    read: ({ revox }) => revox.firstPage,
  },
  {
    name: 'REVOX_ARRAY_FORMAT',
    words: { comma: 'comma', repeat: 'repeat', brackets: 'brackets' },
    read: ({ revox }) => revox.arrayFormat,
  },
  { name: 'GRAPHIQL', words: { on: true, off: false }, read: ({ graphiql }) => graphiql },
  { name: 'COMPRESSION', words: { on: true, off: false }, read: ({ compression }) => compression },
  {
    name: 'INTROSPECTION',
    words: { on: true, off: false },
    read: ({ introspection }) => introspection,
  },
  {
    name: 'LOG_LEVEL',
    words: Object.fromEntries(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => [level, level]),
    ),
    read: ({ log }) => log.level,
  },
  { name: 'LOG_FORMAT', words: { json: 'json', text: 'text' }, read: ({ log }) => log.format },
  {
    name: 'LOG_PERSONAL_DATA',
    words: { on: true, off: false },
    read: ({ log }) => log.personalData,
  },
  {
    name: 'UPSTREAM_TRACE',
    words: { on: true, off: false },
    read: ({ upstreamTrace }) => upstreamTrace,
  },
  {
    name: 'TRUSTED_DOCUMENTS_ONLY',
    words: { on: true, off: false },
    read: ({ trustedDocuments }) => trustedDocuments.trustedOnly,
    others: { TRUSTED_DOCUMENTS: './documents' },
  },
  {
    name: 'REDIS_TLS_VERIFY',
    words: { on: true, off: false },
    read: ({ cache }) => cache.redisTls.isVerified,
    others: { REDIS_URL: 'rediss://redis.test' },
  },
];
