import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { ReadVersion, UpstreamRequest } from '#rest/upstream-request.ts';
import { createSingleFlight, type InFlightRequest, type InFlightState } from './single-flight.ts';
import type { StalenessPolicy } from './staleness-policy.ts';
import type { LoadResult, UpstreamLoader } from './upstream-loader.ts';

/** Starts upstream requests, and finds identical in-flight requests for others to join. */
export interface RequestCoalescer {
  /**
   * The in-flight request that the operation may join. A request that is not sent yet may be joined
   * at any age, because its response will be newer than all others. It must wait neither in the
   * queue of another caller nor for the byte budget.
   */
  findJoinable(
    context: UpstreamContext,
    key: string,
    newerThan: ReadVersion | undefined,
  ): InFlightRequest<LoadResult> | undefined;
  start<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    key: string,
    newerThan?: ReadVersion,
  ): InFlightRequest<LoadResult>;
  isInFlight(fingerprint: string, key: string): boolean;
  /** No operation may join the sent request any more: the object may have changed since. */
  expire(fingerprint: string, key: string): void;
  /** The in-flight request that checks whether the credential is still accepted. */
  credentialCheckOf(fingerprint: string): InFlightRequest<LoadResult> | undefined;
  /**
   * Number of requests that are not settled, including queued ones. Of several requests with the
   * same key, only the latest counts.
   */
  inFlightCount(): number;
}

export interface RequestCoalescerOptions {
  readonly loader: UpstreamLoader;
  readonly stalenessPolicy: StalenessPolicy;
}

/**
 * The maximum age of a sent request that other operations may join, in ms: a joining operation gets
 * a response of up to this age. The value is the default freshness of a live call. It is not
 * configurable, because a gateway without a cache must coalesce requests, too.
 */
const MAX_JOIN_AGE_MS = 1_000;

export function createRequestCoalescer({
  loader,
  stalenessPolicy,
}: RequestCoalescerOptions): RequestCoalescer {
  const singleFlight = createSingleFlight();
  /** The in-flight requests that check a credential, by its fingerprint. */
  const credentialChecks = new Map<string, InFlightRequest<LoadResult>>();

  return {
    findJoinable(context, key, newerThan) {
      const candidate = singleFlight.get<LoadResult>(
        toInFlightKey(context.credential.fingerprint, key),
      );
      return candidate && canJoin(candidate.state, context, newerThan) ? candidate : undefined;
    },
    start(context, request, key, newerThan) {
      const { fingerprint } = context.credential;
      const state: InFlightState = {
        sentAt: undefined,
        latestSequenceAtSend: 0,
        attempts: 0,
        queuedFor: undefined,
        isWaitingForBudget: false,
        isOutdated: false,
        deadlineAt: context.deadlineAt(),
      };
      const inFlight = singleFlight.start<LoadResult>(
        toInFlightKey(fingerprint, key),
        state,
        (signal, rejectOthers) =>
          loader.load({ ...context, signal, deadlineAt: () => state.deadlineAt }, request, {
            key,
            newerThan,
            state,
            rejectOthers,
          }),
      );
      if (!stalenessPolicy.isCredentialCurrent(fingerprint) && !credentialChecks.has(fingerprint)) {
        credentialChecks.set(fingerprint, inFlight);
        void inFlight.settled.then(() => credentialChecks.delete(fingerprint));
      }
      return inFlight;
    },
    isInFlight: (fingerprint, key) =>
      singleFlight.get(toInFlightKey(fingerprint, key)) !== undefined,
    expire(fingerprint, key) {
      const state = singleFlight.get(toInFlightKey(fingerprint, key))?.state;
      if (state) state.isOutdated = state.sentAt !== undefined;
    },
    credentialCheckOf: (fingerprint) => credentialChecks.get(fingerprint),
    inFlightCount: () => singleFlight.size,
  };

  function canJoin(
    state: InFlightState,
    { caller }: UpstreamContext,
    newerThan: ReadVersion | undefined,
  ): boolean {
    const { sentAt, latestSequenceAtSend, queuedFor } = state;
    if (
      state.isWaitingForBudget ||
      state.isOutdated ||
      (newerThan &&
        (state.awaitsOtherInstance || newerThan.instance !== loader.latestVersion()?.instance))
    )
      return false;
    if (sentAt === undefined) return !queuedFor || queuedFor.caller === caller;
    return (
      (!newerThan || latestSequenceAtSend >= newerThan.sequence) &&
      stalenessPolicy.isWithin(sentAt, MAX_JOIN_AGE_MS)
    );
  }
}

/**
 * Every key contains the credential's fingerprint: requests with different credentials are never
 * coalesced.
 */
function toInFlightKey(fingerprint: string, key: string): string {
  return `${fingerprint} ${key}`;
}
