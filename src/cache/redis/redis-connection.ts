import type { RedisClientType } from '@redis/client';
import { NotRedisError, toErrorCode } from '#cache/redis-fault.ts';
import { withTimeout } from './with-timeout.ts';

export type Command = readonly (string | Buffer)[];
/** Strings come as bytes. */
export type Reply = unknown;

type Client = Pick<RedisClientType, 'isReady' | 'sendCommand' | 'destroy'>;

export interface RedisConnectionOptions {
  /** With user, password and database, if need be; `rediss:` is TLS. */
  readonly url: string;
  /** How long an answer is waited for, ms. Whoever asks waits no longer, and after that nobody asks for a while. */
  readonly timeoutMs: number;
  /** Any clock, in ms: only differences count. */
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Hears once that Redis cannot be used, and why, and once that it can again. No address and no password is in the message. */
  readonly onStatusChange: (message: string) => void;
  /** Redis answers, for the first time or again. */
  readonly onUp: () => void;
}

export interface RedisConnection {
  /** Whether Redis is connected, and has answered in time when last asked. */
  readonly isUp: boolean;
  /**
   * Asks in one round trip. While the first connection is being made it waits for that; when Redis is away or silent it does not wait.
   * @returns undefined when there is no answer in time; never rejects
   */
  query(...commands: Command[]): Promise<readonly Reply[] | undefined>;
  /** As `ask`, for what nobody waits for: it takes as long as it takes. */
  send(...commands: Command[]): Promise<readonly Reply[] | undefined>;
  /** Between which moments Redis' clock is now, ms. Known once it is up. */
  time(): { readonly earliest: number; readonly latest: number };
  close(): void;
}

/** So long Redis is left alone after it did not answer in time, or refused to. */
const PROBE_DELAY_MS = 1_000;
/** Of a connection attempt, and of a connection on which nothing is heard and nothing sent. */
const CONNECT_TIMEOUT_MS = 2_000;
const SOCKET_TIMEOUT_MS = 5_000;
/** A connection that nobody uses is proved so often: before the silence is too long. */
const PING_INTERVAL_MS = 2_000;
const MAX_BACKOFF_MS = 2_000;
/** Asked, and not answered yet. Beyond, commands are refused by the client itself. */
const MAX_QUEUED_COMMANDS = 10_000;

/**
 * One connection to Redis, which is never waited for longer than it may take.
 *
 * When an answer is late, Redis is down for all until it has proved itself: after a second it is asked for the time, by nobody who
 * waits, and when it tells in time it is up. Since answers come in the order of the commands, nothing is asked behind a command that is not
 * answered: so a Redis that hangs costs those one timeout who ask when it begins to, and nobody anything after that. A connection that
 * stays silent is given up, and made anew.
 */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { timeoutMs, now, startTimer, onStatusChange, onUp } = options;
  const started = Promise.withResolvers<void>();
  let client: Client | undefined;
  let state: 'starting' | 'up' | 'down' | 'closed' = 'starting';
  /** Until somebody has waited in vain. */
  let waitsForFirstConnection = true;
  let isProbing = false;
  let isWritable = true;
  let cancelProbe: (() => void) | undefined;
  /** What Redis' clock said, and between which moments of ours. */
  let clockSample = { ms: Number.NaN, sentAt: 0, receivedAt: 0 };

  connect().catch(() => markDown('its URL cannot be read'));

  async function connect(): Promise<void> {
    // It takes a fifth of a second and 28 MB, which nobody has to pay who has no Redis.
    const { createClient, RESP_TYPES } = await import('@redis/client');
    if (state === 'closed') return;
    const newClient = createClient({
      url: options.url,
      // What is in it, older ones than 6 know too; and so do proxies.
      RESP: 2,
      maintNotifications: 'disabled',
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
      pingInterval: PING_INTERVAL_MS,
      // Its own timeout ends when a command is sent, and is a timer for each: ours begins there.
      commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SOCKET_TIMEOUT_MS,
        reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, MAX_BACKOFF_MS) * (0.75 + Math.random() / 4),
      },
    });
    client = newClient;
    newClient.on('error', (error) => markDown(toErrorCode(error)));
    newClient.on('ready', probe);
    newClient.on('connect', () => {
      // A connection that was being made when the link was closed comes to life after that.
      if (state === 'closed') newClient.destroy();
    });
    // What goes wrong is told by 'error'; it is tried again until the link is closed.
    newClient.connect().catch(() => {});
  }

  async function sendCommands(commands: readonly Command[]): Promise<readonly Reply[]> {
    const sentAt = now();
    // In one turn, so they go in one write.
    const replies = await Promise.all([...commands, ['TIME']].map((command) => client?.sendCommand<unknown>(command)));
    const [seconds, microseconds] = replies.pop() as [Buffer, Buffer];
    const ms = Number(seconds) * 1000 + Number(microseconds) / 1000;
    if (!Number.isFinite(ms)) throw new NotRedisError();
    clockSample = { ms, sentAt, receivedAt: now() };
    return replies;
  }

  /** Finds out whether Redis answers. One at a time: nothing is told by a second answer that the first one did not. */
  async function probe(): Promise<void> {
    if (isProbing || state === 'up' || state === 'closed' || !client?.isReady) return;
    isProbing = true;
    try {
      const reply = sendCommands([]);
      const isInTime = (await withTimeout(reply, timeoutMs, startTimer)) !== undefined;
      if (!isInTime) markDown('it does not answer in time');
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
    if (wasDown) onStatusChange('Redis is back.');
    onUp();
  }

  function markDown(reason: string): void {
    if (state === 'closed') return;
    const hasChanged = state !== 'down';
    state = 'down';
    started.resolve();
    if (hasChanged) onStatusChange(`Redis cannot be used: ${reason}. What is remembered stays in the process.`);
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
        if (!replies) markDown('it does not answer in time');
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
        if (!isWritable) onStatusChange('Redis keeps what it is given again.');
        isWritable = true;
        return replies;
      } catch (error) {
        // Out of memory, or a replica: it can still be read. A connection that is lost is another matter.
        if (isWritable && client?.isReady) {
          isWritable = false;
          onStatusChange(`Redis does not keep what it is given: ${toErrorCode(error)}.`);
        }
        return undefined;
      }
    },
    time() {
      const at = now();
      return { earliest: clockSample.ms + at - clockSample.receivedAt, latest: clockSample.ms + at - clockSample.sentAt };
    },
    close() {
      state = 'closed';
      started.resolve();
      cancelProbe?.();
      client?.destroy();
    },
  };
}
