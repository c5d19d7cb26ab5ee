import {
  ANY_TEXT,
  bytes,
  listOf,
  milliseconds,
  optionalVariable,
  SWITCH,
  text,
  type Values,
  type VariableGroup,
  variable,
} from '#config/variable.ts';

/** What is cached between operations, and for how long. The variables below state each meaning. */
export interface CacheSettings {
  /** An estimate, because parsed objects have no exact size. */
  readonly maxBytes: number;
  readonly secret: string | undefined;
  readonly freshness: {
    readonly endedCallMs: number;
    readonly justEndedCallMs: number;
    readonly settlingCallMs: number;
    readonly liveCallMs: number;
    readonly assistantMs: number;
    readonly campaignMs: number;
    readonly runningCampaignMs: number;
    readonly pageMs: number;
    readonly notFoundMs: number;
    readonly whileRevalidatingMs: number;
  };
  readonly graceMs: number;
  readonly credentialRecheckMs: number;
  readonly redisUrl: string | undefined;
  /** URLs. Empty: `redisUrl` contains the address of the Redis. */
  readonly redisSentinels: readonly string[];
  /**
   * URLs of nodes of the cluster besides `redisUrl`, with the same parts. Undefined: the Redis is not
   * a cluster.
   */
  readonly redisClusterNodes: readonly string[] | undefined;
  readonly redisTls: {
    readonly caFile: string | undefined;
    readonly isVerified: boolean;
  };
  readonly redisTimeoutMs: number;
}

const SECRET = {
  ...text('at least 16 characters that cannot be guessed', (characters) => characters.length >= 16),
  secret: 'value',
} as const;
const REDIS_URL = {
  ...text('a redis or rediss URL, for example redis://127.0.0.1:6379', isRedisUrl),
  secret: 'value',
} as const;
const SENTINELS = {
  ...listOf('redis or rediss URLs, for example redis://10.0.0.1:26379', isRedisUrl),
  secret: 'list',
} as const;

