import { z } from 'zod';

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
    readonly maxConcurrency: number;
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
  readonly requestDeadlineMs: number;
  readonly maxUpstreamRequests: number;
  readonly maxBodyBytes: number;
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** `extensions.upstream` for requests that ask for it. */
  readonly upstreamTrace: boolean;
  /** Demo only. */
  readonly sandboxPort: number;
}

/** All that is wrong with the settings, at once. Values are never repeated: they may be secrets. */
export class SettingsError extends Error {
  override name = 'SettingsError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The settings are wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

const wholeNumber = (min: number, max: number, unit: string) =>
  z
    .string()
    .regex(/^\d+$/, `has to be a whole number of ${unit}, ${min} to ${max}`)
    .transform(Number)
    .refine((number) => number >= min && number <= max, `has to be ${min} to ${max} ${unit}`);

const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, `has to be one of ${values.join(', ')}`);

const DAY_MS = 86_400_000;
const GIBIBYTE = 2 ** 30;

const baseUrl = z
  .string()
  .refine(
    isPlainHttpUrl,
    'has to be an http or https URL without user, query or fragment, https://www.getrevox.com/api for instance',
  )
  .transform((url) => url.replace(/\/+$/, ''));

const headerText = z.string().regex(/^[\x21-\x7e]+$/, 'has to be visible ASCII without blanks, as it goes into a header');

const variables = z.object({
  PORT: wholeNumber(0, 65_535, 'a port').default(4000),
  HOST: z
    .string()
    .regex(/^[\w.:-]+$/, 'has to be an address or a name to listen on, 127.0.0.1 for instance')
    .default('127.0.0.1'),
  REVOX_BASE_URL: baseUrl.default('https://www.getrevox.com/api'),
  REVOX_API_KEY: headerText.optional(),
  REVOX_FIRST_PAGE: oneOf('auto', '0', '1').default('auto'),
  REVOX_ARRAY_FORMAT: oneOf('comma', 'repeat', 'brackets').default('comma'),
  REVOX_PAGE_SIZE: wholeNumber(1, 10_000, 'items').default(50),
  REVOX_TIMEOUT_MS: wholeNumber(1, DAY_MS, 'ms').default(10_000),
  REVOX_MAX_CONCURRENCY: wholeNumber(1, 10_000, 'requests').default(20),
  REVOX_MAX_RESPONSE_BYTES: wholeNumber(1024, GIBIBYTE, 'bytes').default(32 * 2 ** 20),
  ROUTER_SECRETS: z
    .string()
    .transform((list) => list.split(',').map((secret) => secret.trim()))
    .refine(
      (secrets) => secrets.every((secret) => headerText.safeParse(secret).success),
      'has to be a comma-separated list of secrets, each of visible ASCII without blanks',
    )
    .default([]),
  CACHE_MAX_BYTES: wholeNumber(0, 64 * GIBIBYTE, 'bytes').default(64 * 2 ** 20),
  CACHE_SECRET: z.string().min(16, 'has to be at least 16 characters that nobody can guess').optional(),
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
  REDIS_URL: z.string().refine(isRedisUrl, 'has to be a redis or rediss URL, redis://127.0.0.1:6379 for instance').optional(),
  REDIS_TIMEOUT_MS: wholeNumber(1, 10_000, 'ms').default(50),
  REQUEST_DEADLINE_MS: wholeNumber(1, DAY_MS, 'ms').default(30_000),
  MAX_UPSTREAM_REQUESTS: wholeNumber(1, 100_000, 'requests').default(250),
  MAX_BODY_BYTES: wholeNumber(1024, GIBIBYTE, 'bytes').default(2 ** 20),
  GRAPHIQL: oneOf('on', 'off').optional(),
  INTROSPECTION: oneOf('on', 'off').optional(),
  UPSTREAM_TRACE: oneOf('on', 'off').optional(),
  NODE_ENV: z.string().optional(),
  SANDBOX_PORT: wholeNumber(0, 65_535, 'a port').optional(),
});

export type Environment = { readonly [name: string]: string | undefined };

/**
 * Reads the settings. An empty variable counts as absent.
 * @throws SettingsError naming every fault, if there is any
 */
