import { z } from 'zod';

/** The hosts that only this machine can reach, and whose names the gateway accepts in `Host`. */
export const LOOPBACK_HOSTS = new Set(['127.0.0.1', '::1', 'localhost']);

const wholeNumber = (min: number, max: number, unit: string) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number of ${unit}, ${min} to ${max}`)
    .transform(Number)
    .refine((number) => number >= min && number <= max, `must be ${min} to ${max} ${unit}`);

const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`);

const DAY_MS = 86_400_000;
const GIBIBYTE = 2 ** 30;

const baseUrl = z
  .string()
  .refine(
    isPlainHttpUrl,
    'must be an http or https URL without user, query or fragment, for example https://www.getrevox.com/api',
  )
  .transform((url) => url.replace(/\/+$/, ''));

const listOf = (item: z.ZodType<string>, kind: string) =>
  z
    .string()
    .transform((list) => list.split(',').map((entry) => entry.trim()))
    .refine(
      (entries) => entries.every((entry) => item.safeParse(entry).success),
      `must be a comma-separated list of ${kind}`,
    )
    .default([]);

const headerText = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII without spaces, because it is sent in a header');

/**
 * Every environment variable that is read, checked one by one. `settings.ts` checks what must fit
 * together.
 */
export const variables = z.object({
  PORT: wholeNumber(0, 65_535, 'a port').default(4000),
  HOST: z
    .string()
    .regex(/^[\w.:-]+$/, 'must be an address or a name to listen on, for example 127.0.0.1')
    .default('127.0.0.1'),
  REVOX_BASE_URL: baseUrl.default('https://www.getrevox.com/api'),
  REVOX_API_KEY: headerText.optional(),
  REVOX_FIRST_PAGE: oneOf('auto', '0', '1').default('auto'),
  REVOX_ARRAY_FORMAT: oneOf('comma', 'repeat', 'brackets').default('comma'),
  REVOX_PAGE_SIZE: wholeNumber(1, 10_000, 'items').default(50),
  REVOX_TIMEOUT_MS: wholeNumber(1, DAY_MS, 'ms').default(10_000),
  REVOX_CONNECT_TIMEOUT_MS: wholeNumber(1, DAY_MS, 'ms').default(3_000),
  REVOX_HEADERS_TIMEOUT_MS: wholeNumber(1, DAY_MS, 'ms').default(10_000),
  REVOX_BODY_TIMEOUT_MS: wholeNumber(1, DAY_MS, 'ms').default(5_000),
  REVOX_RETRIES: wholeNumber(0, 10, 'retries').default(2),
  REVOX_BREAKER_FAILURES: wholeNumber(1, 1_000_000, 'failures').default(10),
  REVOX_BREAKER_OPEN_MS: wholeNumber(1, 30_000, 'ms').default(1_000),
  REVOX_MAX_CONCURRENCY: wholeNumber(1, 10_000, 'requests').default(20),
  REVOX_MAX_CONCURRENCY_TOTAL: wholeNumber(1, 100_000, 'requests').default(200),
  REVOX_MAX_QUEUE: wholeNumber(1, 1_000_000, 'requests').default(2_000),
  REVOX_MAX_RESPONSE_BYTES: wholeNumber(1024, GIBIBYTE, 'bytes').default(32 * 2 ** 20),
  ROUTER_SECRETS: listOf(headerText, 'secrets, each of visible ASCII without spaces'),
  JWT_JWKS_URL: z
    .string()
    .refine(isJwksUrl, 'must be an https URL (http only for this machine) without user or fragment')
    .optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_SCOPE: z.string().optional(),
  CACHE_MAX_BYTES: wholeNumber(0, 64 * GIBIBYTE, 'bytes').default(64 * 2 ** 20),
  CACHE_SECRET: z
    .string()
    .min(16, 'must be at least 16 characters that cannot be guessed')
    .optional(),
  FRESHNESS_ENDED_CALL_MS: wholeNumber(0, DAY_MS, 'ms').default(600_000),
  FRESHNESS_JUST_ENDED_CALL_MS: wholeNumber(0, DAY_MS, 'ms').default(5_000),
  FRESHNESS_SETTLING_CALL_MS: wholeNumber(0, DAY_MS, 'ms').default(300_000),
  FRESHNESS_LIVE_CALL_MS: wholeNumber(0, DAY_MS, 'ms').default(1_000),
  FRESHNESS_ASSISTANT_MS: wholeNumber(0, DAY_MS, 'ms').default(30_000),
  FRESHNESS_CAMPAIGN_MS: wholeNumber(0, DAY_MS, 'ms').default(60_000),
  FRESHNESS_RUNNING_CAMPAIGN_MS: wholeNumber(0, DAY_MS, 'ms').default(10_000),
  FRESHNESS_PAGE_MS: wholeNumber(0, DAY_MS, 'ms').default(1_000),
  FRESHNESS_NOT_FOUND_MS: wholeNumber(0, DAY_MS, 'ms').default(2_000),
  FRESHNESS_WHILE_REVALIDATING_MS: wholeNumber(0, DAY_MS, 'ms').default(10_000),
  GRACE_MS: wholeNumber(0, DAY_MS, 'ms').default(3_600_000),
  CREDENTIAL_RECHECK_MS: wholeNumber(0, DAY_MS, 'ms').default(60_000),
  REDIS_URL: z
    .string()
    .refine(isRedisUrl, 'must be a redis or rediss URL, for example redis://127.0.0.1:6379')
    .optional(),
  REDIS_TIMEOUT_MS: wholeNumber(1, 10_000, 'ms').default(50),
  REQUEST_DEADLINE_MS: wholeNumber(1, DAY_MS, 'ms').default(30_000),
  MAX_UPSTREAM_REQUESTS: wholeNumber(1, 100_000, 'requests').default(250),
  MAX_UPSTREAM_BYTES: wholeNumber(1024, GIBIBYTE, 'bytes').default(40 * 2 ** 20),
  MAX_BODY_BYTES: wholeNumber(1024, GIBIBYTE, 'bytes').default(2 ** 20),
  MAX_TOKENS: wholeNumber(1, 1_000_000, 'tokens').default(5_000),
  MAX_DEPTH: wholeNumber(1, 1_000, 'levels').default(20),
  MAX_ALIASES: wholeNumber(0, 100_000, 'aliases').default(100),
  MAX_DIRECTIVES: wholeNumber(0, 100_000, 'directives').default(100),
  MAX_COST: wholeNumber(1, 1_000_000_000, 'fields').default(500_000),
  MAX_IDS: wholeNumber(1, 100_000, 'ids').default(100),
  MAX_REPRESENTATIONS: wholeNumber(1, 100_000, 'representations').default(1_000),
  MAX_ANSWER_BYTES: wholeNumber(1024, GIBIBYTE, 'bytes').default(16 * 2 ** 20),
  MAX_ERRORS: wholeNumber(1, 100_000, 'errors').default(100),
  CORS_ORIGINS: listOf(
    z.string().refine(isOrigin),
    'origins without a path, for example https://app.example.com',
  ),
  TRUSTED_DOCUMENTS: z.string().optional(),
  TRUSTED_DOCUMENTS_ONLY: oneOf('on', 'off').default('off'),
  MAX_CONNECTIONS: wholeNumber(1, 1_000_000, 'connections').default(2_000),
  MAX_CONNECTIONS_PER_ADDRESS: z
    .union(
      [z.literal('off'), wholeNumber(1, 1_000_000, 'connections')],
      'must be a whole number of connections, 1 to 1000000, or off',
    )
    .optional(),
  MAX_UNSENT_BYTES: wholeNumber(2 ** 20, 64 * GIBIBYTE, 'bytes').default(64 * 2 ** 20),
  MAX_UNSENT_BYTES_PER_CALLER: wholeNumber(2 ** 20, 64 * GIBIBYTE, 'bytes').default(32 * 2 ** 20),
  COMPRESSION: oneOf('on', 'off').default('on'),
  CLIENT_HEADERS_TIMEOUT_MS: wholeNumber(1, DAY_MS, 'ms').default(10_000),
  CLIENT_REQUEST_TIMEOUT_MS: wholeNumber(1, DAY_MS, 'ms').default(30_000),
  DRAIN_DELAY_MS: wholeNumber(0, DAY_MS, 'ms').default(1_000),
  DRAIN_TIMEOUT_MS: wholeNumber(0, DAY_MS, 'ms').default(10_000),
  GRAPHIQL: oneOf('on', 'off').optional(),
  INTROSPECTION: oneOf('on', 'off').optional(),
  UPSTREAM_TRACE: oneOf('on', 'off').optional(),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').default('info'),
  LOG_FORMAT: oneOf('json', 'text').optional(),
  LOG_PERSONAL_DATA: oneOf('on', 'off').default('off'),
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_TRACES_EXPORTER: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_CONFIG_FILE: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_RESOURCE_ATTRIBUTES: z.string().optional(),
  NODE_ENV: z.string().optional(),
  SANDBOX_PORT: wholeNumber(0, 65_535, 'a port').optional(),
});

/**
 * The server at this URL decides which tokens are accepted, so the connection to it must be secure.
 */
function isJwksUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (`${username}${password}${hash}` !== '') return false;
  return (
    protocol === 'https:' ||
    (protocol === 'http:' && LOOPBACK_HOSTS.has(hostname.replace(/^\[|\]$/g, '')))
  );
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:[^*]*$/.test(text) && new URL(text).origin === text;
}

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(text);
  return (
    /^rediss?:$/.test(protocol) &&
    hostname !== '' &&
    /^(\/\d{0,5})?$/.test(pathname) &&
    [username, password].every(isPercentDecodable)
  );
}

function isPercentDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return (
    /^https?:$/.test(protocol) &&
    `${username}${password}${search}${hash}` === '' &&
    !/[?#]/.test(text)
  );
}
