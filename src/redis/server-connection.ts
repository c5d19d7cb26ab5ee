import { boundedRead, isWrongType } from './bounded-read.ts';
import { toRedirection } from './redirection.ts';
import { createRedisClient, type RedisClient, toOpenFailure } from './redis-client.ts';
import type {
  Command,
  RedisConnection,
  RedisConnectionOptions,
  Replies,
  Reply,
} from './redis-connection.ts';
import { NotRedisError, toErrorCode } from './redis-errors.ts';
import type { ServerStatus } from './status-reporter.ts';
import { withTimeout } from './with-timeout.ts';

/** A connection to one server. */
export interface ServerConnectionOptions extends RedisConnectionOptions {
  /** Called when Redis becomes available, for the first time or again. */
  readonly onUp: () => void;
  readonly status: ServerStatus;
  /**
   * A node of a cluster: its redirections are returned as replies, of the type `Redirection`.
   * @default false
   */
  readonly isClusterNode?: boolean;
  /** Whether the first queries wait for the first connection. @default true */
  readonly isFirstConnectionAwaited?: boolean;
}

const PROBE = boundedRead(0);
/** Delay before a probe after a timeout or an error, in ms. */
const PROBE_DELAY_MS = 1_000;
/**
 * Minimum time between two attempts to replace a connection whose server cannot serve, in ms. It
 * doubles until the server accepts a write.
 */
const MIN_REPLACEMENT_INTERVAL_MS = 1_000;
const MAX_REPLACEMENT_INTERVAL_MS = 10_000;

/** Error replies of a server that loads its data, has lost its master, or requires a login. */
const CANNOT_SERVE = ['LOADING', 'MASTERDOWN', 'NOAUTH'];
/** After these replies, a new connection may lead to another server, or authenticates again. */
const NEEDS_REPLACEMENT = new Set(['READONLY', ...CANNOT_SERVE]);
/**
 * Error replies after which reads would fail, too. The last two come from a node of a cluster: the
 * cluster is down, or the gateway is not configured for a cluster.
 */
const NOT_SERVING = new Set([...CANNOT_SERVE, 'CLUSTERDOWN', 'MOVED']);

/** Error replies to writes, while reads still work. */
const REJECTS_WRITES = new Set(['OOM', 'MISCONF', 'NOREPLICAS', 'READONLY']);

/**
 * One connection to Redis, which no operation waits for longer than the timeout.
 *
 * After a late reply, Redis is down for all operations. One second later, the gateway sends a probe
 * (a read and `TIME`) in the background. If its reply is in time, Redis is up again. While Redis is
 * down, the gateway sends no other command: replies arrive in the order of the commands, so a
 * further command would wait for the late reply. A hanging Redis therefore costs one timeout for
 * the operations that query it when it starts to hang, and nothing for later operations. A
 * connection without traffic is closed, and the client connects again. A connection to a server
 * that is a replica by now, or cannot serve, is replaced. It is in use until the new one is ready.
 */
