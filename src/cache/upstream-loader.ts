import { UpstreamError, UpstreamNotFoundError } from '#errors/upstream-error.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type {
  Endpoint,
  ReadVersion,
  SendUpstream,
  UpstreamRequest,
} from '#rest/upstream-request.ts';
import { type CacheTarget, type CacheWriter, isSingleObject } from './cache-writer.ts';
import type { Entry, Fence, MemoryStore } from './memory-store.ts';
import type { Flight, SecondTier } from './second-tier.ts';
import type { InFlightState } from './single-flight.ts';
import { isNewerVersion, type StalenessPolicy } from './staleness-policy.ts';

/** The result of an in-flight request. */
export interface LoadResult {
  readonly entry: Entry;
  readonly source: 'network' | 'redis';
}

export interface LoadOptions {
  readonly key: string;
  readonly newerThan: ReadVersion | undefined;
  readonly state: InFlightState;
  readonly rejectOthers: () => void;
}

/** Loads a response from the second tier or from the upstream, and stores it. */
export interface UpstreamLoader {
  load<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    options: LoadOptions,
  ): Promise<LoadResult>;
  /** The read version of the newest response of this process. */
  latestVersion(): ReadVersion | undefined;
}

export interface UpstreamLoaderOptions {
  readonly send: SendUpstream;
  readonly memoryStore: MemoryStore;
  readonly cacheWriter: CacheWriter;
  readonly secondTier: SecondTier | undefined;
  readonly stalenessPolicy: StalenessPolicy;
  /** Whether a response of the endpoint may be cached as fresh. */
  readonly canBeFresh: (endpoint: Endpoint) => boolean;
  /** Whether credentials belong to callers: then each one must be accepted by the upstream. */
  readonly checksCredentials: boolean;
  /** Called with the fingerprint of a credential that the upstream rejected after accepting it. */
  readonly onCredentialRejected: (fingerprint: string, error: UpstreamError) => void;
  /** The wall clock, in ms. */
  readonly now: () => number;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
}

/**
 * If a stale response can be served, a request waits at most this long for a cooldown or a retry
 * delay. If the wait would take longer, the client gets the stale response at once. A slow upstream
 * is still awaited, because its response is newer.
 */
const MAX_WAIT_WHEN_STALE_MS = 1_000;
/** The share of the time until its deadline that an operation waits for another instance. */
const SHARED_WAIT_SHARE = 1 / 4;

