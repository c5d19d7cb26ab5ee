import { BudgetExceededError, type ErrorCode, GatewayError } from '#errors/gateway-error.ts';
import {
  UpstreamError,
  UpstreamNotFoundError,
  UpstreamTimeoutError,
} from '#errors/upstream-error.ts';
import type { UpstreamLookup } from '#extensions.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type {
  FetchUpstream,
  ReadVersion,
  SendUpstream,
  UpstreamRequest,
  UpstreamResponse,
} from '#rest/upstream-request.ts';
import type { CacheEvents, CacheState, ResponseSource } from './cache-events.ts';
import { createCacheWriter, type OnCacheWrite } from './cache-writer.ts';
import { canBeFresh, createFreshnessPolicy, type FreshnessSettings } from './freshness.ts';
import { createMemoryStore, type Entry, isNotFound } from './memory-store.ts';
import { createRequestCoalescer } from './request-coalescer.ts';
import {
  type CacheableResponse,
  createResponseCache,
  type ResponseCache,
} from './response-cache.ts';
import { createRevalidator, type RevalidatorOptions } from './revalidator.ts';
import type { SecondTier } from './second-tier.ts';
import { createSecondTierReader } from './second-tier-reader.ts';
import { type InFlightRequest, JoinRejectedError } from './single-flight.ts';
import { createStalenessPolicy, isNewerVersion } from './staleness-policy.ts';
import { createUpstreamLoader, type LoadResult } from './upstream-loader.ts';

