import type { RedisClientType } from '@redis/client';
import { toErrorCode } from './redis-errors.ts';
import { findMasterUrl, NoMasterError } from './sentinels.ts';

export type RedisClient = Pick<
  RedisClientType,
  'isReady' | 'sendCommand' | 'destroy' | 'subscribe'
>;

export interface RedisClientOptions {
  /** May contain user, password and database; `rediss:` means TLS. */
  readonly url: string;
  /** For a `rediss:` URL. @default the certificate authorities of Node.js */
  readonly tls?: RedisTls | undefined;
  /**
   * URLs of the Sentinels that know the master; the host of `url` is then its name.
   * @default none
   */
  readonly sentinels?: readonly string[];
}

export interface RedisTls {
  /** Certificates of the trusted authorities, in PEM format, in place of those of Node.js. */
  readonly ca: string | undefined;
  /** Whether the server's certificate must be signed by one of them. */
  readonly isVerified: boolean;
}

/** Each event names the client that it comes from: a connection replaces its client. */
export interface RedisClientEvents {
  /** The client tries again until it is destroyed. */
  onError(client: RedisClient, error: unknown): void;
  /** The socket is connected. */
  onConnect(client: RedisClient): void;
  /** The server has accepted user, password and database. */
  onReady(client: RedisClient): void;
}

/** Time limits, in ms: of a connection attempt, and of a connection without traffic. */
export const CONNECT_TIMEOUT_MS = 2_000;
const SOCKET_TIMEOUT_MS = 5_000;
/** How often an idle connection is checked, in ms: before `SOCKET_TIMEOUT_MS`. */
const PING_INTERVAL_MS = 2_000;
const MAX_BACKOFF_MS = 2_000;
/** Maximum commands without a reply. Beyond that, the client rejects commands itself. */
const MAX_QUEUED_COMMANDS = 10_000;

/**
 * Creates a client that connects, and connects again when it loses its connection.
 * @throws NoMasterError, or another error if the URL is not valid or the client cannot be loaded
 */
export async function createRedisClient(
  { url, tls, sentinels = [] }: RedisClientOptions,
  { onError, onConnect, onReady }: RedisClientEvents,
): Promise<RedisClient> {
  // Loading the Redis client takes 200 ms and 28 MB, so only gateways with a Redis load it.
  const { createClient, RESP_TYPES } = await import('@redis/client');
  const client = createClient({
    url: sentinels.length > 0 ? await findMasterUrl(url, sentinels, tls) : url,
    // RESP 2: Redis before version 6 and proxies support it, too.
    RESP: 2,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
    pingInterval: PING_INTERVAL_MS,
    // The client's own timeout covers only the time before a command is sent, and needs a timer for
    // each command. `RedisConnection` limits the time until the reply.
    commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    socket: {
      // The URL decides whether there is TLS at all.
      ...(tls && { ca: tls.ca, rejectUnauthorized: tls.isVerified }),
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      reconnectStrategy: (retries) =>
        Math.min(50 * 2 ** retries, MAX_BACKOFF_MS) * (0.75 + Math.random() / 4),
    },
  });
  client.on('error', (error) => onError(client, error));
  client.on('connect', () => onConnect(client));
  client.on('ready', () => onReady(client));
  // The 'error' event reports failures.
  client.connect().catch(() => {});
  return client;
}

/** Why `createRedisClient` has failed, for `toReason`. It contains no address and no path. */
export function toOpenFailure(error: unknown): string {
  if (error instanceof NoMasterError) return toErrorCode(error);
  if (error instanceof TypeError || error instanceof URIError) return 'REDIS_URL is not valid';
  // The process may have no file handle left, for example.
  const code = error instanceof Error && 'code' in error ? error.code : 'unknown error';
  return `its client cannot be loaded (${code})`;
}
