import { randomBytes } from 'node:crypto';
import { createRedisClient, type RedisClient, type RedisClientOptions } from './redis-client.ts';
import type { RedisConnection } from './redis-connection.ts';
import { toErrorCode } from './redis-errors.ts';

/**
 * A pub/sub channel that all instances subscribe to. A message arrives at most once, may be lost,
 * and may be forged by anyone who can write to the Redis: it is never data, only the reason to look
 * something up.
 */
export interface InstanceChannel {
  /**
   * Sends a message to all other instances, in the background.
   * @param hashTag which connection sends it, for a cluster
   * @param topic which handler receives it
   */
  publish(hashTag: string, topic: string, body: string): void;
  /** Registers the handler of a topic. It is called with the messages of other instances. */
  onMessage(topic: string, handler: MessageHandler): void;
  close(): void;
}

export type MessageHandler = (body: string) => void;

export interface InstanceChannelOptions
  extends Pick<RedisClientOptions, 'url' | 'tls' | 'sentinels'> {
  /** URLs of further nodes, if the Redis is a cluster: each of them forwards all messages. */
  readonly clusterNodes?: readonly string[] | undefined;
  /** Sends the messages: a connection that is subscribed accepts no other command. */
  readonly connection: Pick<RedisConnection, 'send'>;
  /** The channel is subscribed, for the first time or again. Messages may have been lost. */
  readonly onSubscribed?: () => void;
  /** Called once if the user of the URL must not subscribe to the channel. */
  readonly onForbidden?: () => void;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** The number is the version of the format. */
export const CHANNEL = 'revox:instances:1';
const RECONNECT_DELAY_MS = 1_000;
/** An operator must change the permissions first. */
const FORBIDDEN_DELAY_MS = 60_000;
/** A longer message is not read: no instance sends one. */
const MAX_MESSAGE_BYTES = 1_024;

/** Subscribes in the background, and again after each lost connection. */
export function createInstanceChannel(options: InstanceChannelOptions): InstanceChannel {
  const { url, tls, sentinels = [], clusterNodes = [], connection, startTimer } = options;
  const urls = [url, ...clusterNodes];
  const handlers = new Map<string, MessageHandler>();
  const ownId = randomBytes(9).toString('base64url');
  let client: RedisClient | undefined;
  let attempts = 0;
  let isClosed = false;
  let isForbidden = false;
  let cancelReconnect: (() => void) | undefined;

  connect();

  return {
    publish(hashTag, topic, body) {
      void connection.send(hashTag, ['PUBLISH', CHANNEL, `${topic} ${ownId} ${body}`]);
    },
    onMessage: (topic, handler) => handlers.set(topic, handler),
    close() {
      isClosed = true;
      cancelReconnect?.();
      client?.destroy();
    },
  };

  /**
   * Creates a new client for each attempt: for the next node of a cluster, or for the master that
   * the Sentinels know.
   */
  function connect(): void {
    const target = urls[attempts % urls.length] as string;
    attempts += 1;
    createRedisClient(
      { url: target, tls, sentinels },
      {
        onError: reconnectAfter,
        onConnect(source) {
          if (isClosed) source.destroy();
        },
        onReady: subscribe,
      },
    ).then(
      (opened) => {
        if (isClosed) opened.destroy();
        else client ??= opened;
      },
      () => reconnectAfter(undefined),
    );
  }

  function subscribe(source: RedisClient): void {
    client = source;
    source.subscribe(CHANNEL, receive).then(
      () => {
        if (client === source && !isClosed) options.onSubscribed?.();
      },
      (error) => {
        const isNowForbidden = toErrorCode(error) === 'NOPERM';
        if (isNowForbidden && !isForbidden) options.onForbidden?.();
        isForbidden ||= isNowForbidden;
        reconnectAfter(source);
      },
    );
  }

  /** The client must not connect to the same address by itself. */
  function reconnectAfter(source: RedisClient | undefined): void {
    source?.destroy();
    if (isClosed || (client && source !== client)) return;
    client = undefined;
    cancelReconnect ??= startTimer(isForbidden ? FORBIDDEN_DELAY_MS : RECONNECT_DELAY_MS, () => {
      cancelReconnect = undefined;
      connect();
    });
  }

  function receive(message: string): void {
    if (message.length > MAX_MESSAGE_BYTES) return;
    const [topic = '', from = '', ...body] = message.split(' ');
    if (from !== ownId) handlers.get(topic)?.(body.join(' '));
  }
}
