import type { BoundedRead } from '#redis/bounded-read.ts';
import type { InstanceChannel } from '#redis/instance-channel.ts';
import type { RedisConnection, ServerTime } from '#redis/redis-connection.ts';
import type { LimitOwner, LocalLimits, SharedLimits } from '#rest/resilience/limit-sharing.ts';
import { createConcurrencyShares } from './concurrency-sharing.ts';
import { COOLDOWN, createSharedCooldowns, toCooldownKey } from './cooldown-sharing.ts';
import { createKnownOwners } from './known-owners.ts';
import { toSigner } from './signature.ts';

/** Shares the limits of each credential between the instances. */
export interface LimitSharing {
  /** Connects the limits of this instance. */
  shareLimits(local: LocalLimits): SharedLimits;
  /** The cooldown in Redis: a lookup in the shared cache reads it in the same round trip. */
  readonly piggyback: {
    readonly read: BoundedRead;
    toKey(fingerprint: string): string;
    receive(owner: LimitOwner, stored: Buffer, time: ServerTime): void;
  };
  close(): void;
}

export interface LimitSharingOptions {
  readonly connection: Pick<RedisConnection, 'send' | 'isUp' | 'time'>;
  readonly channel: Pick<InstanceChannel, 'publish' | 'onMessage'>;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export function createLimitSharing(options: LimitSharingOptions): LimitSharing {
  let receive: LimitSharing['piggyback']['receive'] = () => {};
  let close = () => {};
  return {
    shareLimits(local) {
      const knownOwners = createKnownOwners(local.isAccepted, options.monotonicNow);
      const cooldowns = createSharedCooldowns({ ...options, knownOwners, local });
      const shares = createConcurrencyShares({ ...options, knownOwners, local });
      receive = (owner, ...stored) => cooldowns.receive(toSigner(owner), ...stored);
      close = shares.close;
      return {
        use: knownOwners.add,
        onCooldown: cooldowns.onCooldown,
        canProbe: cooldowns.canProbe,
        onProbingEnd: cooldowns.onProbingEnd,
        maxConcurrencyOf: shares.maxConcurrencyOf,
        onDemand: shares.onDemand,
        reducedShares: () => shares.reducedShares(),
      };
    },
    piggyback: {
      read: COOLDOWN,
      toKey: toCooldownKey,
      receive: (...stored) => receive(...stored),
    },
    close: () => close(),
  };
}
