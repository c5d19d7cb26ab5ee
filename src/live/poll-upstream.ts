import { NotSharedError } from '#cache/second-tier-reader.ts';
import { GatewayError } from '#errors/gateway-error.ts';
import {
  CredentialRejectedError,
  UpstreamNotFoundError,
  UpstreamRejectedError,
} from '#errors/upstream-error.ts';
import { RepeatedBody } from '#rest/repeated-body.ts';
import type { RevoxApi } from '#rest/revox-api.ts';
import type { FetchOptions } from '#rest/upstream-request.ts';
import type { ObjectKind } from './object-kind.ts';
import type { ObjectResponse } from './reading.ts';
import type { Subscriber } from './subscriptions.ts';
import type { WatchTarget } from './watch.ts';

export interface PollOptions {
  /** Whether the upstream itself must respond: a cached response does not count. */
  readonly isForced: boolean;
  /** Time limit of the poll, in ms. */
  readonly deadlineMs: number;
  /** The body of the previous poll, if all polls send the same request. */
  readonly repeatedBody?: RepeatedBody | undefined;
  /**
   * Reads only a response that another instance has shared: without one, the poll rejects with a
   * `NotSharedError`. A `fresh` one may also be in the cache of this instance.
   * @default the upstream may be requested
   */
  readonly shared?: 'fresh' | 'any' | undefined;
}

/** What the poll of a watched object gets. */
export interface WatchPollOptions extends PollOptions {
  /** Counts a further request of this poll: the polls that follow wait for it. */
  readonly charge: () => void;
}

/**
 * Makes one poll with the credential of a subscriber: through the caching client, at a low priority
 * and with at most one upstream request. `read` must pass its options on to every request.
 * @throws GatewayError
 */
export type PollUpstream = <T>(
  read: (rest: RevoxApi, options: FetchOptions) => Promise<T>,
  options: PollOptions,
) => Promise<T>;

/** Watches a single object with the credential of a subscriber. */
export function toObjectTarget(
  {
    fingerprint,
    poll,
    facts,
    deriveKey,
  }: Pick<Subscriber, 'fingerprint' | 'poll' | 'facts' | 'deriveKey'>,
  kind: ObjectKind,
  id: string,
): WatchTarget {
  const repeatedBody = new RepeatedBody();
  return {
    fingerprint,
    kind,
    path: kind.toPath(id),
    id,
    poll: ({ isForced, deadlineMs }) =>
      poll((rest, fetchOptions) => readObject(kind, rest, id, fetchOptions), {
        isForced,
        deadlineMs,
        repeatedBody,
      }),
    deriveKey,
    readShared: (isFreshOnly) =>
      undefinedIfNotShared(
        poll((rest, fetchOptions) => readObject(kind, rest, id, fetchOptions), {
          isForced: false,
          deadlineMs: SHARED_DEADLINE_MS,
          shared: isFreshOnly ? 'fresh' : 'any',
        }),
      ),
    openList: kind.createOpenList?.(poll, facts),
  };
}

/** Deadline of the read of a shared response, in ms. */
export const SHARED_DEADLINE_MS = 2_000;

/** Without a usable response, the claims of the instance decide when it polls. */
export async function undefinedIfNotShared<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof NotSharedError || error instanceof GatewayError) return undefined;
    throw error;
  }
}

async function readObject(
  kind: ObjectKind,
  rest: RevoxApi,
  id: string,
  options: FetchOptions,
): Promise<ObjectResponse> {
  try {
    return await kind.read(rest, id, options);
  } catch (error) {
    if (error instanceof UpstreamNotFoundError) return { value: null, readVersion: undefined };
    throw error;
  }
}

/** The upstream's 401 or 403; in service mode, these are rejections with a status. */
export function isCredentialRejection(error: GatewayError): boolean {
  if (error instanceof CredentialRejectedError) return true;
  return (
    error instanceof UpstreamRejectedError &&
    !(error instanceof UpstreamNotFoundError) &&
    (error.details.status === 401 || error.details.status === 403)
  );
}
