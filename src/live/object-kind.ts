import type { FreshnessSettings } from '#cache/freshness.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import type { RevoxApi } from '#rest/revox-api.ts';
import type { FetchOptions } from '#rest/upstream-request.ts';
import type { OpenList } from './list-poller.ts';
import type { PaceInput, PaceSettings } from './pace.ts';
import type { PollUpstream } from './poll-upstream.ts';
import type { ObjectResponse, Reading } from './reading.ts';

/** What a reading shows of an object, apart from its value. */
export interface ObjectState {
  /** Whether the object does not change any more, or does not exist. */
  readonly isOver: boolean;
  /**
   * Whether results may still arrive after the end of the object: then it settles some time after
   * its end.
   */
  readonly settles: boolean;
  /** When the object ended, by the upstream's clock, in ms. Undefined: not readable. */
  readonly endedAt: number | undefined;
  /**
   * How far the object has come: numbers that only grow, the most significant one first. Undefined:
   * unknown.
   */
  readonly rank: readonly (number | undefined)[];
  /**
   * The list whose pages embed the object in this state, by its key.
   * @default no list does
   */
  readonly listKey?: string | undefined;
  /**
   * The assistant of a call, whose webhooks announce the ends of its calls.
   * @default no webhook names the object
   */
  readonly assistantId?: string | undefined;
  /** The interval until the next poll, in ms. */
  toInterval(input: PaceInput, settings: PaceSettings): number;
}

/** What a watch needs to know of its kind of object. */
export interface WatchKind {
  readonly name: string;
  /** The interval of an object that was not read yet, in ms: failed polls are delayed by it. */
  firstInterval(settings: PaceSettings): number;
  /** @param value as the upstream sent it, unchecked */
  toState(value: unknown): ObjectState;
  /**
   * Whether an embedded object is less than the whole one.
   * @param whole a reading of the same object, or of another one of its kind
   */
  isPartial?(value: unknown, whole: unknown): boolean;
  /** Whether two values show the same state. @default both are the same JSON */
  isSameValue?(value: unknown, other: unknown): boolean;
}

/** A kind of single objects that subscriptions can follow. One description for each kind. */
export interface ObjectKind extends WatchKind {
  /** The path of an object, which is the key of its cached response. */
  toPath(id: string): string;
  /** Maximum age of the state that a new stream gets first, in ms: that of a response to a query. */
  maxAge(freshness: FreshnessSettings): number;
  /** How an event reads the lists below the object. Absent: as their freshness demands. */
  toPageOptions?(reading: Reading): FetchOptions;
  /** @throws UpstreamNotFoundError if the object does not exist, or another GatewayError */
  read(rest: RevoxApi, id: string, options: FetchOptions): Promise<ObjectResponse>;
  /** Opens the lists that embed its objects. Absent: no list does. */
  createOpenList?(poll: PollUpstream, facts: FactsByEndpoint): OpenList;
}

/** The state of an object that does not exist. */
export const MISSING_STATE: ObjectState = {
  isOver: true,
  settles: false,
  endedAt: undefined,
  rank: [0],
  toInterval: () => Number.POSITIVE_INFINITY,
};

/**
 * Whether a reading shows an earlier state than another one. The order of readings by two gateway
 * instances is unknown, so the state itself must show it.
 */
export function isBehind({ rank }: Ranked, { rank: otherRank }: Ranked): boolean {
  for (const [index, one] of rank.entries()) {
    const other = otherRank[index];
    if (one === undefined || other === undefined) return false;
    if (one !== other) return one < other;
  }
  return false;
}

type Ranked = Pick<ObjectState, 'rank'>;
