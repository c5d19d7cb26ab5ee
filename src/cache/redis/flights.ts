import { LRUCache } from 'lru-cache';
import { maxEntries } from '#cache/max-entries.ts';
import type { Flight } from '#cache/second-tier.ts';
import type { InstanceChannel } from '#redis/instance-channel.ts';
import type { RedisConnection } from '#redis/redis-connection.ts';

export interface FlightsOptions {
  readonly connection: Pick<RedisConnection, 'isUp' | 'send'>;
  readonly channel: Pick<InstanceChannel, 'publish' | 'onMessage'>;
  /** Resolves when the entries of a credential that were written until now are in Redis. */
  readonly settled: (fingerprint: string) => Promise<void>;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** The claims of this instance to upstream requests, and its waits for those of others. */
export interface Flights {
  /** @param redisKey the key of the entry, which reveals nothing about the request */
  open(fingerprint: string, redisKey: string): ClaimedFlight;
}

/** A flight without its lookup. */
export interface ClaimedFlight extends Omit<Flight, 'read'> {
  /** Sends the claim, unless it is sent, or not worthwhile. */
  claim(): void;
  /** Resolves when the reply to the claim is there, if one was sent. */
  isClaimed(): Promise<void>;
}

interface Claim {
  readonly sentAt: number;
  /** Undefined: not known yet, or Redis has failed. */
  outcome: 'won' | 'lost' | undefined;
  /** Whether another instance waits for the end. */
  isAwaited: boolean;
  readonly reply: Promise<void>;
}

/**
 * The topics of messages, each with the name of a response. A message may be lost or forged: it is
 * only the reason to look for the response now instead of later.
 */
const AWAITED = 'flight-awaited';
const ENDED = 'flight-ended';
/**
 * The longest wait for another instance, in ms. A claim expires after the same time, so an instance
 * that dies delays no request for longer.
 */
export const MAX_WAIT_MS = 1_000;
/** A wait is at least this long, in ms, however fast the upstream is: an instance may be busy. */
const MIN_WAIT_MS = 100;
/** Waits last this many times the usual time of an upstream request. */
const WAIT_LATENCIES = 2;
/** The weight of the latest request in that time. */
const LATENCY_WEIGHT = 1 / 4;
/** How long an instance does not wait for a response again that was not shared, in ms. */
const NOT_SHARED_MS = 10_000;
const MAX_NOT_SHARED = 10_000;

/**
 * Single-flight over instances: a claim is a key that expires. Redis decides only which request
 * waits for which other one, and for a second at most. Without a reply no request waits.
 */
export function createFlights(options: FlightsOptions): Flights {
  const { connection, channel, settled, monotonicNow, startTimer } = options;
  /** The claims of this instance that are not lost. */
  const claims = new Map<string, Claim>();
  /** What to call when another instance has ended its flight. */
  const waits = new Map<string, Set<() => void>>();
  /** Until when a response that was not shared is neither claimed nor waited for. */
  const notShared = new LRUCache<string, number>(maxEntries(MAX_NOT_SHARED));
  let latencyMs: number | undefined;

  channel.onMessage(AWAITED, (name) => {
    const claim = claims.get(name);
    if (claim) claim.isAwaited = true;
  });
  channel.onMessage(ENDED, (name) => {
    for (const onEnded of waits.get(name) ?? []) onEnded();
  });

  return { open };

  function open(fingerprint: string, redisKey: string): ClaimedFlight {
    const name = redisKey.slice('revox:'.length);
    let claim: Claim | undefined;
    /** When the wait ends. Undefined until there is a wait. */
    let waitsUntil: number | undefined;
    let isLastLook = false;
    let requestedAt: number | undefined;
    let hasEnded = false;
    let hasNews = false;
    let wake: (() => void) | undefined;
    const onEnded = () => {
      hasNews = true;
      wake?.();
    };

    return {
      claim() {
        // A look after the end of the other flight is the last one, and needs no claim.
        if (hasNews || (claim && claim.outcome !== 'lost')) return;
        // A second load of this instance must not wait for the first one, which may wait itself.
        if (!connection.isUp(fingerprint) || claims.has(name) || !isWorthwhile()) return;
        claim = sendClaim(fingerprint, name);
      },
      isClaimed: async () => claim?.reply,
      async waitForOther(signal, maxMs) {
        const at = monotonicNow();
        const isTaken = claim?.outcome === 'lost' && connection.isUp(fingerprint);
        if (isTaken && isLastLook) notShared.set(name, at + NOT_SHARED_MS);
        const isFirst = waitsUntil === undefined;
        waitsUntil ??= at + Math.min(toWaitMs(), maxMs);
        if (!isTaken || isLastLook || waitsUntil <= at) {
          requestedAt = at;
          return false;
        }
        if (isFirst) {
          waits.set(name, (waits.get(name) ?? new Set()).add(onEnded));
          channel.publish(fingerprint, AWAITED, name);
        }
        // Messages may be lost: half of the time passes before the first look without one.
        await sleep((waitsUntil - at) / (isFirst ? 2 : 1), signal);
        isLastLook = hasNews || !isFirst;
        return true;
      },
      end(isStored) {
        if (hasEnded) return;
        hasEnded = true;
        stopWaiting();
        if (requestedAt !== undefined) noteRequest(monotonicNow() - requestedAt, isStored);
        if (claim) void release(claim);
      },
    };

    function isWorthwhile(): boolean {
      return (latencyMs ?? 0) < MAX_WAIT_MS && (notShared.get(name) ?? 0) <= monotonicNow();
    }

    /** Resolves after this time, or when the other instance has ended its flight. */
    function sleep(ms: number, signal: Parameters<Flight['waitForOther']>[0]): Promise<void> {
      return new Promise((resolve, reject) => {
        const cancel = startTimer(ms, finish);
        function finish(): void {
          cancel();
          signal.removeEventListener('abort', finish);
          wake = undefined;
          if (signal.aborted) reject(signal.reason);
          else resolve();
        }
        wake = finish;
        signal.addEventListener('abort', finish, { once: true });
        if (hasNews || signal.aborted) finish();
      });
    }

    function stopWaiting(): void {
      const all = waits.get(name);
      all?.delete(onEnded);
      if (all?.size === 0) waits.delete(name);
    }

    function noteRequest(ms: number, isStored: boolean): void {
      if (isStored) {
        latencyMs = (latencyMs ?? ms) + LATENCY_WEIGHT * (ms - (latencyMs ?? ms));
        notShared.delete(name);
      } else notShared.set(name, monotonicNow() + NOT_SHARED_MS);
    }

    async function release(ended: Claim): Promise<void> {
      await ended.reply;
      if (ended.outcome !== 'won') return;
      await settled(fingerprint);
      claims.delete(name);
      // After that time the key has expired, and may be the claim of another instance.
      if (monotonicNow() < ended.sentAt + MAX_WAIT_MS)
        void connection.send(fingerprint, ['DEL', toKey(name)]);
      if (ended.isAwaited) channel.publish(fingerprint, ENDED, name);
    }
  }

  function sendClaim(fingerprint: string, name: string): Claim {
    const reply = connection.send(fingerprint, [
      'SET',
      toKey(name),
      '',
      'NX',
      'PX',
      String(MAX_WAIT_MS),
    ]);
    const claim: Claim = {
      sentAt: monotonicNow(),
      outcome: undefined,
      isAwaited: false,
      reply: reply.then((replies) => {
        if (replies) claim.outcome = replies[0] === null ? 'lost' : 'won';
        if (claim.outcome !== 'won') claims.delete(name);
      }),
    };
    claims.set(name, claim);
    return claim;
  }

  function toWaitMs(): number {
    return latencyMs === undefined
      ? MAX_WAIT_MS
      : Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, WAIT_LATENCIES * latencyMs));
  }
}

function toKey(name: string): string {
  return `revox:flight:${name}`;
}