export interface CachingClientOptions extends Pick<RevalidatorOptions, 'maxRevalidations'> {
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
   * How long an acceptance of a credential by the upstream is valid, in ms: until then cached
   * responses are served without another upstream request. Infinity if the credential is the
   * gateway's own.
   */
  readonly credentialRecheckMs: number;
  readonly secondTier?: SecondTier | undefined;
  /** Called with the fingerprint of a credential that the upstream rejected after accepting it. */
  readonly onCredentialRejected: (fingerprint: string, error: UpstreamError) => void;
  /** @default the written responses interest no other part */
  readonly onWrite?: OnCacheWrite | undefined;
  readonly events: CacheEvents;
  /** The wall clock, in ms. */
  readonly now: () => number;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export interface CachingClient<CachedResponse extends CacheableResponse> {
  readonly fetch: FetchUpstream;
  /** Reads only what other instances have shared: see `createSecondTierReader`. */
  readonly fetchShared: FetchUpstream;
  /**
   * An object may have changed: its response is no longer fresh, and no operation joins a request
   * that was sent before.
   * @param key the path of the object
   */
  expire(fingerprint: string, key: string): void;
  /** The cache of responses to whole operations. */
  readonly responses: ResponseCache<CachedResponse>;
  readonly state: CacheState;
}

/**
 * Caching client: serves fresh responses from memory or the second tier, coalesces identical
 * in-flight requests, revalidates in the background (stale-while-revalidate) and serves stale
 * responses if the upstream fails (stale-if-error). Its `fetch` returns a cached response, or calls
 * the REST client's `send`.
 *
 * Every key contains the credential's fingerprint. Only successful responses, and the 404 and 410
 * of a single object, are stored.
 */
export function createCachingClient<CachedResponse extends CacheableResponse>(
  send: SendUpstream,
  options: CachingClientOptions,
): CachingClient<CachedResponse> {
  const { freshness, graceMs, credentialRecheckMs, secondTier, events, now, monotonicNow } =
    options;
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
    onWrite: options.onWrite,
    freshnessOf: createFreshnessPolicy(freshness),
  });
  const stalenessPolicy = createStalenessPolicy({
    ...options,
    ...freshness,
    acceptedAt: memoryStore.acceptedAt,
  });
  const loader = createUpstreamLoader({
    ...options,
    send,
    memoryStore,
    cacheWriter,
    secondTier,
    stalenessPolicy,
    checksCredentials,
    canBeFresh: (endpoint) => canBeFresh(endpoint, freshness),
  });
  const coalescer = createRequestCoalescer({ loader, stalenessPolicy });
  const revalidator = createRevalidator({ ...options, coalescer });

  const fetchCached: FetchUpstream = async (context, request, options = {}) => {
    const { freshOnly, notOlderThan } = options;
    const demanded = options.newerThan ?? (notOlderThan && ownVersion(notOlderThan));
    const { fingerprint } = context.credential;
    const key = `${request.path}${request.query}`;
    const startedAt = monotonicNow();

    for (let hasWaited = false; ; ) {
      let result: { readonly entry: Entry; readonly source: Exclude<ResponseSource, 'failed'> };
      const cached = memoryStore.get(fingerprint, key);
      // The second tier may still have the outdated response.
      const newerThan = demanded ?? (cached?.isOutdated ? cached.readVersion : undefined);
      if (cached && stalenessPolicy.canServe(cached, request.endpoint, newerThan)) {
        if (stalenessPolicy.isCredentialCurrent(fingerprint)) {
          if (now() < cached.freshUntil) return respond(cached, 'memory');
          if (!freshOnly) {
            revalidator.revalidate(context, request, key);
            return respond(cached, 'stale');
          }
        }
        const credentialCheck = coalescer.credentialCheckOf(fingerprint);
        // This operation does not wait for a request that waits for the byte budget: that request
        // may itself wait for bytes of this operation (deadlock).
        if (credentialCheck && !credentialCheck.state.isWaitingForBudget && !hasWaited) {
          // One request checks the credential for all operations. If it does not renew the
          // acceptance, each operation sends its own request.
          hasWaited = true;
          const failure = await failureOf(credentialCheck);
          // If the upstream does not respond, another request would take as long again.
          if (
            failure !== undefined &&
            !freshOnly &&
            stalenessPolicy.canServeOnError(cached, failure, fingerprint)
          )
            return respond(cached, 'stale');
          continue;
        }
      }

      const joined = coalescer.findJoinable(context, key, newerThan);
      if (joined) joined.state.deadlineAt = Math.max(joined.state.deadlineAt, context.deadlineAt());
      let inFlight = joined;
      let stopWaiting = () => {};
      let code: ErrorCode | undefined;
      try {
        context.signal.throwIfAborted();
        inFlight ??= coalescer.start(context, request, key, newerThan);
        stopWaiting = context.usage.startWait();
        const { entry, source } = await inFlight.join(context.signal);
        // The joined request may have been sent without `newerThan`, and a Redis hit may be too old
        // for this operation: try again.
        if (source === 'redis' && !isNewerVersion(entry.readVersion, newerThan)) continue;
        result = { entry, source: joined && source === 'network' ? 'coalesced' : source };
      } catch (cause) {
        const error = toTimeout(cause, context, request);
        // The budget of the operation that sent the request does not apply to this one.
        if (joined && (error instanceof BudgetExceededError || error instanceof JoinRejectedError))
          continue;
        const stale = memoryStore.get(fingerprint, key);
        if (freshOnly || !(stale && stalenessPolicy.canServeOnError(stale, error, fingerprint))) {
          events.onLookup(request.endpoint, 'failed');
          if (error instanceof UpstreamError) {
            const source = joined ? 'coalesced' : 'network';
            record(error.status ?? null, source, inFlight?.state.attempts, undefined, error.code);
          }
          throw error;
        }
        if (error instanceof GatewayError) code = error.code;
        result = { entry: stale, source: 'stale' };
      } finally {
        stopWaiting();
      }
      return respond(result.entry, result.source, inFlight?.state.attempts, code);
    }

    function respond<T>(
      entry: Entry,
      source: Exclude<ResponseSource, 'failed'>,
      attempts = 0,
      code?: ErrorCode,
    ): UpstreamResponse<T> {
      events.onLookup(request.endpoint, source);
      const isCacheHit = source === 'memory' || source === 'redis';
      record(entry.status, isCacheHit ? 'cache' : source, attempts, entry, code);
      if (isNotFound(entry.status))
        throw new UpstreamNotFoundError({ method: 'GET', path: request.path }, entry.status);
      const readVersion = { ...entry.readVersion, isCached: isCacheHit || source === 'stale' };
      const { status, requestedAt, upstreamNow } = entry;
      const value = entry.value as T;
      return { value, status, readVersion, requestedAt, upstreamNow };
    }

    function record(
      status: number | null,
      source: UpstreamLookup['source'],
      attempts = 0,
      entry?: Entry,
      code?: ErrorCode,
    ): void {
      const retries = attempts > 1 ? { retries: attempts - 1 } : {};
      const details = code === undefined ? retries : { code, ...retries };
      context.usage.record(
        {
          method: 'GET',
          path: key,
          status,
          ms: monotonicNow() - startedAt,
          source,
          ...details,
        },
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

  /** The version, if it is one of this instance: only these have an order. */
  function ownVersion(version: ReadVersion): ReadVersion | undefined {
    return version.instance === loader.latestVersion()?.instance ? version : undefined;
  }

  return {
    fetch: fetchCached,
    fetchShared: createSecondTierReader({ memoryStore, cacheWriter, stalenessPolicy, now }),
    expire(fingerprint, key) {
      memoryStore.expire(fingerprint, key);
      coalescer.expire(fingerprint, key);
    },
    responses: createResponseCache<CachedResponse>({ memoryStore, stalenessPolicy, events, now }),
    get state() {
      const { bytes, entries } = memoryStore;
      return { bytes, entries, inFlight: coalescer.inFlightCount() };
    },
  };
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
