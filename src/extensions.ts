/**
 * What a response has beside its data, for clients; exported as `revox-graphql-gateway/extensions`.
 * It needs no types of Node.js or of a library, so that code for browsers can use it.
 */
import type { ErrorCode } from '#errors/gateway-error.ts';

export { ERROR_CODES, type ErrorCode } from '#errors/gateway-error.ts';

/** `errors[].extensions`. A later version of the gateway may have further codes. */
export interface ErrorExtensions {
  readonly code: ErrorCode;
  /** `UPSTREAM_REJECTED`: the status of the upstream's response. */
  readonly status?: number;
  /** `RATE_LIMITED` and `SUBSCRIPTION_INTERRUPTED`: seconds to wait before the next attempt. */
  readonly retryAfter?: number;
  /** `OPERATION_TOO_COMPLEX`: the limit that the request exceeds. */
  readonly limit?: number;
  /** `OPERATION_TOO_COMPLEX`: the measured value; `limit + 1` where counting stops at the limit. */
  readonly measured?: number;
  /** After more than `MAX_ERRORS` errors: the first of them. */
  readonly first?: { readonly code: ErrorCode; readonly message: string };
}

/** `extensions` of a response. */
export interface ResponseExtensions {
  /** What the response cost. Only if the request has the header `x-revox-trace: 1`. */
  readonly upstream?: UpstreamTrace;
  /** The raw values behind `UNRECOGNIZED`. Absent if there are none. */
  readonly unrecognized?: readonly UnrecognizedValue[];
  /** Connections whose cursor has lost its item. Absent if there are none. */
  readonly pagination?: readonly PaginationNote[];
  /** Of an event of a subscription: it is stale, or does not follow the event before it. */
  readonly live?: LiveNote;
}

/** A note of an event of a subscription. */
export interface LiveNote {
  /** True: the data has not been read again since an outage began. False: the outage is over. */
  readonly stale?: boolean;
  /** When the outage began, as a date and time of ISO 8601. */
  readonly since?: string;
  /** The error of the outage. */
  readonly code?: ErrorCode;
  /** Events before this one were skipped. */
  readonly skipped?: true;
}

/** The upstream requests of an operation. */
export interface UpstreamTrace {
  /** Requests sent before the response was complete, background revalidation included. */
  readonly requests: number;
  /** Upstream responses that came from the cache. */
  readonly cacheHits: number;
  /** Requests that joined an identical request in flight. */
  readonly coalesced: number;
  /** Stale responses that were served. */
  readonly stale: number;
  /** Each lookup in the order of its end, a thousand at most. */
  readonly calls: readonly UpstreamLookup[];
  /** Absent if the upstream's responses are as documented. */
  readonly drift?: readonly Drift[];
}

/** One lookup of an upstream response. */
export interface UpstreamLookup {
  readonly method: 'GET';
  /** Path and query, without the origin. */
  readonly path: string;
  /** Null without a response. */
  readonly status: number | null;
  /** From the start of the lookup to its result, time in the queue included. */
  readonly ms: number;
  /**
   * `coalesced`: joined an identical in-flight request. `stale`: served after the end of its
   * freshness.
   */
  readonly source: 'network' | 'cache' | 'stale' | 'coalesced';
  /**
   * The code of the error, if the request has failed. `stale`: why no new response was served.
   */
  readonly code?: ErrorCode;
  /** Number of retries; absent if there were none. */
  readonly retries?: number;
}

/** An upstream value that the schema does not know. */
export interface UnrecognizedValue {
  /** The GraphQL type that has the field. */
  readonly type: string;
  readonly field: string;
  /** The raw value, truncated to 100 characters. */
  readonly value: string;
  /** The paths of the fields with this value; bounded, so some may be missing. */
  readonly paths: readonly ResponsePath[];
}

/** The path of a field in the response: response names, and indexes of list items. */
export type ResponsePath = readonly (string | number)[];

/**
 * How often a field drifted in one way. It contains no upstream value, so it may be counted and
 * shown.
 */
export interface Drift {
  readonly type: string;
  readonly field: string;
  readonly kind: DriftKind;
  readonly count: number;
}

/** How a selected field differs from the API documentation. */
export type DriftKind =
  /** The value has another type, but is readable: a number as a string. */
  | 'coerced'
  /**
   * The key is missing, or null although the documentation does not allow it. Its value is derived
   * from keys that other versions of the API use instead.
   */
  | 'derived'
  /** A list item is null or unreadable, and is left out of the list. */
  | 'dropped'
  /** The key is missing, although the documentation requires it. */
  | 'missing'
  /** The value is null, although the documentation does not allow it. */
  | 'null'
  /** The value has a type that is not readable: it became null. */
  | 'unreadable'
  /** The schema does not know the value or the kind of object. */
  | 'unrecognized';

/**
 * A page that starts or ends at the last known position of its cursor's item, because the search
 * has found neither the item nor a neighbour: all of them are gone or out of reach.
 */
export interface PaginationNote {
  readonly path: ResponsePath;
  readonly reason: 'CURSOR_ITEM_GONE';
}
