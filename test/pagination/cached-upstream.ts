import { createCachingClient } from '#cache/caching-client.ts';
import type { SecondTier, SecondTierEntry } from '#cache/second-tier.ts';
import { UpstreamUnavailableError } from '#errors/upstream-error.ts';
import type { UpstreamLookup } from '#extensions.ts';
import type { Identified, Page } from '#pagination/list.ts';
import type { ReadPage } from '#pagination/numbered-pages.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { UpstreamRequest } from '#rest/upstream-request.ts';
import { createClock } from '../support/clock.ts';
import type { SimulatedList } from '../support/simulated-list.ts';
import { createBudget, createUpstreamContext } from '../support/upstream-context.ts';

export const FRESH_MS = 2000;
export const GRACE_MS = 60_000;

const NEVER_ABORTED = new AbortController().signal;

export interface ServedPage {
  readonly page: number;
  readonly source: UpstreamLookup['source'];
  /** The version of the list that the page shows. */
  readonly version: number;
  /** Whether the page was requested from the upstream although it was cached and fresh. */
  readonly isReread: boolean;
}

/**
 * A simulated list behind the caching client of one gateway instance, or of several that share a
 * second tier.
 */
export interface CachedUpstream extends SimulatedList {
  readonly clock: ReturnType<typeof createClock>;
  /** The pages served since the last call. */
  takeServedPages(): ServedPage[];
  /** While this is set, every request fails. */
  isDown: boolean;
  /** The same list through another instance, which has its own memory cache. */
  anotherInstance(): CachedUpstream;
}

export function createCachedUpstream(upstream: SimulatedList): CachedUpstream {
  const clock = createClock();
  const state = { isDown: false, clock, tier: createSecondTier(clock.now), instances: 0 };
  return createInstance(upstream, state);
}

interface CachedUpstreamState {
  isDown: boolean;
  readonly clock: ReturnType<typeof createClock>;
  readonly tier: SecondTier;
  instances: number;
}

function createInstance(upstream: SimulatedList, state: CachedUpstreamState): CachedUpstream {
  const { clock, tier } = state;
  state.instances += 1;
  const instance = `process ${state.instances}`;
  const served: ServedPage[] = [];
  /** Keyed by query. */
  const freshUntil = new Map<string, number>();
  let source: UpstreamLookup['source'] = 'network';
  let sent = 0;
  const { fetch } = createCachingClient(
    async (_context, request, sending) => {
      sent += 1;
      const readVersion = { instance, sequence: sent, isCached: false };
      const [page, pageSize] = request.query.split(' ').map(Number) as [number, number];
      const requestedAt = clock.now();
      sending?.onSent(requestedAt);
      if (state.isDown) {
        upstream.log.push({ page, pageSize });
        throw new UpstreamUnavailableError({ method: 'GET', path: '/list' }, { status: 503 });
      }
      const version = upstream.version();
      const body = await upstream.readPage({ page, pageSize });
      return {
        value: request.parse({ ...body, version }),
        status: 200,
        readVersion,
        requestedAt,
        upstreamNow: requestedAt,
      };
    },
    {
      maxBytes: 2 ** 26,
      freshness: {
        endedCallMs: 0,
        justEndedCallMs: 0,
        settlingCallMs: 0,
        liveCallMs: FRESH_MS,
        assistantMs: 0,
        campaignMs: 0,
        runningCampaignMs: 0,
        pageMs: FRESH_MS,
        notFoundMs: 0,
        whileRevalidatingMs: 0,
      },
      graceMs: GRACE_MS,
      credentialRecheckMs: Number.POSITIVE_INFINITY,
      secondTier: tier,
      onCredentialRejected: () => {},
      events: { onLookup: () => {} },
      now: clock.now,
      monotonicNow: clock.now,
      startTimer: () => () => {},
    },
  );
  const context = createUpstreamContext({
    credential: { fingerprint: 'one credential' } as UpstreamContext['credential'],
    signal: NEVER_ABORTED,
    budget: createBudget({ maxRequests: Number.POSITIVE_INFINITY }),
    usage: {
      startWait: () => () => {},
      record(call) {
        source = call.source;
      },
    },
  });

  const readPage: ReadPage<Identified> = async ({ page: number, pageSize, newerThan }) => {
    const request: UpstreamRequest<Page<Identified> & { readonly version: number }> = {
      endpoint: '/call',
      path: '/list',
      query: `${number} ${pageSize}`,
      parse: (body) => body as Page<Identified> & { readonly version: number },
    };
    const wasFresh = (freshUntil.get(request.query) ?? 0) > clock.now();
    const { value, readVersion } = await fetch(context, request, { newerThan });
    const { version, ...page } = value;
    if (source === 'network') freshUntil.set(request.query, clock.now() + FRESH_MS);
    served.push({ page: number, source, version, isReread: source === 'network' && wasFresh });
    return { ...page, readVersion };
  };
  return {
    ...upstream,
    readPage,
    clock,
    takeServedPages: () => served.splice(0),
    anotherInstance: () => createInstance(upstream, state),
    get isDown() {
      return state.isDown;
    },
    set isDown(isDown) {
      state.isDown = isDown;
    },
  };
}

/**
 * The second tier that several instances share. It keeps an entry for as long as the writer asks,
 * at no cost.
 */
function createSecondTier(now: () => number): SecondTier {
  const entries = new Map<
    string,
    { readonly entry: SecondTierEntry; readonly at: number; readonly keepForMs: number }
  >();
  return {
    async read(_owner, key) {
      const stored = entries.get(key);
      if (!stored || now() - stored.at > stored.keepForMs) return undefined;
      return { ...stored.entry, ageMs: stored.entry.ageMs + now() - stored.at };
    },
    write(_owner, key, entry, keepForMs) {
      entries.set(key, { entry, at: now(), keepForMs });
    },
    revoke() {},
    close: async () => {},
  };
}
