import type { RedisClientOptions } from './redis-client.ts';

export type Command = readonly (string | Buffer)[];
/** Strings are returned as `Buffer`. */
export type Reply = unknown;

export interface RedisConnectionOptions extends RedisClientOptions {
  /**
   * How long a query waits for its reply, in ms. After a timeout, queries do not wait at all until
   * a probe succeeds.
   */
  readonly timeoutMs: number;
  /** Any clock, in ms: only differences count. */
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/**
 * One server, or a cluster. All keys of one call have the same hash tag, in braces: a cluster stores
 * them on the same server.
 */
export interface RedisConnection {
  /** Whether the server of these keys is connected, and its latest reply was in time. */
  isUp(hashTag: string): boolean;
  /**
   * Sends the commands in one round trip. The first queries wait for the first connection, at most
   * `timeoutMs`. Later queries do not wait for a connection.
   * @returns undefined if there is no reply in time; never rejects
   */
  query(hashTag: string, ...commands: Command[]): Promise<Replies | undefined>;
  /** Like `query`, but without a timeout, for commands that no operation waits for. */
  send(hashTag: string, ...commands: Command[]): Promise<Replies | undefined>;
  /**
   * The earliest and the latest time that the clock of the server of these keys may show now, in
   * ms. Known once the server is up.
   */
  time(hashTag: string): ServerTime;
  close(): void;
}

export type Replies = readonly Reply[];

export interface ServerTime {
  readonly earliest: number;
  readonly latest: number;
}
