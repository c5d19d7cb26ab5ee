/** Counts the bytes in memory, in total and by owner, and derives each owner's fair share. */
export class OwnerBytes {
  #total = 0;
  /** Only the owners that hold bytes. */
  readonly #byOwner = new Map<string, number>();

  get total(): number {
    return this.#total;
  }

  of(owner: string): number {
    return this.#byOwner.get(owner) ?? 0;
  }

  /** @param bytes negative when bytes are released */
  add(owner: string, bytes: number): void {
    if (bytes === 0) return;
    this.#total += bytes;
    const ownerBytes = this.of(owner) + bytes;
    if (ownerBytes > 0) this.#byOwner.set(owner, ownerBytes);
    else this.#byOwner.delete(owner);
  }

  /** An equal share of `maxBytes` for this owner and each other owner that holds bytes. */
  fairShareOf(owner: string, maxBytes: number): number {
    const owners = this.#byOwner.size + (this.#byOwner.has(owner) ? 0 : 1);
    return maxBytes / owners;
  }
}
