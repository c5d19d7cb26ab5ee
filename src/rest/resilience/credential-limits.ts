import type { UpstreamEvents } from '#rest/upstream-events.ts';
import type { AcceptedCredentials } from './accepted-credentials.ts';
import {
  type ConcurrencyLimiter,
  type ConcurrencyLimiterOptions,
  createConcurrencyLimiter,
} from './concurrency-limiter.ts';
import { createUnsharedLimits, type LocalLimits, type SharedLimits } from './limit-sharing.ts';
import { type Cooldowns, type CooldownsOptions, createCooldowns } from './rate-limit-cooldown.ts';

/** The limits of each credential, in this instance and over all instances. */
export interface CredentialLimits {
  readonly cooldowns: Cooldowns;
  readonly concurrencyLimiter: ConcurrencyLimiter;
  readonly sharedLimits: SharedLimits;
}

export interface CredentialLimitsOptions
  extends Pick<ConcurrencyLimiterOptions, 'maxQueued' | 'monotonicNow'>,
    Pick<CooldownsOptions, 'startTimer' | 'random'> {
  /** Maximum requests in flight for one credential; further requests queue. */
  readonly maxConcurrency: number;
  /** Maximum requests in flight over all credentials. */
  readonly maxConcurrencyTotal: number;
  readonly acceptedCredentials: AcceptedCredentials;
  readonly events: Pick<UpstreamEvents, 'onCooldownReceived'>;
  /** Shares the limits with other instances. @default the instance shares nothing */
  readonly shareLimits?: ((local: LocalLimits) => SharedLimits) | undefined;
}

export function createCredentialLimits(options: CredentialLimitsOptions): CredentialLimits {
  const { maxConcurrency, shareLimits = () => createUnsharedLimits(maxConcurrency) } = options;
  const { events } = options;
  const isAccepted = options.acceptedCredentials.has;
  const sharedLimits = shareLimits({
    maxConcurrency,
    isAccepted,
    demandOf: (credential) => concurrencyLimiter.demandOf(credential),
    cooldownMs: (credential) => cooldowns.remainingMs(credential),
    applyCooldown(credential, ms) {
      cooldowns.apply(credential, ms);
      events.onCooldownReceived();
    },
    reevaluate: (credential) => concurrencyLimiter.reevaluate(credential),
  });
  const cooldowns = createCooldowns({
    ...options,
    sharedLimits,
    isAccepted,
    onChange: (credential) => concurrencyLimiter.reevaluate(credential),
  });
  const concurrencyLimiter = createConcurrencyLimiter({
    ...options,
    maxTotal: options.maxConcurrencyTotal,
    isAccepted,
    coolingDownUntil: cooldowns.until,
    maxActiveOf(credential) {
      if (!cooldowns.isProbing(credential)) return sharedLimits.maxConcurrencyOf(credential);
      return sharedLimits.canProbe(credential) ? 1 : 0;
    },
    onDemand: sharedLimits.onDemand,
  });
  return { cooldowns, concurrencyLimiter, sharedLimits };
}
