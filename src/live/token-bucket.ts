/** Requests that were not asked for beforehand delay the next ones by at most this time, in ms. */
const MAX_DEBT_MS = 10_000;

/** Token bucket: permits `perSecond` polls a second, and as many at once after a quiet second. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #updatedAt: number;

  /** @param now monotonic time, in ms */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#updatedAt = now;
  }

  /** When the next token is available, in ms of the same clock: at most `now` if one is. */
  availableAt(now: number): number {
    this.#refill(now);
    return this.#tokens >= 1 ? now : now + ((1 - this.#tokens) * 1000) / this.#perSecond;
  }

  /**
   * Takes tokens. Those that are not available yet are owed, and delay the next ones by at most
   * `MAX_DEBT_MS`.
   * @param now monotonic time, in ms
   * @param count how many. @default 1
   * @returns how many were taken: fewer than `count` at the maximum debt
   */
  take(now: number, count = 1): number {
    this.#refill(now);
    const before = this.#tokens;
    this.#tokens = Math.max(before - count, (-this.#perSecond * MAX_DEBT_MS) / 1000);
    return before - this.#tokens;
  }

  /** Returns a token that was taken for a request that was not sent. */
  giveBack(now: number): void {
    this.#refill(now);
    this.#tokens = Math.min(this.#perSecond, this.#tokens + 1);
  }

  /** Whether nothing was taken lately: the bucket is as good as a new one. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#perSecond;
  }

  #refill(now: number): void {
    const tokens = this.#tokens + ((now - this.#updatedAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, tokens);
    this.#updatedAt = now;
  }
}