export function createUpstreamLoader(options: UpstreamLoaderOptions): UpstreamLoader {
  const { send, memoryStore, cacheWriter, secondTier, stalenessPolicy, checksCredentials } =
    options;
  const { now, monotonicNow } = options;
  let latestVersion: ReadVersion | undefined;

  return { load, latestVersion: () => latestVersion };

  async function load<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    loadOptions: LoadOptions,
  ): Promise<LoadResult> {
    const { key, newerThan, state } = loadOptions;
    const { credential } = context;
    const target = { owner: credential, request, key, fence: memoryStore.takeFence() };
    // The second tier is skipped if `newerThan` is a read of this process: a response of another
    // instance is not known to be newer.
    if (!secondTier || (newerThan && newerThan.instance === (latestVersion?.instance ?? '')))
      return requestUpstream(context, target, loadOptions, undefined);
    const isAccepted = stalenessPolicy.isCredentialCurrent(credential.fingerprint);
    // A response of another instance is worth waiting for only if it may be used.
    const flight =
      newerThan || !options.canBeFresh(request.endpoint)
        ? undefined
        : secondTier.openFlight?.(credential, key, isAccepted);
    let isStored = false;
    try {
      state.awaitsOtherInstance = flight !== undefined;
      const shared = await loadShared(context, { ...target, flight }, newerThan, flight);
      if (shared) return shared;
      state.awaitsOtherInstance = false;
      const result = await requestUpstream(context, target, loadOptions, flight);
      isStored = result.entry.requestedAt < result.entry.freshUntil;
      return result;
    } finally {
      flight?.end(isStored);
    }
  }

  /** Resolves to undefined if the upstream must be requested. */
  async function loadShared<T>(
    { credential, signal, deadlineAt }: UpstreamContext,
    target: CacheTarget<T>,
    newerThan: ReadVersion | undefined,
    flight: Flight | undefined,
  ): Promise<LoadResult | undefined> {
    do {
      const entry = await cacheWriter.readSecondTier(target);
      if (
        entry &&
        now() < entry.freshUntil &&
        isNewerVersion(entry.readVersion, newerThan) &&
        stalenessPolicy.isCredentialCurrent(credential.fingerprint)
      ) {
        return { entry, source: 'redis' };
      }
      signal.throwIfAborted();
    } while (
      await flight?.waitForOther(signal, SHARED_WAIT_SHARE * (deadlineAt() - monotonicNow()))
    );
    return undefined;
  }

  async function requestUpstream<T>(
    context: UpstreamContext,
    target: CacheTarget<T> & { fence: Fence },
    { key, state, rejectOthers }: LoadOptions,
    flight: Flight | undefined,
  ): Promise<LoadResult> {
    const { credential } = context;
    const { fingerprint } = credential;
    const { request } = target;
    try {
      state.queuedFor = context;
      const response = await send(withStaleDeadline(context, key), request, {
        onSent(at) {
          target.fence = memoryStore.takeFence();
          state.sentAt = at;
          state.isOutdated = false;
          state.latestSequenceAtSend = latestVersion?.sequence ?? 0;
          state.attempts += 1;
          state.queuedFor = undefined;
        },
        onRetry() {
          // The other instances need not wait for the delay and the further attempts.
          flight?.end(false);
          state.sentAt = undefined;
          state.queuedFor = context;
        },
        onBudgetWait(isWaiting) {
          state.isWaitingForBudget = isWaiting;
          if (!isWaiting) return;
          rejectOthers();
          flight?.end(false);
        },
      });
      if (!latestVersion || response.readVersion.sequence > latestVersion.sequence)
        latestVersion = response.readVersion;
      memoryStore.recordAccepted(fingerprint, response.requestedAt, target.fence);
      const entry = cacheWriter.storeResponse(target, response);
      if (state.isOutdated && memoryStore.get(fingerprint, key)?.serial === entry.serial)
        memoryStore.expire(fingerprint, key);
      return { entry, source: 'network' };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (stalenessPolicy.isCredentialRejection(error, memoryStore.get(fingerprint, key))) {
        const wasKnown = memoryStore.revoke(fingerprint);
        if (wasKnown) options.onCredentialRejected(fingerprint, error);
        secondTier?.revoke(credential, wasKnown);
      }
      if (!(error instanceof UpstreamNotFoundError && isSingleObject(request.endpoint)))
        throw error;
      const requestedAt = state.sentAt ?? now();
      // The upstream may respond to a rejected credential with a 404. So a 404 proves acceptance
      // only for the gateway's own key.
      if (!checksCredentials) memoryStore.recordAccepted(fingerprint, requestedAt, target.fence);
      return {
        entry: cacheWriter.storeNotFound(target, error.status ?? 404, requestedAt),
        source: 'network',
      };
    }
  }

  /**
   * Limits the time that a request waits for a cooldown or a retry, if the gateway can serve a
   * stale response instead. The request still waits for a slow upstream.
   */
  function withStaleDeadline(context: UpstreamContext, key: string): UpstreamContext {
    const { fingerprint } = context.credential;
    const waitUntil = monotonicNow() + MAX_WAIT_WHEN_STALE_MS;
    return {
      ...context,
      // Only a request that must wait asks for it.
      deadlineAt() {
        const cached = memoryStore.get(fingerprint, key);
        return cached && stalenessPolicy.canServeDuringCooldown(cached, fingerprint)
          ? Math.min(context.deadlineAt(), waitUntil)
          : context.deadlineAt();
      },
    };
  }
}
