import { LRUCache } from 'lru-cache';

/**
 * Number of credentials whose observations must agree before their value is used for a credential
 * without one.
 */
const QUORUM = 2;
/** Maximum number of credentials that a quorum compares: the most recently used ones. */
const MAX_COMPARED_CREDENTIALS = 15;
const MAX_CREDENTIALS = 10_000;
/** An observation expires if it has not been repeated for this time. */
const RETENTION_MS = 3_600_000;
/**
 * The first period of trust, in ms. An observation that agrees after the end of a period doubles
 * the next period.
 */
export const MIN_TRUST_MS = 10_000;
export const MAX_TRUST_MS = 600_000;

/**
 * A value that was observed with one credential, and how long it is trusted: not at all after a
 * first, unconfirmed observation.
 */
export interface Observation<V> {
  readonly value: V;
  readonly trustMs: number;
}

interface Entry<V> {
  /** Undefined: the value has been contradicted, and no observation has followed. */
  readonly value: V | undefined;
  readonly trustMs: number;
  readonly observedAt: number;
  readonly trustedUntil: number;
  /**
   * Whether an operation verifies the value. Meanwhile, other operations trust it, for at most
   * `MIN_TRUST_MS`.
   */
  readonly isBeingVerified?: boolean;
}

/**
 * The observations of one property of the upstream, by credential, and the value that each
 * credential uses.
 *
 * A credential's own observation always overrides those of other credentials. A credential without
 * an observation starts from the value that most of the others, and at least two, agree on. A fact
 * contains no upstream data.
 */
export class Fact<V extends {}> {
  readonly #monotonicNow: () => number;
  // Bounded by size, not by `max`: `max` allocates the memory of all entries at once.
  readonly #entries = new LRUCache<string, Entry<V>>({
    maxSize: MAX_CREDENTIALS,
    sizeCalculation: () => 1,
  });

  /** @param monotonicNow a monotonic clock, in ms */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow;
  }

  /**
   * The credential's own value, else the value that others agree on. Undefined: unknown, or
   * contradicted.
   */
  valueFor(credential: string): V | undefined {
    const own = this.#entryOf(credential);
    return own ? own.value : this.#quorumValue();
  }

  /**
   * Whether the value was observed with the credential itself, recently enough that no verification
   * is due.
   */
  isTrustedFor(credential: string): boolean {
    const own = this.#entryOf(credential);
    return own?.value !== undefined && this.#monotonicNow() < own.trustedUntil;
  }

  /** Whether a contradiction was observed with the credential, and no value since. */
  isInvalidatedFor(credential: string): boolean {
    const own = this.#entryOf(credential);
    return own !== undefined && own.value === undefined;
  }

  /**
   * @param isConfirmed false: a first observation is used, but not trusted until the next one
   *   agrees
   * @returns the observation if it is new or trusted for longer
   */
  observe(credential: string, value: V, { isConfirmed = true } = {}): Observation<V> | undefined {
    const own = this.#entryOf(credential);
    const now = this.#monotonicNow();
    if (own?.value === value && now < own.trustedUntil && !own.isBeingVerified) {
      this.#entries.set(credential, { ...own, observedAt: now });
      return undefined;
    }
    const isRepeated = own?.value === value;
    const trustMs = isRepeated
      ? Math.min(MAX_TRUST_MS, Math.max(MIN_TRUST_MS, 2 * own.trustMs))
      : isConfirmed
        ? MIN_TRUST_MS
        : 0;
    this.#entries.set(credential, { value, trustMs, observedAt: now, trustedUntil: now + trustMs });
    return { value, trustMs };
  }

  /**
   * Upstream responses contradict the value: the observations of the credential start over,
   * regardless of the values of others.
   */
  invalidate(credential: string): void {
    const now = this.#monotonicNow();
    this.#entries.set(credential, {
      value: undefined,
      trustMs: 0,
      observedAt: now,
      trustedUntil: now,
    });
  }

  /**
   * Adopts an observation that the credential made in another instance, with the same trust period.
   */
  adopt(credential: string, { value, trustMs }: Observation<V>, ageMs: number): void {
    const remainingMs = Math.max(0, Math.min(MAX_TRUST_MS, trustMs) - ageMs);
    const own = this.#entryOf(credential);
    // This instance's own recent observation takes precedence.
    if (own && (own.value === undefined || remainingMs === 0 || this.isTrustedFor(credential)))
      return;
    const now = this.#monotonicNow();
    this.#entries.set(credential, {
      value,
      trustMs,
      observedAt: now - ageMs,
      trustedUntil: now + remainingMs,
    });
  }

  /**
   * Marks the credential's value, if it has one, as being verified by this operation; other
   * operations use the value meanwhile.
   */
  beginVerification(credential: string): boolean {
    const own = this.#entryOf(credential);
    if (own?.value === undefined) return false;
    this.#setBeingVerified(credential, own, MIN_TRUST_MS);
    return true;
  }

  /** Lets another operation verify the value, unless this operation has observed one. */
  endVerification(credential: string): void {
    const own = this.#entryOf(credential);
    if (own?.isBeingVerified) this.#setBeingVerified(credential, own, 0);
  }

  #setBeingVerified(credential: string, own: Entry<V>, ms: number): void {
    this.#entries.set(credential, {
      ...own,
      trustedUntil: this.#monotonicNow() + ms,
      isBeingVerified: ms > 0,
    });
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
