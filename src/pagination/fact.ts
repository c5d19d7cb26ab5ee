import { LRUCache } from 'lru-cache';

/** Two credentials that agree are needed before a third one starts from what they have seen. */
const QUORUM = 2;
/** The credentials that are compared: those that were seen last. */
const MAX_WITNESSES = 15;
const MAX_CREDENTIALS = 10_000;
/** A sighting is forgotten when it has not been repeated for so long. */
const RETENTION_MS = 3_600_000;
/** Each sighting that agrees with the one before doubles the time until the next one is due. */
export const MIN_TRUST_MS = 10_000;
export const MAX_TRUST_MS = 600_000;

/** What one credential has seen, and how long it counts as verified: not at all before a second look agrees, if the first one proves little. */
export interface Sighting<V> {
  readonly value: V;
  readonly trustMs: number;
}

interface Entry<V> {
  /** Undefined: what was believed has been contradicted, and nothing has been seen since. */
  readonly value: V | undefined;
  readonly trustMs: number;
  readonly seenAt: number;
  readonly trustedUntil: number;
  /** Trusted only until an operation has verified it. */
  readonly isBeingVerified?: boolean;
}

/**
 * One property of the upstream, as the credentials have seen it.
 *
 * What a credential has seen itself always counts more than what others have seen, so no other credential can make its answers wrong. A
 * credential that has seen nothing yet starts from what at least two others agree on. It holds no upstream data.
 */
export class Fact<V extends {}> {
  readonly #elapsed: () => number;
  // Bounded by size, not by `max`: that takes the memory of all entries at once.
  readonly #entries = new LRUCache<string, Entry<V>>({ maxSize: MAX_CREDENTIALS, sizeCalculation: () => 1 });

  /** @param elapsed a clock for durations, ms */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** What the credential has seen, else what others agree on. Undefined: unknown, or contradicted. */
  believedBy(credential: string): V | undefined {
    const own = this.#own(credential);
    return own ? own.value : this.#agreed();
  }

  /** Whether the credential has seen it itself, and needs no other look for now. */
  isTrustedBy(credential: string): boolean {
    const own = this.#own(credential);
    return own?.value !== undefined && this.#elapsed() < own.trustedUntil;
  }

  /** Whether the credential has seen a contradiction, and nothing since. */
  isDoubtedBy(credential: string): boolean {
    const own = this.#own(credential);
    return own !== undefined && own.value === undefined;
  }

  /**
   * @param isConfirmed false: a first sighting is believed, but not trusted before the next one agrees
   * @returns the sighting, when it is new, or trusted for longer
   */
  see(credential: string, value: V, { isConfirmed = true } = {}): Sighting<V> | undefined {
    const own = this.#own(credential);
    const now = this.#elapsed();
    if (own?.value === value && now < own.trustedUntil && !own.isBeingVerified) {
      this.#entries.set(credential, { ...own, seenAt: now });
      return undefined;
    }
    const isRepeated = own?.value === value;
    const trustMs = isRepeated ? Math.min(MAX_TRUST_MS, Math.max(MIN_TRUST_MS, 2 * own.trustMs)) : isConfirmed ? MIN_TRUST_MS : 0;
    this.#entries.set(credential, { value, trustMs, seenAt: now, trustedUntil: now + trustMs });
    return { value, trustMs };
  }

  /** What is served contradicts what the credential believes: it starts from nothing, whatever others have seen. */
  doubt(credential: string): void {
    const now = this.#elapsed();
    this.#entries.set(credential, { value: undefined, trustMs: 0, seenAt: now, trustedUntil: now });
  }

  /** Takes over what the credential has seen elsewhere, and trusts it as long as it is trusted there. */
  adopt(credential: string, { value, trustMs }: Sighting<V>, ageMs: number): void {
    const remainingMs = Math.max(0, Math.min(MAX_TRUST_MS, trustMs) - ageMs);
    const own = this.#own(credential);
    // What has been seen meanwhile is nearer.
    if (own && (own.value === undefined || remainingMs === 0 || this.isTrustedBy(credential))) return;
    const now = this.#elapsed();
    this.#entries.set(credential, { value, trustMs, seenAt: now - ageMs, trustedUntil: now + remainingMs });
  }

  /** One operation verifies what the credential has seen, if anything; the others go on meanwhile. */
  beginVerification(credential: string): boolean {
    const own = this.#own(credential);
    if (own?.value === undefined) return false;
    this.#verify(credential, own, MIN_TRUST_MS);
    return true;
  }

  /** Another operation is to verify it, unless this one has seen something. */
  endVerification(credential: string): void {
    const own = this.#own(credential);
    if (own?.isBeingVerified) this.#verify(credential, own, 0);
  }

  #verify(credential: string, own: Entry<V>, ms: number): void {
    this.#entries.set(credential, { ...own, trustedUntil: this.#elapsed() + ms, isBeingVerified: ms > 0 });
  }

  #own(credential: string): Entry<V> | undefined {
    const own = this.#entries.get(credential);
    return own && this.#isKept(own) ? own : undefined;
  }

  #isKept({ seenAt }: Entry<V>): boolean {
    return this.#elapsed() - seenAt < RETENTION_MS;
  }

  #agreed(): V | undefined {
    if (this.#entries.size < QUORUM) return undefined;
    const counts = new Map<V, number>();
    let witnesses = 0;
    for (const entry of this.#entries.values()) {
      if (entry.value === undefined || !this.#isKept(entry)) continue;
      counts.set(entry.value, 1 + (counts.get(entry.value) ?? 0));
      witnesses += 1;
      if (witnesses === MAX_WITNESSES) break;
    }
    return [...counts].find(([, count]) => count >= QUORUM && 2 * count > witnesses)?.[0];
  }
}
