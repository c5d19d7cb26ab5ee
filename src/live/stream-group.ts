import type { FeedStart } from './feed-list.ts';
import type { LiveStream } from './live-stream.ts';

/** The streams that share their events: those with the same credential, document and variables. */
export interface StreamGroup {
  /** An ended group takes no more streams. */
  readonly isEnded: boolean;
  /**
   * Adds a stream, which gets the present state first.
   * @param start for a list: the stream gets what is newer. @default the present end of the list
   */
  join(stream: LiveStream, start?: FeedStart): void;
  /** To be called when a stream has ended. The group ends with its last stream. */
  leave(stream: LiveStream): void;
  /**
   * To be called about once a second.
   * @param now monotonic time, in ms
   */
  tick(now: number): void;
}
