/**
 * The limits of a credential that all instances of the gateway share. The methods are synchronous:
 * no request waits for another instance, except for the one that probes after a cooldown.
 */
export interface SharedLimits {
  /**
   * Must be called before a request with this credential is sent: messages of other instances about
   * unknown credentials are ignored.
   */
  use(owner: LimitOwner): void;
  /** Maximum requests in flight for the credential in this instance: its share of the limit. */
  maxConcurrencyOf(credential: string): number;
  /** The number of requests of the credential in flight and queued, whenever it grows. */
  onDemand(credential: string, demand: number): void;
  /** A 429 has started or extended the cooldown of the credential. */
  onCooldown(credential: string, remainingMs: number): void;
  /**
   * Whether this instance may send the probe of a credential whose cooldown is over. If it is
   * undecided yet, `LocalLimits.reevaluate` follows.
   */
  canProbe(credential: string): boolean;
  /** Probing is over. `hasPassed`: the upstream has responded to the credential without a 429. */
  onProbingEnd(credential: string, hasPassed: boolean): void;
  /** Number of credentials whose share is less than the whole limit now. */
  reducedShares(): number;
}

/** A credential, without access to the API key. */
export interface LimitOwner {
  readonly fingerprint: string;
  /** Derives a key of 32 bytes from the credential, a different one for each purpose. */
  deriveKey(purpose: string): Buffer;
}

/** What the shared limits need of this instance. */
export interface LocalLimits {
  /** Maximum requests in flight for one credential over all instances. */
  readonly maxConcurrency: number;
  /** Whether the upstream has accepted a credential. */
  readonly isAccepted: (credential: string) => boolean;
  /** The number of requests of the credential in flight and queued. */
  demandOf(credential: string): number;
  /** The remaining time of the cooldown of this instance, in ms; 0 if there is none. */
  cooldownMs(credential: string): number;
  /** Starts a cooldown that another instance has reported, or extends the current one. */
  applyCooldown(credential: string, ms: number): void;
  /** `maxConcurrencyOf` or `canProbe` has changed. */
  reevaluate(credential: string): void;
}

/** An instance that shares nothing has the whole limit. */
export function createUnsharedLimits(maxConcurrency: number): SharedLimits {
  return {
    use() {},
    maxConcurrencyOf: () => maxConcurrency,
    onDemand() {},
    onCooldown() {},
    canProbe: () => true,
    onProbingEnd() {},
    reducedShares: () => 0,
  };
}
