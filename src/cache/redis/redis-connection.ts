import type { RedisClientType } from '@redis/client';
import { withTimeout } from './with-timeout.ts';

export type Command = readonly (string | Buffer)[];
/** Strings are returned as `Buffer`. */
export type Reply = unknown;

type Client = Pick<RedisClientType, 'isReady' | 'sendCommand' | 'destroy'>;

export interface RedisConnectionOptions {
  /** May contain user, password and database; `rediss:` means TLS. */
  readonly url: string;
  /**
   * How long a query waits for its reply, in ms. After a timeout, queries do not wait at all until
   * a probe succeeds.
   */
  readonly timeoutMs: number;
  /** Any clock, in ms: only differences count. */
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /**
   * Called once when Redis becomes unavailable, with the reason, and once when it is available
   * again. The message contains no address and no password.
   */
  readonly onStatusChange: (message: string) => void;
  /** Called when Redis becomes available, for the first time or again. */
  readonly onUp: () => void;
}

export interface RedisConnection {
  /** Whether Redis is connected, and its latest reply was in time. */
  readonly isUp: boolean;
  /**
   * Sends the commands in one round trip. A query waits for the first connection, but not while
   * Redis is down.
   * @returns undefined if there is no reply in time; never rejects
   */
  query(...commands: Command[]): Promise<readonly Reply[] | undefined>;
  /** Like `query`, but without a timeout, for commands that no operation waits for. */
  send(...commands: Command[]): Promise<readonly Reply[] | undefined>;
  /**
   * The earliest and the latest time that Redis' clock may show now, in ms. Known once Redis is up.
   */
  time(): { readonly earliest: number; readonly latest: number };
  close(): void;
}

/** Delay before a probe after a timeout or an error, in ms. */
const PROBE_DELAY_MS = 1_000;
/** Time limits, in ms: of a connection attempt, and of a connection without traffic. */
const CONNECT_TIMEOUT_MS = 2_000;
const SOCKET_TIMEOUT_MS = 5_000;
/** How often an idle connection is checked, in ms: before `SOCKET_TIMEOUT_MS`. */
const PING_INTERVAL_MS = 2_000;
const MAX_BACKOFF_MS = 2_000;
/** Maximum commands without a reply. Beyond that, the client rejects commands itself. */
const MAX_QUEUED_COMMANDS = 10_000;

const AVAILABLE_AGAIN = 'Redis is available again. The gateway uses it as the shared cache.';
const WRITABLE_AGAIN =
  'Redis accepts writes again. The gateway stores new responses in Redis, too.';

