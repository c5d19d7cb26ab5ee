import { createExpiringMap } from '#rest/resilience/expiring-map.ts';
import type { ObjectState } from './object-kind.ts';
import type { Watch } from './watch.ts';

/** So many ends in a row must be announced before the next ones are expected to be. */
const MIN_ANNOUNCED = 3;

/**
 * A webhook announces an end that is read within this time after it, in ms: the API may show the
 * end a little later than its webhook.
 */
const ANNOUNCEMENT_MS = 10_000;

/** What is known of an assistant without calls is forgotten after this time, in ms. */
const IDLE_MS = 3_600_000;
const MAX_ASSISTANTS = 10_000;

/**
 * Which assistants announce the ends of their calls by webhooks. Each credential has observations of
 * its own.
 */
export class AnnouncedEnds {
  /** Announced ends in a row, by credential and assistant. */
  readonly #counts;

  constructor(monotonicNow: () => number) {
    this.#counts = createExpiringMap<number>({
      idleMs: IDLE_MS,
      maxEntries: MAX_ASSISTANTS,
      monotonicNow,
    });
  }

  /** A reading is the first to show that a call is over. The first unannounced end resets. */
  record({ target, hintedAt }: Watch, state: ObjectState, now: number): void {
    const key = toKey(target.fingerprint, state);
    if (key === undefined) return;
    const isAnnounced = hintedAt !== undefined && now - hintedAt <= ANNOUNCEMENT_MS;
    const count = this.#counts.get(key) ?? 0;
    if (!isAnnounced) this.#counts.delete(key);
    else this.#counts.set(key, Math.min(count + 1, MIN_ANNOUNCED));
  }

  /**
   * Whether a webhook is expected to announce the end of a call. Not after a webhook that was not
   * followed by a change: it may be forged, or the API may show the end later.
   */
  isExpected({ target, hintedAt }: Watch, state: ObjectState): boolean {
    const key = toKey(target.fingerprint, state);
    return key !== undefined && hintedAt === undefined && this.#counts.get(key) === MIN_ANNOUNCED;
  }
}

function toKey(fingerprint: string, { assistantId }: ObjectState): string | undefined {
  return assistantId === undefined ? undefined : `${fingerprint} ${assistantId}`;
}
