import { LRUCache } from 'lru-cache';

/** Two credentials that agree are needed before a third one starts from what they have seen. */
const QUORUM = 2;
/** The credentials that are compared: those that were seen last. */
const MAX_COMPARED_CREDENTIALS = 15;
const MAX_CREDENTIALS = 10_000;
/** A sighting is forgotten when it has not been repeated for so long. */
const RETENTION_MS = 3_600_000;
/** Each sighting that agrees with the one before doubles the time until the next one is due. */
export const MIN_TRUST_MS = 10_000;
export const MAX_TRUST_MS = 600_000;

/** What one credential has seen, and how long it counts as verified: not at all before a second look agrees, if the first one proves little. */
export interface Observation<V> {
  readonly value: V;
  readonly trustMs: number;
}

interface Entry<V> {
  /** Undefined: what was believed has been contradicted, and nothing has been seen since. */
  readonly value: V | undefined;
  readonly trustMs: number;
  readonly observedAt: number;
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
  readonly #monotonicNow: () => number;
  // Bounded by size, not by `max`: that takes the memory of all entries at once.
  readonly #entries = new LRUCache<string, Entry<V>>({ maxSize: MAX_CREDENTIALS, sizeCalculation: () => 1 });

  /** @param monotonicNow a clock for durations, ms */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow;
  }

  /** What the credential has seen, else what others agree on. Undefined: unknown, or contradicted. */
  valueFor(credential: string): V | undefined {
    const own = this.#entryOf(credential);
    return own ? own.value : this.#quorumValue();
  }

  /** Whether the credential has seen it itself, and needs no other look for now. */
  isTrustedFor(credential: string): boolean {
    const own = this.#entryOf(credential);
    return own?.value !== undefined && this.#monotonicNow() < own.trustedUntil;
  }

  /** Whether the credential has seen a contradiction, and nothing since. */
  isInvalidatedFor(credential: string): boolean {
    const own = this.#entryOf(credential);
    return own !== undefined && own.value === undefined;
  }

  /**
   * @param isConfirmed false: a first sighting is believed, but not trusted before the next one agrees
   * @returns the sighting, when it is new, or trusted for longer
   */
  observe(credential: string, value: V, { isConfirmed = true } = {}): Observation<V> | undefined {
    const own = this.#entryOf(credential);
    const now = this.#monotonicNow();
    if (own?.value === value && now < own.trustedUntil && !own.isBeingVerified) {
      this.#entries.set(credential, { ...own, observedAt: now });
      return undefined;
    }
    const isRepeated = own?.value === value;
    const trustMs = isRepeated ? Math.min(MAX_TRUST_MS, Math.max(MIN_TRUST_MS, 2 * own.trustMs)) : isConfirmed ? MIN_TRUST_MS : 0;
    this.#entries.set(credential, { value, trustMs, observedAt: now, trustedUntil: now + trustMs });
    return { value, trustMs };
  }

  /** What is served contradicts what the credential believes: it starts from nothing, whatever others have seen. */
  invalidate(credential: string): void {
    const now = this.#monotonicNow();
    this.#entries.set(credential, { value: undefined, trustMs: 0, observedAt: now, trustedUntil: now });
  }

  /** Takes over what the credential has seen elsewhere, and trusts it as long as it is trusted there. */
  adopt(credential: string, { value, trustMs }: Observation<V>, ageMs: number): void {
    const remainingMs = Math.max(0, Math.min(MAX_TRUST_MS, trustMs) - ageMs);
    const own = this.#entryOf(credential);
    // What has been seen meanwhile is nearer.
    if (own && (own.value === undefined || remainingMs === 0 || this.isTrustedFor(credential))) return;
    const now = this.#monotonicNow();
    this.#entries.set(credential, { value, trustMs, observedAt: now - ageMs, trustedUntil: now + remainingMs });
  }

  /** One operation verifies what the credential has seen, if anything; the others go on meanwhile. */
  beginVerification(credential: string): boolean {
    const own = this.#entryOf(credential);
    if (own?.value === undefined) return false;
    this.#setBeingVerified(credential, own, MIN_TRUST_MS);
    return true;
  }

  /** Another operation is to verify it, unless this one has seen something. */
  endVerification(credential: string): void {
    const own = this.#entryOf(credential);
    if (own?.isBeingVerified) this.#setBeingVerified(credential, own, 0);
  }

  #setBeingVerified(credential: string, own: Entry<V>, ms: number): void {
    this.#entries.set(credential, { ...own, trustedUntil: this.#monotonicNow() + ms, isBeingVerified: ms > 0 });
  }

  #entryOf(credential: string): Entry<V> | undefined {
    const own = this.#entries.get(credential);
    return own && this.#isRetained(own) ? own : undefined;
  }

  #isRetained({ observedAt }: Entry<V>): boolean {
    return this.#monotonicNow() - observedAt < RETENTION_MS;
  }

  #quorumValue(): V | undefined {
    if (this.#entries.size < QUORUM) return undefined;
    const counts = new Map<V, number>();
    let compared = 0;
    for (const entry of this.#entries.values()) {
      if (entry.value === undefined || !this.#isRetained(entry)) continue;
      counts.set(entry.value, 1 + (counts.get(entry.value) ?? 0));
      compared += 1;
      if (compared === MAX_COMPARED_CREDENTIALS) break;
    }
    return [...counts].find(([, count]) => count >= QUORUM && 2 * count > compared)?.[0];
  }
}
