/** Whose an answer is: a credential, as far as memory has to know it. There is no way from here to the credential itself. */
export interface CacheOwner {
  readonly fingerprint: string;
  /** A key of 32 bytes that only who knows the credential can derive: one a purpose. */
  deriveKey(purpose: string): Buffer;
}

/** An answer as it goes into the tier that several instances share, and comes out of it. */
export interface SecondTierEntry {
  /** What JSON can hold; null of an answer that there is nothing. */
  readonly value: unknown;
  /** The upstream's: 2xx, or the 404 or 410 of a single object. */
  readonly status: number;
  /** How long ago the question was sent, ms: on the way in by the writer's clock, on the way out with the time it has lain there added. */
  readonly ageMs: number;
  /** How long after it was sent the answer is fresh, ms. */
  readonly freshForMs: number;
  readonly isLive: boolean;
}

/**
 * A second memory behind that of the process, shared by all instances of the gateway. Nothing in it can be read without the credential
 * it was written for.
 *
 * It is never a reason for an error: what it cannot tell in time it does not know.
 */
export interface SecondTier {
  /**
   * @param key of the question: path and query
   * @returns undefined when nothing is kept, or nothing could be learnt within the time it may take; never rejects
   */
  read(owner: CacheOwner, key: string): Promise<SecondTierEntry | undefined>;
  /**
   * Keeps an answer; nobody waits for that.
   * @param ttlMs from now; then it is gone
   */
  write(owner: CacheOwner, key: string, entry: SecondTierEntry, ttlMs: number): void;
  /**
   * The upstream has refused the credential: what was kept for it is not read any more, by any instance.
   * @param wasKnown whether it had been taken before, as far as this process knows: of what is no credential nothing is kept
   */
  revoke(owner: CacheOwner, wasKnown: boolean): void;
  close(): Promise<void>;
}
