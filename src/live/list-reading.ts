import type { ListPage } from './list-poller.ts';
import type { Watch } from './watch.ts';

/**
 * With leases, the objects of a list are not polled again for this time after a list poll, in ms:
 * the page of another instance may not be newer than their readings.
 */
export const MIN_REPEAT_MS = 100;

/** The objects that a list poll looks for. */
export class ListReading {
  /** Upstream requests for its pages. */
  requests = 0;
  /** Those whose pages are not added yet. */
  pending = 0;
  readonly #missing: Map<string, Watch>;

  constructor(watches: readonly Watch[]) {
    this.#missing = new Map(watches.map((watch) => [watch.target.id, watch]));
  }

  add({ ids }: ListPage): void {
    for (const id of ids) this.#missing.delete(id);
  }

  missing(): Iterable<Watch> {
    return this.#missing.values();
  }

  /** Whether subscribers still wait for an object that was not found. */
  isNeeded(): boolean {
    for (const { listeners } of this.#missing.values()) if (listeners.size > 0) return true;
    return false;
  }
}

/** An object that is no longer in the list has another status: a single poll reads it. */
export function recordMiss(watch: Watch, startedAt: number, now: number): void {
  if (!watch.reading) return;
  watch.listMisses += 1;
  if (watch.reading.readAt < startedAt) watch.refresh(now);
}

/** Postpones the objects that are still due after a list poll. */
export function postpone(watches: readonly Watch[], untilAt: number): void {
  for (const watch of watches) if (!watch.isForced) watch.dueAt = Math.max(watch.dueAt, untilAt);
}
