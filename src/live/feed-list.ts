import { type Cursor, decodeCursor } from '#pagination/cursor.ts';
import type { Identified } from '#pagination/list.ts';
import type { NumberedPage, PageResponse, RevoxApi } from '#rest/revox-api.ts';
import type { FetchOptions } from '#rest/upstream-request.ts';

/** A list whose new items subscriptions can follow. One description for each list and filter. */
export interface FeedList {
  /** Identifies the list with its filter. */
  readonly key: string;
  /** The endpoint, as the facts of its paging name it. */
  readonly endpoint: string;
  /** The scope of the cursors, which is that of the connection. */
  readonly scope: string;
  readPage(rest: RevoxApi, page: NumberedPage, options: FetchOptions): Promise<PageResponse>;
  /** When an item came into being, in ms. Undefined if it is unknown. */
  timeOf(item: Identified): number | undefined;
}

/** The edge of an item, as the connection has it. */
export interface FeedEdge {
  readonly cursor: string;
  readonly node: Identified;
}

/** The place in the list where a stream begins: it gets what is newer. */
export interface FeedStart {
  /** The encoded cursor. */
  readonly key: string;
  readonly cursor: Cursor;
}

/** @throws UserInputError for a cursor that is damaged, or of another list */
export function toFeedStart(
  encoded: string,
  { scope }: Pick<FeedList, 'scope'>,
  argument: 'after' | 'Last-Event-ID',
): FeedStart {
  return { key: encoded, cursor: decodeCursor(encoded, scope, argument) };
}
