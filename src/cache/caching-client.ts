import { BudgetExceededError, GatewayError } from '#errors/gateway-error.ts';
import {
  UpstreamError,
  UpstreamNotFoundError,
  UpstreamTimeoutError,
} from '#errors/upstream-error.ts';
import type { UpstreamCall, UpstreamContext } from '#rest/upstream-context.ts';
import type {
  FetchUpstream,
  ReadVersion,
  SendUpstream,
  UpstreamRequest,
  UpstreamResponse,
} from '#rest/upstream-request.ts';
import type { CacheEvents, CacheState, ResponseSource } from './cache-events.ts';
import { createCacheWriter, isSingleObject } from './cache-writer.ts';
import { createFreshnessPolicy, type FreshnessSettings } from './freshness.ts';
import { createMemoryStore, type Entry, isNotFound } from './memory-store.ts';
import {
  type CacheableResponse,
  createResponseCache,
  type ResponseCache,
} from './response-cache.ts';
import type { SecondTier } from './second-tier.ts';
import {
  createSingleFlight,
  type InFlightRequest,
  type InFlightState,
  JoinRejectedError,
} from './single-flight.ts';
import { createStalenessPolicy, isNewerVersion } from './staleness-policy.ts';

export interface CachingClientOptions {
  /** Maximum size of the memory cache, in bytes, estimated. */
  readonly maxBytes: number;
  readonly freshness: FreshnessSettings & {
    /**
     * Stale-while-revalidate: how long after its freshness a response is served while the gateway
     * fetches a new one, in ms. Never applies to a live call or a list page.
     */
    readonly whileRevalidatingMs: number;
  };
  /**
   * Stale-if-error: how long after its freshness a response is served if the upstream fails, in ms.
   */
  readonly graceMs: number;
  /**
   * How long after the upstream accepted a credential cached responses are served without a new
   * check of it, in ms. Infinity if the credential is the gateway's own.
   */
  readonly credentialRecheckMs: number;
  /**
   * Maximum concurrent background revalidations per credential: requests that an operation waits
   * for must not queue behind requests that none waits for.
   * @default 10
   */
  readonly maxRevalidations?: number;
  readonly secondTier?: SecondTier | undefined;
  /** Called with the fingerprint of a credential that the upstream rejected after accepting it. */
  readonly onCredentialRevoked: (fingerprint: string) => void;
  readonly events: CacheEvents;
  /** The wall clock, in ms. */
  readonly now: () => number;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** The result of an in-flight request. */
interface LoadResult {
  readonly entry: Entry;
  readonly source: 'network' | 'redis';
}

interface LoadOptions {
  readonly key: string;
  readonly newerThan: ReadVersion | undefined;
  readonly state: InFlightState;
  readonly rejectOthers: () => void;
}

/**
 * The maximum age of an in-flight request that others may join: its response may be as old. The
 * value is the default freshness of a live call. It is not configurable, because a gateway without
 * a cache must coalesce requests, too.
 */
const MAX_JOIN_AGE_MS = 1_000;

/**
 * The maximum wait for a cooldown or a retry delay if a stale response can be served: then the
 * client gets the stale response. A slow upstream is still awaited, because its response is newer.
 */
const MAX_WAIT_WHEN_STALE_MS = 1_000;

export interface CachingClient<CachedResponse extends CacheableResponse> {
  readonly fetch: FetchUpstream;
  /** The cache of responses to whole operations. */
  readonly responses: ResponseCache<CachedResponse>;
  readonly state: CacheState;
}

/**
 * Caching client: serves fresh responses from memory or the second tier, coalesces identical
 * in-flight requests, revalidates in the background (stale-while-revalidate) and serves stale
 * responses if the upstream fails (stale-if-error). Callers use it like the client it wraps.
 *
 * Every key contains the credential's fingerprint. Only successful responses, and the 404 and 410
 * of a single object, are stored.
 */
export function createCachingClient<CachedResponse extends CacheableResponse>(
  send: SendUpstream,
  options: CachingClientOptions,
): CachingClient<CachedResponse> {
  const {
    freshness,
    graceMs,
    credentialRecheckMs,
    maxRevalidations = 10,
    secondTier,
    events,
    now,
    monotonicNow,
    startTimer,
  } = options;
  const checksCredentials = Number.isFinite(credentialRecheckMs);
  const memoryStore = createMemoryStore({
    ...options,
    idleMs: graceMs + (checksCredentials ? credentialRecheckMs : 0),
  });
  const cacheWriter = createCacheWriter({
    ...options,
    ...freshness,
    secondTier,
    memoryStore,
    freshnessOf: createFreshnessPolicy(freshness),
  });
  const stalenessPolicy = createStalenessPolicy({
    ...options,
    ...freshness,
    acceptedAt: memoryStore.acceptedAt,
  });
  const singleFlight = createSingleFlight();
  /**
   * The in-flight requests that check whether a credential is still accepted, by its fingerprint.
   */
  const credentialChecks = new Map<string, InFlightRequest<LoadResult>>();
  /** Number of background revalidations in flight, by fingerprint. */
  const revalidations = new Map<string, number>();
  /** The read version of the newest response of this process. */
  let latestVersion: ReadVersion | undefined;

  const fetchCached: FetchUpstream = async (context, request, { newerThan } = {}) => {
    const { fingerprint } = context.credential;
    const key = `${request.path}${request.query}`;
    const startedAt = monotonicNow();

    for (let hasWaited = false; ; ) {
      let result: { readonly entry: Entry; readonly source: Exclude<ResponseSource, 'failed'> };
      const cached = memoryStore.get(fingerprint, key);
      if (cached && stalenessPolicy.canServe(cached, request.endpoint, newerThan)) {
        if (stalenessPolicy.isCredentialCurrent(fingerprint)) {
          if (now() < cached.freshUntil) return respond(cached, 'memory');
          revalidate(context, request, key);
          return respond(cached, 'stale');
        }
        const credentialCheck = credentialChecks.get(fingerprint);
        // A request that waits for the byte budget may wait for this operation to end.
        if (credentialCheck && !credentialCheck.state.isWaitingForBudget && !hasWaited) {
          // One request checks the credential for all operations. If it does not renew the
          // acceptance, each operation sends its own request.
          hasWaited = true;
          const failure = await failureOf(credentialCheck);
          // If the upstream does not respond, another request would take as long again.
          if (
            failure !== undefined &&
            stalenessPolicy.canServeOnError(cached, failure, fingerprint)
          )
            return respond(cached, 'stale');
          continue;
        }
      }

      const candidate = singleFlight.get<LoadResult>(toInFlightKey(fingerprint, key));
      const joined = candidate && canJoin(candidate, context, newerThan) ? candidate : undefined;
      if (joined) joined.state.deadlineAt = Math.max(joined.state.deadlineAt, context.deadlineAt());
      let inFlight = joined;
      let stopWaiting = () => {};
      try {
        context.signal.throwIfAborted();
        inFlight ??= startRequest(context, request, key, newerThan);
        stopWaiting = context.usage.startWait();
        const { entry, source } = await inFlight.join(context.signal);
        // The request we joined may have been sent without `newerThan`, and a Redis hit may be too
        // old for this operation: try again.
        if (source === 'redis' && !isNewerVersion(entry.readVersion, newerThan)) continue;
        result = { entry, source: joined && source === 'network' ? 'coalesced' : source };
      } catch (cause) {
        const error = toTimeout(cause, context, request);
        // The budget of the operation that sent the request does not apply to this one.
        if (joined && (error instanceof BudgetExceededError || error instanceof JoinRejectedError))
          continue;
        const stale = memoryStore.get(fingerprint, key);
        if (!(stale && stalenessPolicy.canServeOnError(stale, error, fingerprint))) {
          events.onLookup(request.endpoint, 'failed');
          const isUpstreamError = error instanceof UpstreamError;
          if (isUpstreamError)
            record(
              error.status ?? null,
              joined ? 'coalesced' : 'network',
              inFlight?.state.attempts,
            );
          throw error;
        }
        result = { entry: stale, source: 'stale' };
      } finally {
        stopWaiting();
      }
      return respond(result.entry, result.source, inFlight?.state.attempts);
    }

    function respond<T>(
      entry: Entry,
      source: Exclude<ResponseSource, 'failed'>,
      attempts = 0,
    ): UpstreamResponse<T> {
      events.onLookup(request.endpoint, source);
      const isCacheHit = source === 'memory' || source === 'redis';
      record(entry.status, isCacheHit ? 'cache' : source, attempts, entry);
      if (isNotFound(entry.status))
        throw new UpstreamNotFoundError({ method: 'GET', path: request.path }, entry.status);
      const readVersion = { ...entry.readVersion, isCached: isCacheHit || source === 'stale' };
      return { value: entry.value as T, status: entry.status, readVersion };
    }

    function record(
      status: number | null,
      source: UpstreamCall['source'],
      attempts = 0,
      entry?: Entry,
    ): void {
      const retries = attempts > 1 ? { retries: attempts - 1 } : {};
      context.usage.record(
        { method: 'GET', path: key, status, ms: monotonicNow() - startedAt, source, ...retries },
        entry,
        request.endpoint,
      );
    }

    async function failureOf(inFlight: InFlightRequest<LoadResult>): Promise<unknown> {
      const stopWaiting = context.usage.startWait();
      try {
        await inFlight.join(context.signal);
        return undefined;
      } catch (error) {
        return error;
      } finally {
        stopWaiting();
      }
    }
  };
  return {
    fetch: fetchCached,
    responses: createResponseCache<CachedResponse>({ memoryStore, stalenessPolicy, events, now }),
    get state() {
      const { bytes, entries } = memoryStore;
      return { bytes, entries, inFlight: singleFlight.size };
    },
  };

  function startRequest<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    key: string,
    newerThan?: ReadVersion,
  ): InFlightRequest<LoadResult> {
    const { fingerprint } = context.credential;
    const state: InFlightState = {
      sentAt: undefined,
      latestSequenceAtSend: 0,
      attempts: 0,
      queuedFor: undefined,
      isWaitingForBudget: false,
      deadlineAt: context.deadlineAt(),
    };
    const inFlight = singleFlight.start<LoadResult>(
      toInFlightKey(fingerprint, key),
      state,
      (signal, rejectOthers) =>
        load({ ...context, signal, deadlineAt: () => state.deadlineAt }, request, {
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
  }

  async function load<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    loadOptions: LoadOptions,
  ): Promise<LoadResult> {
    const { key, newerThan, state, rejectOthers } = loadOptions;
    const { credential, signal } = context;
    const { fingerprint } = credential;
    const target = { owner: credential, request, key, fence: memoryStore.takeFence() };
    // Only this process can have a response newer than a read of its own, so the second tier is
    // skipped.
    if (secondTier && newerThan?.instance !== (latestVersion?.instance ?? '')) {
      const entry = await cacheWriter.readSecondTier(target);
      if (
        entry &&
        now() < entry.freshUntil &&
        isNewerVersion(entry.readVersion, newerThan) &&
        stalenessPolicy.isCredentialCurrent(fingerprint)
      ) {
        return { entry, source: 'redis' };
      }
      signal.throwIfAborted();
    }
    try {
      state.queuedFor = context;
      const response = await send(withStaleDeadline(context, key), request, {
        onSent(at) {
          target.fence = memoryStore.takeFence();
          state.sentAt = at;
          state.latestSequenceAtSend = latestVersion?.sequence ?? 0;
          state.attempts += 1;
          state.queuedFor = undefined;
        },
        onRetry() {
          state.sentAt = undefined;
          state.queuedFor = context;
        },
        onBudgetWait(isHeld) {
          state.isWaitingForBudget = isHeld;
          if (isHeld) rejectOthers();
        },
      });
      if (!latestVersion || response.readVersion.sequence > latestVersion.sequence)
        latestVersion = response.readVersion;
      memoryStore.recordAccepted(fingerprint, response.requestedAt, target.fence);
      return { entry: cacheWriter.storeResponse(target, response), source: 'network' };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (stalenessPolicy.isCredentialRejection(error, memoryStore.get(fingerprint, key))) {
        const wasKnown = memoryStore.revoke(fingerprint);
        if (wasKnown) options.onCredentialRevoked(fingerprint);
        secondTier?.revoke(credential, wasKnown);
      }
      if (!(error instanceof UpstreamNotFoundError && isSingleObject(request.endpoint)))
        throw error;
      const requestedAt = state.sentAt ?? now();
      // The upstream may respond to a rejected credential with a 404. So a 404 shows only for the
      // gateway's own key that the credential was accepted.
      if (!checksCredentials) memoryStore.recordAccepted(fingerprint, requestedAt, target.fence);
      return {
        entry: cacheWriter.storeNotFound(target, error.status ?? 404, requestedAt),
        source: 'network',
      };
    }
  }

  /**
   * Shortens the deadline of a request whose stale response can be served: its operations do not
   * wait long for a newer one.
   */
  function withStaleDeadline(context: UpstreamContext, key: string): UpstreamContext {
    const { fingerprint } = context.credential;
    const cached = memoryStore.get(fingerprint, key);
    if (!cached || !stalenessPolicy.canServeDuringCooldown(cached, fingerprint)) return context;
    const waitUntil = monotonicNow() + MAX_WAIT_WHEN_STALE_MS;
    return { ...context, deadlineAt: () => Math.min(context.deadlineAt(), waitUntil) };
  }

  /**
   * Revalidates a response in the background (stale-while-revalidate), on the budget of the
   * operation that found it stale.
   */
  function revalidate<T>(context: UpstreamContext, request: UpstreamRequest<T>, key: string): void {
    const { budget, credential } = context;
    const { fingerprint } = credential;
    const inFlightCount = revalidations.get(fingerprint) ?? 0;
    const isInFlight = singleFlight.get(toInFlightKey(fingerprint, key)) !== undefined;
    if (isInFlight || inFlightCount >= maxRevalidations || budget.exceededError) return;
    revalidations.set(fingerprint, inFlightCount + 1);
    void fetchInBackground(context, request, key).finally(() => {
      const remaining = (revalidations.get(fingerprint) ?? 1) - 1;
      if (remaining > 0) revalidations.set(fingerprint, remaining);
      else revalidations.delete(fingerprint);
    });
  }

  /**
   * Sends a request that no operation waits for. It may take as long as the operation that starts
   * it, and outlast it.
   */
  async function fetchInBackground<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    key: string,
  ): Promise<void> {
    const background = new AbortController();
    const budget = context.budget.openBackground(background.signal);
    const stopTimer = startTimer(Math.max(0, context.deadlineAt() - monotonicNow()), () =>
      background.abort(),
    );
    const inFlight = startRequest({ ...context, budget }, request, key);
    await inFlight.join(background.signal).catch(() => {});
    stopTimer();
    // Releases the bytes that it holds.
    background.abort();
  }

  /**
   * A request that is not sent yet will bring the newest response. But no operation joins a request
   * in the queue of another caller.
   */
  function canJoin(
    {
      state: { sentAt, latestSequenceAtSend, queuedFor, isWaitingForBudget },
    }: InFlightRequest<LoadResult>,
    { caller }: UpstreamContext,
    newerThan: ReadVersion | undefined,
  ): boolean {
    if (isWaitingForBudget || (newerThan && newerThan.instance !== latestVersion?.instance))
      return false;
    if (sentAt === undefined) return !queuedFor || queuedFor.caller === caller;
    return (
      (!newerThan || latestSequenceAtSend >= newerThan.sequence) &&
      stalenessPolicy.isWithin(sentAt, MAX_JOIN_AGE_MS)
    );
  }
}

/** Converts an abort of the operation's signal to a timeout error. */
function toTimeout(
  error: unknown,
  { signal }: UpstreamContext,
  { path }: UpstreamRequest<unknown>,
): unknown {
  if (!signal.aborted || error instanceof GatewayError) return error;
  return new UpstreamTimeoutError({ method: 'GET', path }, error);
}

/**
 * Every key contains the credential's fingerprint: requests with different credentials are never
 * coalesced.
 */
function toInFlightKey(fingerprint: string, key: string): string {
  return `${fingerprint} ${key}`;
}
