import type { GatewayError } from '#errors/gateway-error.ts';
import type { FeedList, FeedStart } from './feed-list.ts';
import type { ObjectKind } from './object-kind.ts';

/** What an event of a subscription is made of. It is the root value of its execution. */
export interface LiveEvent {
  /** The id of the object, as in the selection. */
  readonly id: string;
  /** The object as the upstream sent it. Null if it does not exist. */
  readonly value: unknown;
  /** The object could not be read: the field fails with this error. */
  readonly error?: GatewayError | undefined;
}

export type Milestone = 'ENDED' | 'SETTLED';

/** What a subscription follows. */
export type LiveSelection = ObjectSelection | FeedSelection;

/** Single objects. */
export interface ObjectSelection {
  /** The name of the root field. */
  readonly field: string;
  readonly kind: ObjectKind;
  /** The objects that the subscription follows, without repetitions. */
  readonly ids: readonly string[];
  /** @default 'ENDED' */
  readonly until?: Milestone | undefined;
  /**
   * Whether only the end of each object is sent, and not its other states.
   * @default false
   */
  readonly isOnlyEnds?: boolean;
}

/** The new items of a list. */
export interface FeedSelection {
  /** The name of the root field. */
  readonly field: string;
  readonly list: FeedList;
  /** Where the stream begins. Undefined: with what is new after it has opened. */
  readonly start: FeedStart | undefined;
  /** Variables that only say where the stream begins: subscribers that differ in them share events. */
  readonly startVariables: readonly string[];
}

export function isFeedSelection(selection: LiveSelection): selection is FeedSelection {
  return 'list' in selection;
}

/**
 * The source of a subscription, as a `subscribe` resolver returns it: a description of what to
 * follow. graphql-js demands an iterable, but nothing iterates it: subscribers with the same
 * operation share their events, so the events are not pulled by each of them.
 */
export class LiveSource implements AsyncIterable<never> {
  readonly selection: LiveSelection;

  constructor(selection: LiveSelection) {
    this.selection = selection;
  }

  [Symbol.asyncIterator](): AsyncIterator<never> {
    return { next: () => Promise.resolve({ done: true, value: undefined }) };
  }
}
