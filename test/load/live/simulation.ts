import { readSettings } from '#config/settings.ts';
import { callKind } from '#live/call-kind.ts';
import { toLiveOptions } from '#live/live-options.ts';
import { toObjectTarget } from '#live/poll-upstream.ts';
import type { WatchListener } from '#live/watch.ts';
import { createWatches } from '#live/watches.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import { objectPaths } from '#rest/revox-api.ts';
import { createMemoryLeases } from '../../support/memory-leases.ts';
import {
  CALLS,
  type CallOwner,
  createCall,
  durationOf,
  type SimulatedCall,
} from './simulated-calls.ts';
import { createSimulatedUpstream } from './simulated-upstream.ts';
import { createSeededRandom, createVirtualTime } from './virtual-time.ts';

/** Live calls of one API key. With campaigns, two campaigns have 40 of them each. */
export const CALLS_OF_KEY = 100;
const CAMPAIGNS_OF_KEY = 2;
const CALLS_OF_CAMPAIGN = 40;
export const SUBSCRIBERS_OF_CALL = 10;

export interface SimulationOptions {
  /** Live calls at any time: a call that is over is replaced. A multiple of `CALLS_OF_KEY`. */
  readonly calls: number;
  readonly hasWebhooks: boolean;
  /** Whether four fifths of the calls belong to campaigns. @default true */
  readonly hasCampaigns?: boolean;
  /** Of each instance, as environment variables. */
  readonly settings: Readonly<Record<string, string>>;
  /** Each subscriber is at a random one. @default 1 */
  readonly instances?: number;
  /** Whether the instances share their polls. @default each polls for itself */
  readonly hasLeases?: boolean;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Called before the calls are created, before the measured time, and after it. */
  readonly onPart?: (part: 'start' | 'warm' | 'end') => void;
}

export interface SimulationResult {
  /** On all instances, at the end. */
  readonly watchedObjects: number;
  /** Upstream requests for single calls, and for pages of rows. */
  readonly requestsPerSecond: { readonly singles: number; readonly pages: number };
  readonly requestsPerEnd: number;
  /** Calls that have ended, and all instances that followed them have read it. */
  readonly ends: number;
  /** From the end of a call until an instance has read it, in ms. */
  readonly endDelayMs: { readonly p50: number; readonly p99: number };
  /** The highest one of all instances. */
  readonly stretch: number;
}

const START = Date.UTC(2026, 0, 1);
const SEED = 20_261_129;
const STRETCH_MS = 5_000;
/** Hardly any call is longer. */
const LONG_CALL_MS = 600_000;

