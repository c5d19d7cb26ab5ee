import type { CancellationSignal } from '#cancellation.ts';

/** The owner of a cached response: a credential, without access to the API key. */
export interface CacheOwner {
  readonly fingerprint: string;
  /** Derives a key of 32 bytes from the credential, a different one for each purpose. */
  deriveKey(purpose: string): Buffer;
}

/** A response in the tier that several instances share. */
export interface SecondTierEntry {
  /** A JSON value; null in a not-found entry. */
  readonly value: unknown;
  /** The upstream's status: 2xx, or the 404 or 410 of a single object. */
  readonly status: number;
  /**
   * Time since the request was sent, in ms. `write` takes it by the writer's clock; `read` adds the
   * time since the write.
   */
  readonly ageMs: number;
  /** Time from the request to the end of freshness, in ms. */
  readonly freshForMs: number;
  readonly isLive: boolean;
}

/**
 * The load of a response that other instances may load at the same time (single-flight over
 * instances). One of them claims the upstream request. The others wait for its response for a
 * bounded time, and then send a request themselves.
 */
export interface Flight {
  /** As `SecondTier.read`. Claims the upstream request in the same round trip. */
  read(): Promise<SecondTierEntry | undefined>;
  /**
   * To be called after a read without a usable entry. Waits if another instance has the claim.
   * @param maxMs no wait is longer, in ms
   * @returns whether to read again; otherwise the upstream must be requested now
   * @throws the reason of the signal
   */
  waitForOther(signal: CancellationSignal, maxMs: number): Promise<boolean>;
  /**
   * Releases the claim: the other instances wait no longer. Only the first call counts.
   * @param isStored whether the response of the upstream has been passed to `write`
   */
  end(isStored: boolean): void;
}

/**
 * A cache behind the memory of the process, shared by all instances of the gateway. An entry can be
 * read only with the credential it was written for.
 *
 * The second tier never causes an error: a lookup that fails or takes too long counts as a miss.
 */
export interface SecondTier {
  /**
   * @param key the path and query of the request
   * @param isBackground whether no client waits for it: then the lookup may take longer
   * @returns undefined if there is no entry, or the lookup fails or takes too long; never rejects
   */
  read(
    owner: CacheOwner,
    key: string,
    isBackground?: boolean,
  ): Promise<SecondTierEntry | undefined>;
  /**
   * Absent: instances do not wait for each other.
   * @param isAccepted whether the upstream is known to accept the credential. Otherwise the flight
   *   claims nothing, unless the credential has entries.
   */
  openFlight?: ((owner: CacheOwner, key: string, isAccepted: boolean) => Flight) | undefined;
  /**
   * Stores an entry in the background.
   * @param ttlMs time to live from now, in ms
   */
  write(owner: CacheOwner, key: string, entry: SecondTierEntry, ttlMs: number): void;
  /**
   * Invalidates all entries of a rejected credential, for all instances.
   * @param wasKnown whether this process knows that the credential was accepted before: an
   *   unaccepted credential has no entries
   */
  revoke(owner: CacheOwner, wasKnown: boolean): void;
  close(): Promise<void>;
}