export function readSettings(environment: Environment = process.env): Settings {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''));
  const read = variables.safeParse(given);
  const faults = read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}.`);

  const isServiceMode = given.REVOX_API_KEY !== undefined;
  const isGuarded = given.ROUTER_SECRETS !== undefined;
  if (isServiceMode && !isGuarded && given.HOST !== undefined && !LOOPBACK_HOSTS.has(given.HOST)) {
    faults.push(
      'HOST has to be 127.0.0.1, ::1 or localhost: with REVOX_API_KEY set, everyone who reaches the gateway ' +
        'reads with your key. Set ROUTER_SECRETS to let in only those who know one.',
    );
  }
  if (!read.success || faults.length > 0) throw new SettingsError(faults);

  const set = read.data;
  const isProduction = set.NODE_ENV === 'production';
  return {
    port: set.PORT,
    host: set.HOST,
    revox: {
      baseUrl: set.REVOX_BASE_URL,
      apiKey: set.REVOX_API_KEY,
      firstPage: set.REVOX_FIRST_PAGE === 'auto' ? 'auto' : set.REVOX_FIRST_PAGE === '0' ? 0 : 1,
      arrayFormat: set.REVOX_ARRAY_FORMAT,
      pageSize: set.REVOX_PAGE_SIZE,
      timeoutMs: set.REVOX_TIMEOUT_MS,
      maxConcurrency: set.REVOX_MAX_CONCURRENCY,
      maxResponseBytes: set.REVOX_MAX_RESPONSE_BYTES,
    },
    routerSecrets: set.ROUTER_SECRETS,
    cache: {
      maxBytes: set.CACHE_MAX_BYTES,
      secret: set.CACHE_SECRET,
      freshness: {
        endedCallMs: set.FRESHNESS_ENDED_CALL_MS,
        justEndedCallMs: set.FRESHNESS_JUST_ENDED_CALL_MS,
        settlingCallMs: set.FRESHNESS_SETTLING_CALL_MS,
        liveCallMs: set.FRESHNESS_LIVE_CALL_MS,
        assistantMs: set.FRESHNESS_ASSISTANT_MS,
        campaignMs: set.FRESHNESS_CAMPAIGN_MS,
        runningCampaignMs: set.FRESHNESS_RUNNING_CAMPAIGN_MS,
        pageMs: set.FRESHNESS_PAGE_MS,
        notFoundMs: set.FRESHNESS_NOT_FOUND_MS,
        whileRevalidatingMs: set.FRESHNESS_WHILE_REVALIDATING_MS,
      },
      graceMs: set.GRACE_MS,
      credentialRecheckMs: set.CREDENTIAL_RECHECK_MS,
      redisUrl: set.REDIS_URL,
      redisTimeoutMs: set.REDIS_TIMEOUT_MS,
    },
    requestDeadlineMs: set.REQUEST_DEADLINE_MS,
    maxUpstreamRequests: set.MAX_UPSTREAM_REQUESTS,
    maxBodyBytes: set.MAX_BODY_BYTES,
    graphiql: isOn(set.GRAPHIQL, !isProduction),
    introspection: isOn(set.INTROSPECTION, !isProduction),
    upstreamTrace: isOn(set.UPSTREAM_TRACE, !isProduction),
    sandboxPort: set.SANDBOX_PORT ?? portBeside(set.PORT),
  };
}

/** The hosts that only this machine can reach, and that the gateway answers to by name. */
const LOOPBACK_HOSTS = new Set(['127.0.0.1', '::1', 'localhost']);

/** The sandbox's port, unless it is set: the next one; any free one beside any free one. */
function portBeside(port: number): number {
  if (port === 0) return 0;
  return port === 65_535 ? 65_534 : port + 1;
}

function isOn(given: 'on' | 'off' | undefined, otherwise: boolean): boolean {
  return given === undefined ? otherwise : given === 'on';
}

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(text);
  return /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/\d{0,5})?$/.test(pathname) && [username, password].every(decodes);
}

function decodes(text: string): boolean {
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
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '' && !/[?#]/.test(text);
}
