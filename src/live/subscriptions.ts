import type { FreshnessSettings } from '#cache/freshness.ts';
import { GatewayError } from '#errors/gateway-error.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import { isPathSegment } from '#rest/url.ts';
import { callKind } from './call-kind.ts';
import { createCohort } from './create-cohort.ts';
import { type FeedStart, toFeedStart } from './feed-list.ts';
import type { EndReason, LiveState } from './live-events.ts';
import { isFeedSelection, type LiveSelection } from './live-source.ts';
import { type Framing, LiveStream } from './live-stream.ts';
import type { PollUpstream } from './poll-upstream.ts';
import type { ExecuteEvent } from './serialized-event.ts';
import type { StreamGroup } from './stream-group.ts';
import { SubscriptionSlots } from './subscription-slots.ts';
import { createWatches, type Watches, type WatchesOptions } from './watches.ts';
import { createWriteTurns } from './write-turns.ts';

/** Whose subscription it is. It outlives the request. */
export interface Subscriber {
  /** The fingerprint of the credential. */
  readonly fingerprint: string;
  /**
   * Owner of the subscription for the limit of each caller. All callers whose credential is not
   * accepted yet are one owner.
   */
  owner(): string;
  /** Whether the upstream has accepted the credential by now. */
  isCredentialAccepted(): boolean;
  readonly poll: PollUpstream;
  /** Derives a key of 32 bytes from the credential, a different one for each purpose. */
  readonly deriveKey: (purpose: string) => Buffer;
  /** What pages of lists have shown with the credential. */
  readonly facts: FactsByEndpoint;
}

export interface LiveOperation {
  /** Two subscribers with the same credential and key have the same events. */
  readonly key: string;
  readonly selection: LiveSelection;
  readonly execute: ExecuteEvent;
}

export interface StreamRequest {
  readonly subscriber: Subscriber;
  readonly operation: LiveOperation;
  readonly framing: Framing;
  readonly lastEventId: string | undefined;
  readonly isRouter: boolean;
  /** When the token of the subscriber no longer counts, by the wall clock, in ms. */
  readonly expiresAt: number | undefined;
  readonly onEnd: (stream: LiveStream, reason: EndReason) => void;
  /** Releases the slot that `reserve` has taken. @default the stream takes a slot */
  readonly release?: () => void;
}

export interface LiveSubscriptionsOptions extends Omit<WatchesOptions, 'maxConcurrentPolls'> {
  readonly maxConcurrentPolls: number;
  readonly maxSubscriptions: number;
  readonly maxSubscriptionsPerCaller: number;
  /** Maximum open subscriptions on one WebSocket. */
  readonly maxSubscriptionsPerConnection: number;
  readonly settlingMs: number;
  readonly freshness: FreshnessSettings;
  readonly keepAliveMs: number;
  readonly lifetimeMs: number;
  readonly repeatMs: number;
  readonly giveUpMs: number;
  /** The streams of a drain end between these times after its start, in ms. */
  readonly drain: { readonly fromMs: number; readonly untilMs: number };
}

export interface LiveSubscriptions {
  /** @throws GatewayError over a limit, or while the gateway drains */
  open(request: StreamRequest): LiveStream;
  /**
   * Whether `open` could succeed, for a transport that opens a connection first.
   * @param owner undefined: not known yet
   * @throws GatewayError as `open` does
   */
  check(owner: string | undefined): void;
  /** The limits of a connection that carries several streams. */
  readonly connectionLimits: ConnectionLimits;
  /** Whether streams are being interrupted because the process stops. */
  isDraining(): boolean;
  /** A subscription was refused by a limit of its connection. @param limit the setting */
  onRefused(limit: string): void;
  /**
   * Takes a slot for a stream that opens later. Returns the function that releases it.
   * @throws GatewayError as `open` does
   */
  reserve(request: StreamRequest): () => void;
  /** Accepts no more subscriptions, and interrupts the streams one after the other. */
  drain(): void;
  /** A response was read for another part of the gateway. */
  offer: Watches['offer'];
  /** A call may have changed: it is polled. Returns whether any subscriber follows it. */
  hint(callId: string): boolean;
  /** The upstream does not accept the credential any more. */
  revoke(fingerprint: string, error: GatewayError): void;
  state(): LiveState;
}

export interface ConnectionLimits {
  readonly maxSubscriptions: number;
  readonly keepAliveMs: number;
}

const TICK_MS = 1_000;

/** Clients that are interrupted subscribe again after a random time between these, in ms. */
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 5_000;

/** The lifetimes of streams differ by ten percent to each side. */
const LIFETIME_SPREAD = 0.2;

