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