export function createServerConnection(options: ServerConnectionOptions): RedisConnection {
  const { timeoutMs, now, startTimer, status, onUp, isClusterNode = false } = options;
  const noReplyInTime = `no reply within REDIS_TIMEOUT_MS (${timeoutMs} ms)`;
  const started = Promise.withResolvers<void>();
  let client: RedisClient | undefined;
  /** Connects in place of `client`, which is in use until then. */
  let replacement: Promise<RedisClient> | undefined;
  let replacementIntervalMs = MIN_REPLACEMENT_INTERVAL_MS;
  let nextReplacementAt = Number.NEGATIVE_INFINITY;
  let state: 'starting' | 'up' | 'down' | 'closed' = 'starting';
  /** Whether a query waits for the first connection. False once a query has waited. */
  let waitsForFirstConnection = options.isFirstConnectionAwaited ?? true;
  /**
   * The hash tag of the latest commands that failed. The probe reads a key with this tag, because a
   * cluster may still serve the keys of other tags.
   */
  let probeTag = '';
  let isProbing = false;
  let isWritable = true;
  let cancelProbe: (() => void) | undefined;
  /** The latest time by Redis' clock, with the times by the gateway's clock before and after it. */
  let clockSample = { ms: Number.NaN, sentAt: 0, receivedAt: 0 };

  openClient().then(
    (firstClient) => {
      client ??= firstClient;
      if (state === 'closed') firstClient.destroy();
    },
    (error: unknown) => markDown(toOpenFailure(error)),
  );

  function openClient(): Promise<RedisClient> {
    return createRedisClient(options, {
      onError(source, error) {
        if (source === (client ?? source)) markDown(toErrorCode(error));
        else {
          // The error comes from a replacement, and says nothing about `client`. The next
          // replacement may find another master.
          replacement = undefined;
          source.destroy();
        }
      },
      onConnect(source) {
        // `close` does not stop a connection attempt: destroy the connection once it is made.
        if (state === 'closed') source.destroy();
      },
      onReady(source) {
        if (state === 'closed') return;
        if (client !== source) {
          client?.destroy();
          client = source;
          replacement = undefined;
          // The clock of another server must be read before the server is used.
          if (state === 'up') state = 'starting';
        }
        void probe();
      },
    });
  }

  /**
   * Connects again. A failover leaves existing connections with a server that has become a replica,
   * and only a new connection resolves the host's name again.
   */
  function replaceClient(): void {
    if (replacement || state === 'closed' || now() < nextReplacementAt) return;
    nextReplacementAt = now() + replacementIntervalMs;
    replacementIntervalMs = Math.min(2 * replacementIntervalMs, MAX_REPLACEMENT_INTERVAL_MS);
    replacement = openClient();
    replacement.catch(() => {
      replacement = undefined;
    });
  }

  function fail(code: string): void {
    markDown(code);
    if (NEEDS_REPLACEMENT.has(code)) replaceClient();
  }

  function sendCommand(command: Command): Promise<Reply> | undefined {
    return client?.sendCommand<unknown>(command).catch(isClusterNode ? toNodeReply : toReply);
  }

  async function sendCommands(commands: readonly Command[]): Promise<Replies> {
    const sentAt = now();
    // All in one event-loop iteration, so the client sends them in one write.
    const replies = await Promise.all([...commands, ['TIME']].map(sendCommand));
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
      // A key that does not exist: reading it shows whether the server serves data.
      const reply = sendCommands([PROBE.toCommand(`revox:probe:{${probeTag}}`)]);
      const isInTime = (await withTimeout(reply, timeoutMs, startTimer)) !== undefined;
      if (!isInTime) markDown(noReplyInTime);
      await reply;
      if (isInTime) markUp();
    } catch (error) {
      fail(toErrorCode(error));
    } finally {
      isProbing = false;
      if (state === 'down') scheduleProbe();
    }
  }

  /** Redis is out of memory, or a replica: reads still work. */
  function onWriteError(code: string): void {
    if (NOT_SERVING.has(code)) fail(code);
    else if (isWritable) {
      isWritable = false;
      status.onWritesRejected(code);
    }
    if (NEEDS_REPLACEMENT.has(code)) replaceClient();
  }

  function markUp(): void {
    if (state === 'closed') return;
    state = 'up';
    started.resolve();
    status.onUp();
    onUp();
  }

  function markDown(reason: string): void {
    if (state === 'closed') return;
    const hasChanged = state !== 'down';
    state = 'down';
    started.resolve();
    if (hasChanged) status.onDown(reason);
    scheduleProbe();
  }

  function scheduleProbe(): void {
    cancelProbe ??= startTimer(PROBE_DELAY_MS, () => {
      cancelProbe = undefined;
      if (client?.isReady || (client && !options.sentinels?.length)) void probe();
      else {
        // There is no client, or the client would connect to the same address again, although the
        // Sentinels may know another master by now.
        replaceClient();
        scheduleProbe();
      }
    });
  }

  return {
    isUp: () => state === 'up',
    async query(hashTag, ...commands) {
      if (state === 'starting' && waitsForFirstConnection) {
        await withTimeout(started.promise, timeoutMs, startTimer);
        waitsForFirstConnection = false;
      }
      if (state !== 'up') return undefined;
      const usedClient = client;
      try {
        const replies = await withTimeout(sendCommands(commands), timeoutMs, startTimer);
        if (!replies) markDown(noReplyInTime);
        return replies;
      } catch (error) {
        if (client === usedClient) {
          probeTag = hashTag;
          const code = toErrorCode(error);
          if (REJECTS_WRITES.has(code)) onWriteError(code);
          else fail(code);
        }
        return undefined;
      }
    },
    async send(hashTag, ...commands) {
      if (state !== 'up') return undefined;
      const usedClient = client;
      try {
        const replies = await sendCommands(commands);
        if (!isWritable) status.onWritesAccepted();
        isWritable = true;
        replacementIntervalMs = MIN_REPLACEMENT_INTERVAL_MS;
        return replies;
      } catch (error) {
        // A lost connection is handled elsewhere.
        if (client === usedClient && client?.isReady) {
          probeTag = hashTag;
          onWriteError(toErrorCode(error));
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
      replacement?.then(
        (pending) => pending.destroy(),
        () => {},
      );
    },
  };
}

/**
 * The error reply to one read does not concern the other commands of its round trip.
 * @throws the error if it is another one
 */
function toReply(error: unknown): Reply {
  if (!isWrongType(error)) throw error;
  return null;
}

/** As `toReply`, for a node of a cluster. */
function toNodeReply(error: unknown): Reply {
  return toRedirection(error) ?? toReply(error);
}