/** The open streams, and what they share: cohorts, watched objects, limits and timers. */
export function createLiveSubscriptions(options: LiveSubscriptionsOptions): LiveSubscriptions {
  const { events, monotonicNow, now, startTimer, random } = options;
  const watches = createWatches(options);
  const slots = new SubscriptionSlots(options);
  const writeTurns = createWriteTurns(monotonicNow, setImmediate);
  /** Cohorts by the fingerprint of their credential, and the key of their operation. */
  const cohorts = new Map<string, Map<string, StreamGroup>>();
  const streams = new Map<LiveStream, StreamGroup>();
  let isTicking = false;
  let isDraining = false;
  const toRetryMs = () => Math.round(MIN_RETRY_MS + (MAX_RETRY_MS - MIN_RETRY_MS) * random());

  return {
    open(request) {
      if (isDraining) throw drainingError(toRetryMs());
      const start = toStreamStart(request);
      // The stream must not retain the operation and the subscriber: its cohort has those of the first.
      const { framing, lastEventId, isRouter, onEnd } = request;
      const { release = acquireSlot(request) } = request;
      let cohort: StreamGroup;
      try {
        cohort = findCohort(request) ?? addCohort(request);
      } catch (error) {
        release();
        throw error;
      }
      const startedAt = monotonicNow();
      const lifetimeMs = options.lifetimeMs * (1 + LIFETIME_SPREAD * (random() - 0.5));
      const tokenMs = (request.expiresAt ?? Number.POSITIVE_INFINITY) - now();
      const stream = new LiveStream({
        framing,
        lastEventId,
        isRouter,
        endsAt: startedAt + Math.min(lifetimeMs, tokenMs),
        endsBecause: tokenMs < lifetimeMs ? 'expired' : 'lifetime',
        keepAliveMs: options.keepAliveMs,
        writeTurns,
        monotonicNow,
        random,
        onCoalesced: events.onCoalesced,
        onEnd(reason) {
          release();
          streams.delete(stream);
          cohort.leave(stream);
          events.onStreamEnd(framing.transport, reason);
          onEnd(stream, reason);
        },
      });
      streams.set(stream, cohort);
      cohort.join(stream, start);
      startTicking();
      return stream;
    },
    check(owner) {
      if (isDraining) throw drainingError(toRetryMs());
      slots.check(owner);
    },
    connectionLimits: {
      maxSubscriptions: options.maxSubscriptionsPerConnection,
      keepAliveMs: options.keepAliveMs,
    },
    isDraining: () => isDraining,
    onRefused: events.onRefused,
    reserve(request) {
      if (isDraining) throw drainingError(toRetryMs());
      return acquireSlot(request);
    },
    drain() {
      isDraining = true;
      const { fromMs, untilMs } = options.drain;
      const ending = [...streams.keys()];
      ending.forEach((stream, index) => {
        const delayMs = fromMs + ((untilMs - fromMs) * index) / ending.length;
        startTimer(delayMs, () => stream.interrupt('drain', toRetryMs()));
      });
    },
    offer: watches.offer,
    hint: (callId) => isPathSegment(callId) && watches.hint(callKind.toPath(callId)),
    revoke: watches.revoke,
    state: () => ({
      subscriptions: slots.counts,
      cohorts: [...cohorts.values()].reduce((sum, { size }) => sum + size, 0),
      watched: watches.countStates(),
      stretch: watches.stretch(),
    }),
  };

  function acquireSlot({ subscriber, operation, framing }: StreamRequest): () => void {
    return slots.acquire(subscriber, `${operation.selection.field} ${framing.transport}`);
  }

  function findCohort({ subscriber, operation }: StreamRequest): StreamGroup | undefined {
    return cohorts.get(subscriber.fingerprint)?.get(operation.key);
  }

  function addCohort({ subscriber, operation }: StreamRequest): StreamGroup {
    const { fingerprint } = subscriber;
    const cohort = createCohort(subscriber, operation, {
      ...options,
      firstEventMs: options.firstDeadlineMs,
      toRetryMs,
      watches,
      onEnd() {
        const ofCredential = cohorts.get(fingerprint);
        if (ofCredential?.get(operation.key) === cohort) ofCredential.delete(operation.key);
        if (ofCredential?.size === 0) cohorts.delete(fingerprint);
      },
    });
    const ofCredential = cohorts.get(fingerprint) ?? new Map<string, StreamGroup>();
    cohorts.set(fingerprint, ofCredential.set(operation.key, cohort));
    return cohort;
  }

  /** One timer for all streams. It runs while there are streams. */
  function startTicking(): void {
    if (isTicking) return;
    isTicking = true;
    startTimer(TICK_MS, tick);
  }

  function tick(): void {
    isTicking = false;
    const currentTime = monotonicNow();
    for (const stream of [...streams.keys()]) {
      if (currentTime >= stream.endsAt) stream.interrupt(stream.endsBecause, toRetryMs());
      stream.tick(currentTime);
    }
    for (const cohort of new Set(streams.values())) if (!cohort.isEnded) cohort.tick(currentTime);
    if (watches.sweep() || streams.size > 0) startTicking();
  }
}

/**
 * Where a stream begins in the list that it follows. A client that subscribes again goes on after
 * its last event.
 * @throws UserInputError for an invalid cursor
 */
function toStreamStart({ operation, lastEventId }: StreamRequest): FeedStart | undefined {
  const { selection } = operation;
  if (!isFeedSelection(selection)) return undefined;
  return lastEventId ? toFeedStart(lastEventId, selection.list, 'Last-Event-ID') : selection.start;
}

function drainingError(retryMs: number): GatewayError {
  const message = 'This instance of the gateway is stopping: subscribe again.';
  return new GatewayError('UPSTREAM_UNAVAILABLE', message, {
    retryAfter: Math.ceil(retryMs / 1000),
  });
}
