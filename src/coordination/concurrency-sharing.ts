import { randomBytes } from 'node:crypto';
import type { InstanceChannel } from '#redis/instance-channel.ts';
import type { RedisConnection } from '#redis/redis-connection.ts';
import type { LocalLimits, SharedLimits } from '#rest/resilience/limit-sharing.ts';
import { toFairShare } from './fair-share.ts';
import type { KnownOwners } from './known-owners.ts';
import { isSigned, type Signer, sign } from './signature.ts';

/** The shares of this instance in the limit of each credential: see `SharedLimits`. */
export interface ConcurrencyShares
  extends Pick<SharedLimits, 'maxConcurrencyOf' | 'onDemand' | 'reducedShares'> {
  /** Publishes nothing more. */
  close(): void;
}

export interface ConcurrencySharesOptions {
  readonly connection: Pick<RedisConnection, 'time'>;
  readonly channel: Pick<InstanceChannel, 'publish' | 'onMessage'>;
  readonly knownOwners: KnownOwners;
  readonly local: Pick<LocalLimits, 'maxConcurrency' | 'demandOf' | 'reevaluate'>;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** A message with this topic has the demand of one instance. */
const TOPIC = 'demand';
/**
 * The share of the limit below which an instance sends no message, unless another instance sends
 * one.
 */
const SILENT_SHARE = 0.25;
/** How often a demand is published while it lasts, in ms. */
const INTERVAL_MS = 1_000;
/** Minimum time between two messages about one credential, in ms. */
const MIN_INTERVAL_MS = 50;
/**
 * How many intervals without a message the demand of another instance remains valid. Intervals, not
 * time: a pause of its own process is one interval for an instance, however long it was.
 */
const MAX_MISSED_INTERVALS = 3;
/** The maximum age of a message, in ms: an older one is outdated, or a replay. */
const MAX_AGE_MS = 3_000;
/** Maximum instances for one credential: further ones do not count. */
const MAX_PEERS = 1_000;

interface Peer {
  requests: number;
  /** When the message was sent, by Redis' clock, in ms: an older one is a replay. */
  sentAt: number;
  missedIntervals: number;
}

/** A credential with a demand. It is dropped when no instance has published one for a while. */
interface ActiveCredential {
  readonly owner: Signer;
  readonly peers: Map<string, Peer>;
  /** The demand that this instance has published, at most the limit; 0 if there is none. */
  published: number;
  publishedAt: number;
  sentAt: number;
  /** The highest demand since the latest interval. */
  peak: number;
  share: number;
  cancelPublish: (() => void) | undefined;
}

/**
 * Instances that use a quarter of a credential's limit publish their demand, and each one computes
 * its own share of the limit from the demands that it knows. No request waits for a message. An
 * instance that uses less publishes its demand only if another instance does. The message is signed
 * with a key of the credential. Without Redis, demands expire, and each instance has the whole
 * limit.
 */
export function createConcurrencyShares(options: ConcurrencySharesOptions): ConcurrencyShares {
  const { connection, channel, knownOwners, local, monotonicNow, startTimer } = options;
  const { maxConcurrency } = local;
  const threshold = Math.max(2, Math.ceil(maxConcurrency * SILENT_SHARE));
  const ownId = randomBytes(9).toString('base64url');
  const active = new Map<string, ActiveCredential>();
  let cancelInterval: (() => void) | undefined;

  channel.onMessage(TOPIC, receive);

  return {
    maxConcurrencyOf: (fingerprint) => active.get(fingerprint)?.share ?? maxConcurrency,
    onDemand(fingerprint, demand) {
      let state = active.get(fingerprint);
      if (!state) {
        if (demand < threshold) return;
        const owner = knownOwners.get(fingerprint);
        if (!owner) return;
        state = createState(owner);
      }
      state.peak = Math.max(state.peak, Math.min(demand, maxConcurrency));
      const isUnknown = state.published === 0 && (demand >= threshold || hasDemand(state));
      if (isUnknown || (state.peak > state.published && state.peak > state.share)) publish(state);
    },
    reducedShares() {
      let count = 0;
      for (const { share } of active.values()) if (share < maxConcurrency) count += 1;
      return count;
    },
    close() {
      cancelInterval?.();
      for (const { cancelPublish } of active.values()) cancelPublish?.();
    },
  };

  function createState(owner: Signer): ActiveCredential {
    const state: ActiveCredential = {
      owner,
      peers: new Map(),
      published: 0,
      publishedAt: Number.NEGATIVE_INFINITY,
      sentAt: 0,
      peak: 0,
      share: maxConcurrency,
      cancelPublish: undefined,
    };
    active.set(owner.fingerprint, state);
    startInterval();
    return state;
  }

  /** One timer for all credentials, while there is one. */
  function startInterval(): void {
    cancelInterval ??= startTimer(INTERVAL_MS, () => {
      cancelInterval = undefined;
      for (const state of active.values()) renew(state);
      if (active.size > 0) startInterval();
    });
  }

  function renew(state: ActiveCredential): void {
    const { owner, peers } = state;
    for (const [id, peer] of peers) {
      peer.missedIntervals += 1;
      if (peer.missedIntervals > MAX_MISSED_INTERVALS) peers.delete(id);
    }
    const demand = Math.min(local.demandOf(owner.fingerprint), maxConcurrency);
    state.peak = Math.max(state.peak, demand);
    if (state.peak < (hasDemand(state) ? 1 : threshold)) state.peak = 0;
    if (state.peak > 0 || state.published > 0) publish(state);
    state.peak = demand;
    updateShare(state);
    if (peers.size > 0 || state.published > 0) return;
    state.cancelPublish?.();
    active.delete(owner.fingerprint);
  }

  /** Publishes the peak, or a moment later if the latest message is very recent. */
  function publish(state: ActiveCredential): void {
    if (state.cancelPublish) return;
    const waitMs = state.publishedAt + MIN_INTERVAL_MS - monotonicNow();
    if (waitMs > 0) {
      state.cancelPublish = startTimer(waitMs, () => {
        state.cancelPublish = undefined;
        publish(state);
      });
      return;
    }
    const { fingerprint } = state.owner;
    state.published = state.peak;
    state.publishedAt = monotonicNow();
    const { latest } = connection.time(fingerprint);
    // The time is unknown until Redis is up: there is no message then.
    if (Number.isFinite(latest)) {
      state.sentAt = Math.max(Math.ceil(latest), state.sentAt + 1);
      const text = `${fingerprint} ${ownId} ${state.published} ${state.sentAt}`;
      channel.publish(fingerprint, TOPIC, `${text} ${sign(state.owner, `${TOPIC} ${text}`)}`);
    }
    updateShare(state);
  }

  function receive(body: string): void {
    const end = body.lastIndexOf(' ');
    const text = body.slice(0, end);
    const [fingerprint = '', id = '', requests = '', sentAt = ''] = text.split(' ');
    const owner = knownOwners.get(fingerprint);
    if (!owner || !isSigned(owner, `${TOPIC} ${text}`, body.slice(end + 1))) return;
    const { earliest, latest } = connection.time(fingerprint);
    const message = {
      requests: Math.min(Number(requests), maxConcurrency),
      sentAt: Number(sentAt),
      missedIntervals: 0,
    };
    if (!(message.sentAt > earliest - MAX_AGE_MS && message.sentAt < latest + MAX_AGE_MS)) return;
    const known = active.get(fingerprint);
    if (!known && message.requests === 0) return;
    const state = known ?? createState(owner);
    const peer = state.peers.get(id);
    if (peer ? peer.sentAt >= message.sentAt : state.peers.size >= MAX_PEERS) return;
    state.peers.set(id, message);
    // The sender must know the demand of this instance before the next interval.
    if (!peer) {
      const demand = Math.min(local.demandOf(fingerprint), maxConcurrency);
      state.peak = Math.max(state.peak, demand);
      if (state.peak > 0) publish(state);
    }
    updateShare(state);
  }

  function hasDemand({ peers }: ActiveCredential): boolean {
    for (const { requests } of peers.values()) if (requests > 0) return true;
    return false;
  }

  function updateShare(state: ActiveCredential): void {
    const before = state.share;
    const demands = [{ instance: ownId, requests: state.published }];
    for (const [instance, { requests }] of state.peers)
      if (requests > 0) demands.push({ instance, requests });
    state.share =
      demands.length === 1 ? maxConcurrency : toFairShare(demands, ownId, maxConcurrency);
    if (state.share > before) local.reevaluate(state.owner.fingerprint);
  }
}