/**
 * One connection to Redis, which no operation waits for longer than the timeout.
 *
 * After a late reply, Redis is down for all operations. One second later, a probe (`TIME`) is sent
 * in the background. If its reply is in time, Redis is up again. While Redis is down, the gateway
 * sends no other command: replies arrive in the order of the commands, so a further command would
 * wait for the late reply. A hanging Redis therefore costs one timeout for the operations that
 * query it when it starts to hang, and nothing for later operations. A connection without traffic
 * is closed, and the client connects again.
 */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { timeoutMs, now, startTimer, onStatusChange, onUp } = options;
  const noReplyInTime = `no reply within REDIS_TIMEOUT_MS (${timeoutMs} ms)`;
  const started = Promise.withResolvers<void>();
  let client: Client | undefined;
  let state: 'starting' | 'up' | 'down' | 'closed' = 'starting';
  /** Whether no query has waited for the first connection yet. */
  let waitsForFirstConnection = true;
  let isProbing = false;
  let isWritable = true;
  let cancelProbe: (() => void) | undefined;
  /** The latest time by Redis' clock, with the times by the gateway's clock before and after it. */
  let clockSample = { ms: Number.NaN, sentAt: 0, receivedAt: 0 };

  connect().catch(() => markDown('REDIS_URL is not valid'));

  async function connect(): Promise<void> {
    // Loading the Redis client takes 200 ms and 28 MB, so only gateways with a Redis load it.
    const { createClient, RESP_TYPES } = await import('@redis/client');
    if (state === 'closed') return;
    const newClient = createClient({
      url: options.url,
      // RESP 2: Redis before version 6 and proxies support it, too.
      RESP: 2,
      maintNotifications: 'disabled',
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
      pingInterval: PING_INTERVAL_MS,
      // The client's own timeout covers only the time before a command is sent, and needs a timer
      // for each command. `withTimeout` covers the time until the reply.
      commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SOCKET_TIMEOUT_MS,
        reconnectStrategy: (retries) =>
          Math.min(50 * 2 ** retries, MAX_BACKOFF_MS) * (0.75 + Math.random() / 4),
      },
    });
    client = newClient;
    newClient.on('error', (error) => markDown(toErrorCode(error)));
    newClient.on('ready', probe);
    newClient.on('connect', () => {
      // `close` does not stop a connection attempt: destroy the connection once it is made.
      if (state === 'closed') newClient.destroy();
    });
    // The 'error' event reports failures; the client tries again until the connection is closed.
    newClient.connect().catch(() => {});
  }

  async function sendCommands(commands: readonly Command[]): Promise<readonly Reply[]> {
    const sentAt = now();
    // All in one event-loop iteration, so the client sends them in one write.
    const replies = await Promise.all(
      [...commands, ['TIME']].map((command) => client?.sendCommand<unknown>(command)),
    );
    const [seconds, microseconds] = replies.pop() as [Buffer, Buffer];
    const ms = Number(seconds) * 1000 + Number(microseconds) / 1000;
    if (!Number.isFinite(ms)) throw new NotRedisError();
    clockSample = { ms, sentAt, receivedAt: now() };
    return replies;
  }

  /**
   * Checks whether Redis replies. One probe at a time: a second one would give no more information.
   */
  async function probe(): Promise<void> {
    if (isProbing || state === 'up' || state === 'closed' || !client?.isReady) return;
    isProbing = true;
    try {
      const reply = sendCommands([]);
      const isInTime = (await withTimeout(reply, timeoutMs, startTimer)) !== undefined;
      if (!isInTime) markDown(noReplyInTime);
      await reply;
      if (isInTime) markUp();
    } catch (error) {
      markDown(toErrorCode(error));
    } finally {
      isProbing = false;
      if (state === 'down') scheduleProbe();
    }
  }

  function markUp(): void {
    if (state === 'closed') return;
    const wasDown = state === 'down';
    state = 'up';
    started.resolve();
    if (wasDown) onStatusChange(AVAILABLE_AGAIN);
    onUp();
  }

  function markDown(reason: string): void {
    if (state === 'closed') return;
    const hasChanged = state !== 'down';
    state = 'down';
    started.resolve();
    if (hasChanged)
      onStatusChange(
        `Redis is unavailable: ${reason}. The gateway caches in its own memory only until Redis responds again.`,
      );
    scheduleProbe();
  }

  function scheduleProbe(): void {
    cancelProbe ??= startTimer(PROBE_DELAY_MS, () => {
      cancelProbe = undefined;
      void probe();
    });
  }

  return {
    get isUp() {
      return state === 'up';
    },
    async query(...commands) {
      if (state === 'starting' && waitsForFirstConnection) {
        await withTimeout(started.promise, timeoutMs, startTimer);
        waitsForFirstConnection = false;
      }
      if (state !== 'up') return undefined;
      try {
        const replies = await withTimeout(sendCommands(commands), timeoutMs, startTimer);
        if (!replies) markDown(noReplyInTime);
        return replies;
      } catch (error) {
        markDown(toErrorCode(error));
        return undefined;
      }
    },
    async send(...commands) {
      if (state !== 'up') return undefined;
      try {
        const replies = await sendCommands(commands);
        if (!isWritable) onStatusChange(WRITABLE_AGAIN);
        isWritable = true;
        return replies;
      } catch (error) {
        // Redis is out of memory, or a replica: reads still work. The client's `error` event
        // reports a lost connection.
        if (isWritable && client?.isReady) {
          isWritable = false;
          onStatusChange(
            `Redis rejects writes: ${toErrorCode(error)}. The gateway still reads from Redis, and stores new responses in its own memory only.`,
          );
        }
        return undefined;
      }
    },
    time() {
      const at = now();
      return {
        earliest: clockSample.ms + at - clockSample.receivedAt,
        latest: clockSample.ms + at - clockSample.sentAt,
      };
    },
    close() {
      state = 'closed';
      started.resolve();
      cancelProbe?.();
      client?.destroy();
    },
  };
}

/** The server does not respond to `TIME` like Redis. */
class NotRedisError extends Error {}

/** The kind of an error, without its message, which may contain addresses. */
function toErrorCode(error: unknown): string {
  if (error instanceof NotRedisError) return 'the server does not respond like Redis';
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Redis' own messages start with their kind: WRONGPASS, LOADING, OOM.
  return /^[A-Z]{2,}(?= )/.exec(error.message)?.[0] ?? error.constructor.name;
}
