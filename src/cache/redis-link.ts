import type { RedisClientType } from '@redis/client';
import { NoRedisError, toReason } from './redis-fault.ts';
import { settleWithin } from './settle-within.ts';

export type Command = readonly (string | Buffer)[];
/** Strings come as bytes. */
export type Reply = unknown;

type Client = Pick<RedisClientType, 'isReady' | 'sendCommand' | 'destroy'>;

export interface RedisLinkOptions {
  /** With user, password and database, if need be; `rediss:` is TLS. */
  readonly url: string;
  /** How long an answer is waited for, ms. Whoever asks waits no longer, and after that nobody asks for a while. */
  readonly timeoutMs: number;
  /** Any clock, ms: only differences count. */
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Hears once that Redis cannot be used, and why, and once that it can again. No address and no password is in the message. */
  readonly onTrouble: (message: string) => void;
  /** Redis answers, for the first time or again. */
  readonly onUp: () => void;
}

export interface RedisLink {
  /** Whether Redis is connected, and has answered in time when last asked. */
  readonly isUp: boolean;
  /**
   * Asks in one round trip. While the first connection is being made it waits for that; when Redis is away or silent it does not wait.
   * @returns undefined when there is no answer in time; never rejects
   */
  ask(...commands: Command[]): Promise<readonly Reply[] | undefined>;
  /** As `ask`, for what nobody waits for: it takes as long as it takes. */
  tell(...commands: Command[]): Promise<readonly Reply[] | undefined>;
  /** Between which moments Redis' clock is now, ms. Known once it is up. */
  time(): { readonly earliest: number; readonly latest: number };
  close(): void;
}

/** So long Redis is left alone after it did not answer in time, or refused to. */
const REST_MS = 1_000;
/** Of a connection attempt, and of a connection on which nothing is heard and nothing sent. */
const CONNECT_TIMEOUT_MS = 2_000;
const SILENCE_MS = 5_000;
/** A connection that nobody uses is proved so often: before the silence is too long. */
const PING_INTERVAL_MS = 2_000;
const LONGEST_BACKOFF_MS = 2_000;
/** Asked, and not answered yet. Beyond, commands are refused by the client itself. */
const MOST_COMMANDS = 10_000;

/**
 * One connection to Redis, which is never waited for longer than it may take.
 *
 * When an answer is late, Redis is down for all until it has proved itself: after a second it is asked for the time, by nobody who
 * waits, and when it tells in time it is up. Since answers come in the order of the commands, nothing is asked behind a command that is not
 * answered: so a Redis that hangs costs those one timeout who ask when it begins to, and nobody anything after that. A connection that
 * stays silent is given up, and made anew.
 */
export function createRedisLink(options: RedisLinkOptions): RedisLink {
  const { timeoutMs, now, startTimer, onTrouble, onUp } = options;
  const started = Promise.withResolvers<void>();
  let client: Client | undefined;
  let state: 'starting' | 'up' | 'down' | 'closed' = 'starting';
  /** Until somebody has waited in vain. */
  let isWorthWaiting = true;
  let isProving = false;
  let isKeeping = true;
  let endRest: (() => void) | undefined;
  /** What Redis' clock said, and between which moments of ours. */
  let told = { ms: Number.NaN, sentAt: 0, receivedAt: 0 };

  connect().catch(() => goDown('its URL cannot be read'));

  async function connect(): Promise<void> {
    // It takes a fifth of a second and 28 MB, which nobody has to pay who has no Redis.
    const { createClient, RESP_TYPES } = await import('@redis/client');
    if (state === 'closed') return;
    const made = createClient({
      url: options.url,
      // What is in it, older ones than 6 know too; and so do proxies.
      RESP: 2,
      maintNotifications: 'disabled',
      disableOfflineQueue: true,
      commandsQueueMaxLength: MOST_COMMANDS,
      pingInterval: PING_INTERVAL_MS,
      // Its own timeout ends when a command is sent, and is a timer for each: ours begins there.
      commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SILENCE_MS,
        reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, LONGEST_BACKOFF_MS) * (0.75 + Math.random() / 4),
      },
    });
    client = made;
    made.on('error', (error) => goDown(toReason(error)));
    made.on('ready', prove);
    made.on('connect', () => {
      // A connection that was being made when the link was closed comes to life after that.
      if (state === 'closed') made.destroy();
    });
    // What goes wrong is told by 'error'; it is tried again until the link is closed.
    made.connect().catch(() => {});
  }

  async function send(commands: readonly Command[]): Promise<readonly Reply[]> {
    const sentAt = now();
    // In one turn, so they go in one write.
    const replies = await Promise.all([...commands, ['TIME']].map((command) => client?.sendCommand<unknown>(command)));
    const [seconds, microseconds] = replies.pop() as [Buffer, Buffer];
    const ms = Number(seconds) * 1000 + Number(microseconds) / 1000;
    if (!Number.isFinite(ms)) throw new NoRedisError();
    told = { ms, sentAt, receivedAt: now() };
    return replies;
  }

  /** Finds out whether Redis answers. One at a time: nothing is told by a second answer that the first one did not. */
  async function prove(): Promise<void> {
    if (isProving || state === 'up' || state === 'closed' || !client?.isReady) return;
    isProving = true;
    try {
      const answer = send([]);
      const isInTime = (await settleWithin(answer, timeoutMs, startTimer)) !== undefined;
      if (!isInTime) goDown('it does not answer in time');
      await answer;
      if (isInTime) goUp();
    } catch (error) {
      goDown(toReason(error));
    } finally {
      isProving = false;
      if (state === 'down') rest();
    }
  }

  function goUp(): void {
    if (state === 'closed') return;
    const wasDown = state === 'down';
    state = 'up';
    started.resolve();
    if (wasDown) onTrouble('Redis is back.');
    onUp();
  }

  function goDown(reason: string): void {
    if (state === 'closed') return;
    const isNews = state !== 'down';
    state = 'down';
    started.resolve();
    if (isNews) onTrouble(`Redis cannot be used: ${reason}. What is remembered stays in the process.`);
    rest();
  }

  function rest(): void {
    endRest ??= startTimer(REST_MS, () => {
      endRest = undefined;
      void prove();
    });
  }

  return {
    get isUp() {
      return state === 'up';
    },
    async ask(...commands) {
      if (state === 'starting' && isWorthWaiting) {
        await settleWithin(started.promise, timeoutMs, startTimer);
        isWorthWaiting = false;
      }
      if (state !== 'up') return undefined;
      try {
        const replies = await settleWithin(send(commands), timeoutMs, startTimer);
        if (!replies) goDown('it does not answer in time');
        return replies;
      } catch (error) {
        goDown(toReason(error));
        return undefined;
      }
    },
    async tell(...commands) {
      if (state !== 'up') return undefined;
      try {
        const replies = await send(commands);
        if (!isKeeping) onTrouble('Redis keeps what it is given again.');
        isKeeping = true;
        return replies;
      } catch (error) {
        // Out of memory, or a replica: it can still be read. A connection that is lost is another matter.
        if (isKeeping && client?.isReady) {
          isKeeping = false;
          onTrouble(`Redis does not keep what it is given: ${toReason(error)}.`);
        }
        return undefined;
      }
    },
    time() {
      const at = now();
      return { earliest: told.ms + at - told.receivedAt, latest: told.ms + at - told.sentAt };
    },
    close() {
      state = 'closed';
      started.resolve();
      endRest?.();
      client?.destroy();
    },
  };
}