const variables = {
  CACHE_MAX_BYTES: variable(
    bytes(0, 64 * 2 ** 30),
    64 * 2 ** 20,
    'Estimated size of the cache, for all callers together (the [whole process](../operations/sizing.md) takes more). When the cache is full, the credential that holds the most loses its least recently used entries, and one entry takes at most a third. 0: no cache in memory.',
  ),
  CACHE_SECRET: optionalVariable(
    SECRET,
    'Keys the fingerprints of credentials, and the encryption in Redis. All instances that share a Redis must have the same.',
    'without Redis: random. With Redis: none; a reader of the Redis could then test guessed keys',
  ),
  FRESHNESS_ENDED_CALL_MS: variable(
    milliseconds(0),
    600_000,
    'Freshness of a call that ended a while ago. (Its `recordingUrl` may be a signed link of unknown lifetime.)',
  ),
  FRESHNESS_JUST_ENDED_CALL_MS: variable(
    milliseconds(0),
    5_000,
    'Freshness of a settling call: its transcript and structured output may still arrive.',
  ),
  FRESHNESS_SETTLING_CALL_MS: variable(
    milliseconds(0),
    300_000,
    'How long after its end a call is settling.',
  ),
  FRESHNESS_LIVE_CALL_MS: variable(
    milliseconds(0),
    1_000,
    'Freshness of a live call, and of a page with one on it.',
  ),
  FRESHNESS_ASSISTANT_MS: variable(
    milliseconds(0),
    30_000,
    'Freshness of an assistant, and of the list of assistants.',
  ),
  FRESHNESS_CAMPAIGN_MS: variable(milliseconds(0), 60_000, 'Freshness of a campaign.'),
  FRESHNESS_RUNNING_CAMPAIGN_MS: variable(
    milliseconds(0),
    10_000,
    'Freshness of a running campaign.',
  ),
  FRESHNESS_PAGE_MS: variable(
    milliseconds(0),
    1_000,
    'Freshness of a page of call attempts or campaign rows.',
  ),
  FRESHNESS_NOT_FOUND_MS: variable(
    milliseconds(0),
    2_000,
    'How long the gateway remembers that an object does not exist.',
  ),
  FRESHNESS_WHILE_REVALIDATING_MS: variable(
    milliseconds(0),
    10_000,
    'Stale-while-revalidate: how long after its freshness a response is served once more while the gateway fetches a new one. Never a live call or a page.',
  ),
  GRACE_MS: variable(
    milliseconds(0),
    3_600_000,
    'Stale-if-error: how long after its freshness a response is served while the upstream fails.',
  ),
  CREDENTIAL_RECHECK_MS: variable(
    milliseconds(0),
    60_000,
    'Pass-through mode: how long after Revox accepted a key its cached responses are served without another upstream request.',
  ),
  REDIS_URL: optionalVariable(
    REDIS_URL,
    'A Redis (6 or newer) over which [instances share](../operations/instances.md) responses, limits and polls: `redis://` or `rediss://`, with user, password and database. Absent: each instance has its own.',
  ),
  REDIS_SENTINELS: variable(
    SENTINELS,
    [],
    'Sentinels that know the master of the Redis. The host of `REDIS_URL` is then the name of the master, its other parts apply to the master: `redis://user:password@mymaster/0`.',
  ),
  REDIS_CLUSTER: variable(
    SWITCH,
    'off',
    '`on`: `REDIS_URL` leads to a node of a Redis Cluster, or to the configuration endpoint of a managed one. The gateway finds the other nodes there. User, password and TLS of the URL apply to all nodes.',
  ),
  REDIS_CLUSTER_NODES: variable(
    listOf('host:port, for example 10.0.0.2:6379', isNodeAddress),
    [],
    'Further nodes of the Redis Cluster, for a start while the node of `REDIS_URL` is down. After the start, the gateway knows all nodes.',
  ),
  REDIS_TLS_CA_FILE: optionalVariable(
    { ...ANY_TEXT, accepts: 'a path' },
    'Certificates (PEM) of the authorities that may sign the certificate of a `rediss://` Redis.',
    'those of Node.js',
  ),
  REDIS_TLS_VERIFY: variable(
    SWITCH,
    'on',
    '`off`: any certificate of a `rediss://` Redis is accepted, also a self-signed one (Heroku). The connection is encrypted, but the server is not authenticated.',
  ),
  REDIS_TIMEOUT_MS: variable(
    milliseconds(1, 10_000),
    50,
    'How long a lookup waits for Redis before it goes to the upstream.',
  ),
};

export const caching = {
  title: 'Caching',
  introduction: '[Caching](../guides/caching.md) explains the behaviour.',
  variables,
} satisfies VariableGroup;

export function toCacheSettings(values: Values<typeof variables>): CacheSettings {
  return {
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
    redisSentinels: values.REDIS_SENTINELS,
    redisClusterNodes:
      values.REDIS_CLUSTER === 'on' && values.REDIS_URL !== undefined
        ? toNodeUrls(values.REDIS_URL, values.REDIS_CLUSTER_NODES)
        : undefined,
    redisTls: {
      caFile: values.REDIS_TLS_CA_FILE,
      isVerified: values.REDIS_TLS_VERIFY === 'on',
    },
    redisTimeoutMs: values.REDIS_TIMEOUT_MS,
  };
}

function isRedisUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(url);
  return (
    /^rediss?:$/.test(protocol) &&
    hostname !== '' &&
    /^(\/\d{0,5})?$/.test(pathname) &&
    [username, password].every(isPercentDecodable)
  );
}

function isPercentDecodable(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}

/** Host and port, without the user, password and database that belong in `REDIS_URL`. */
function isNodeAddress(address: string): boolean {
  const url = `redis://${address}`;
  return URL.canParse(url) && new URL(url).host === address && new URL(url).port !== '';
}

function toNodeUrls(redisUrl: string, addresses: readonly string[]): string[] {
  return addresses.map((address) => {
    const url = new URL(redisUrl);
    url.host = address;
    return url.href;
  });
}
