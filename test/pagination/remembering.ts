import { createRememberingAsk } from '#cache/remember.ts';
import type { SharedEntry, SharedTier } from '#cache/second-tier.ts';
import { UpstreamUnavailableError } from '#errors/upstream-error.ts';
import type { Identified, Page } from '#pagination/list.ts';
import type { ReadPage } from '#pagination/numbered-pages.ts';
import type { Errand, UpstreamCall } from '#rest/errand.ts';
import type { Question } from '#rest/question.ts';
import { createClock } from '../kit/clock.ts';
import { createBudget, createErrand } from '../kit/errand.ts';
import type { SimulatedList } from '../kit/simulated-list.ts';

export const FRESH_MS = 2000;
export const GRACE_MS = 60_000;

const NEVER = new AbortController().signal;

export interface GivenAnswer {
  readonly page: number;
  readonly source: UpstreamCall['source'];
  /** The version of the list that was read. */
  readonly version: number;
  /** It was asked of the upstream although it was remembered, and fresh. */
  readonly isReadAgain: boolean;
}

/** A simulated list behind the memory of one gateway process, or of several that share a second tier. */
export interface Remembering extends SimulatedList {
  readonly clock: ReturnType<typeof createClock>;
  /** What was answered since the last call. */
  takeAnswers(): GivenAnswer[];
  /** Every request fails, as long as it is set. */
  isDown: boolean;
  /** The same list by another process, which remembers by itself. */
  anotherProcess(): Remembering;
}

export function createRemembering(upstream: SimulatedList): Remembering {
  const clock = createClock();
  const world = { isDown: false, clock, tier: createSharedTier(clock.now), processes: 0 };
  return createProcess(upstream, world);
}

interface RememberingWorld {
  isDown: boolean;
  readonly clock: ReturnType<typeof createClock>;
  readonly tier: SharedTier;
  processes: number;
}

function createProcess(upstream: SimulatedList, world: RememberingWorld): Remembering {
  const { clock, tier } = world;
  world.processes += 1;
  const process = `process ${world.processes}`;
  const answers: GivenAnswer[] = [];
  /** By question. */
  const freshUntil = new Map<string, number>();
  let source: UpstreamCall['source'] = 'network';
  let sent = 0;
  const { ask } = createRememberingAsk(
    async (_errand, question, sending) => {
      sent += 1;
      const reading = { process, number: sent, isRemembered: false };
      const [page, pageSize] = question.query.split(' ').map(Number) as [number, number];
      const askedAt = clock.now();
      sending?.onSent(askedAt);
      if (world.isDown) {
        upstream.log.push({ page, pageSize });
        throw new UpstreamUnavailableError({ method: 'GET', path: '/list' }, { status: 503 });
      }
      const version = upstream.version();
      const body = await upstream.readPage({ page, pageSize });
      return { value: question.read({ ...body, version }), status: 200, reading, askedAt, upstreamNow: askedAt };
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
      onRefused: () => {},
      events: { onAnswered: () => {} },
      now: clock.now,
      elapsed: clock.now,
      startTimer: () => () => {},
    },
  );
  const errand = createErrand({
    credential: { fingerprint: 'somebody' } as Errand['credential'],
    signal: NEVER,
    budget: createBudget({ limit: Number.POSITIVE_INFINITY }),
    account: {
      wait: () => () => {},
      note(call) {
        source = call.source;
      },
    },
  });

  const readPage: ReadPage<Identified> = async ({ page: number, pageSize, newerThan }) => {
    const question: Question<Page<Identified> & { readonly version: number }> = {
      endpoint: '/call',
      path: '/list',
      query: `${number} ${pageSize}`,
      read: (body) => body as Page<Identified> & { readonly version: number },
    };
    const wasFresh = (freshUntil.get(question.query) ?? 0) > clock.now();
    const { value, reading } = await ask(errand, question, { newerThan });
    const { version, ...page } = value;
    if (source === 'network') freshUntil.set(question.query, clock.now() + FRESH_MS);
    answers.push({ page: number, source, version, isReadAgain: source === 'network' && wasFresh });
    return { ...page, reading };
  };
  return {
    ...upstream,
    readPage,
    clock,
    takeAnswers: () => answers.splice(0),
    anotherProcess: () => createProcess(upstream, world),
    get isDown() {
      return world.isDown;
    },
    set isDown(isDown) {
      world.isDown = isDown;
    },
  };
}

/** What several processes share, for as long as it says, at no cost. */
function createSharedTier(now: () => number): SharedTier {
  const entries = new Map<string, { readonly entry: SharedEntry; readonly at: number; readonly keepForMs: number }>();
  return {
    async read(_owner, key) {
      const kept = entries.get(key);
      if (!kept || now() - kept.at > kept.keepForMs) return undefined;
      return { ...kept.entry, ageMs: kept.entry.ageMs + now() - kept.at };
    },
    write(_owner, key, entry, keepForMs) {
      entries.set(key, { entry, at: now(), keepForMs });
    },
    forget() {},
    close: async () => {},
  };
}