/**
 * Runs the real watches, scheduler and list polls against a model of the upstream, with a clock and
 * random numbers of its own: the same options have the same result in each run. All subscribers of
 * a call at one instance share its watch, so they are one listener.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { calls, hasWebhooks, hasCampaigns = true, settings, instances = 1 } = options;
  const liveOptions = toLiveOptions(readSettings(settings));
  const time = createVirtualTime(START);
  const random = createSeededRandom(SEED);
  const upstream = createSimulatedUpstream(time);
  const leases = options.hasLeases ? createMemoryLeases(time.now) : undefined;
  const endDelays: number[] = [];
  let isMeasured = false;
  let ends = 0;
  let nextId = 0;

  const running = Array.from({ length: instances }, (_, index) => createInstance(index));
  options.onPart?.('start');
  for (const owner of toOwners(calls / CALLS_OF_KEY)) addCall(createLiveCall(owner));
  await time.pass(options.warmUpMs);
  options.onPart?.('warm');
  const before = { ...upstream.requests };
  isMeasured = true;
  let stretch = 0;
  for (let passedMs = 0; passedMs < options.measuredMs; passedMs += STRETCH_MS) {
    await time.pass(STRETCH_MS);
    stretch = Math.max(stretch, ...running.map(({ watches }) => watches.stretch()));
  }
  options.onPart?.('end');

  const singles = upstream.requests.singles - before.singles;
  const pages = upstream.requests.pages - before.pages;
  endDelays.sort((one, other) => one - other);
  return {
    watchedObjects: running.reduce((sum, { watches }) => sum + count(watches.countStates()), 0),
    requestsPerSecond: {
      singles: (singles * 1000) / options.measuredMs,
      pages: (pages * 1000) / options.measuredMs,
    },
    requestsPerEnd: (singles + pages) / ends,
    ends,
    endDelayMs: { p50: percentile(endDelays, 0.5), p99: percentile(endDelays, 0.99) },
    stretch,
  };

  function toOwners(keys: number): CallOwner[] {
    return Array.from({ length: keys }, (_, credential) => {
      const campaigns = Array.from(
        { length: hasCampaigns ? CAMPAIGNS_OF_KEY : 0 },
        (__, index) => ({
          id: `k${credential}-${index}`,
          calls: new Set<SimulatedCall>(),
        }),
      );
      for (const campaign of campaigns) upstream.campaigns.set(campaign.id, campaign);
      return Array.from({ length: CALLS_OF_KEY }, (__, index) => ({
        credential,
        campaign: campaigns[Math.floor(index / CALLS_OF_CAMPAIGN)],
      }));
    }).flat();
  }

  function createNewCall(owner: CallOwner, elapsed = 0): SimulatedCall {
    nextId += 1;
    return createCall(`c${nextId}`, owner, { now: time.now(), random, elapsed });
  }

  /** One of the calls that are live at a random moment: long calls are live more often. */
  function createLiveCall(owner: CallOwner): SimulatedCall {
    for (;;) {
      const call = createNewCall(owner, random());
      if (random() < durationOf(call) / LONG_CALL_MS) return call;
    }
  }

  function addCall(call: SimulatedCall): void {
    upstream.calls.set(call.id, call);
    call.campaign?.calls.add(call);
    const followers = new Set(
      Array.from({ length: SUBSCRIBERS_OF_CALL }, () => Math.floor(random() * instances)),
    );
    let waiting = followers.size;
    for (const index of followers)
      running[index]?.follow(call, () => {
        waiting -= 1;
        if (waiting > 0) return;
        if (isMeasured) ends += 1;
        upstream.calls.delete(call.id);
        call.campaign?.calls.delete(call);
        addCall(createNewCall(call));
      });
    if (!hasWebhooks) return;
    const webhookMs = call.endAt + CALLS.webhookMs - time.now();
    const receiver = Math.floor(random() * instances);
    time.startTimer(webhookMs, () => running[receiver]?.watches.hint(objectPaths.call(call.id)));
  }

  function createInstance(index: number) {
    const watches = createWatches({
      ...liveOptions,
      events: {
        onPoll() {},
        onEvent() {},
        onCoalesced() {},
        onRefused() {},
        onWebhook() {},
        onStreamEnd() {},
        onUnexpectedError(error) {
          throw error;
        },
      },
      now: time.now,
      monotonicNow: time.now,
      startTimer: time.startTimer,
      random: createSeededRandom(SEED + 1 + index),
      ...(leases && { leases: leases.join() }),
    });
    const facts = createEndpointFacts({ firstPage: 1, pageSize: 50, monotonicNow: time.now });
    const subscribers = new Map<number, Parameters<typeof toObjectTarget>[0]>();
    const toSubscriber = (credential: number) => {
      const fingerprint = `key ${credential}`;
      const subscriber = subscribers.get(credential) ?? {
        fingerprint,
        poll: upstream.connect(fingerprint, () => watches),
        facts: facts({ fingerprint }),
        deriveKey: () => Buffer.from(fingerprint),
      };
      subscribers.set(credential, subscriber);
      return subscriber;
    };
    return {
      watches,
      /** @param onEnd the end of the call was read */
      follow(call: SimulatedCall, onEnd: () => void) {
        const listener: WatchListener = {
          isOnlyEndWatched: false,
          isSettlingWatched: false,
          onReading({ reading }) {
            if (!reading?.state.isOver) return;
            watches.unwatch(watch, listener);
            if (isMeasured) endDelays.push(time.now() - call.endAt);
            onEnd();
          },
          onRejected() {},
        };
        const target = toObjectTarget(toSubscriber(call.credential), callKind, call.id);
        const watch = watches.watch(target, listener);
      },
    };
  }
}

function count(states: Readonly<Record<string, number>>): number {
  return Object.values(states).reduce((sum, one) => sum + one, 0);
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}
