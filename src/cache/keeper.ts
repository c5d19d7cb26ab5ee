import type { Endpoint, Question, Reading, SentAnswer } from '#rest/question.ts';
import type { FreshnessOf } from './freshness.ts';
import { type Entry, isMissing, type Mark, type Memory } from './memory.ts';
import type { Owner, SharedTier } from './second-tier.ts';

export interface KeeperOptions {
  readonly memory: Memory;
  readonly secondTier: SharedTier | undefined;
  readonly freshnessOf: FreshnessOf;
  /** That there is no such object is kept for so long, ms. */
  readonly notFoundMs: number;
  readonly graceMs: number;
  readonly now: () => number;
}

/** A question as it is kept: for whom, and under which key. */
export interface Kept<T> {
  readonly owner: Owner;
  readonly question: Question<T>;
  readonly key: string;
  readonly mark: Mark;
}

/** Puts answers where they are remembered, and with them the answers to other questions that stand in them. */
export interface Keeper {
  keepAnswer<T>(kept: Kept<T>, answer: SentAnswer<T>): Entry;
  /** There is no such object: that replaces what was kept of it. */
  keepMissing(kept: Kept<unknown>, status: number, askedAt: number): Entry;
  /** What other instances have kept, put into memory; undefined when they have not, or cannot be asked in time. */
  fetchShared<T>(kept: Kept<T>): Promise<Entry | undefined>;
}

/** An answer without a place among the readings: that there is nothing. */
const NO_READING: Reading = { process: '', number: 0, isRemembered: false };

/** What lies in the second tier under `value`: the reading goes along, so that pages read by one process can be put in order by another. */
interface SharedValue {
  readonly value: unknown;
  readonly reading: Reading;
  /** By the upstream's clock: what stands in the answer is judged by that, wherever it is read. */
  readonly upstreamNow: number;
}

export function createKeeper({ memory, secondTier, freshnessOf, notFoundMs, graceMs, now }: KeeperOptions): Keeper {
  let kept = 0;
  const nextSerial = () => {
    kept += 1;
    return kept;
  };
  return {
    keepAnswer({ owner, question, key, mark }, answer) {
      const { value, status, reading, askedAt, upstreamNow } = answer;
      const { freshForMs, isLive } = freshnessOf(question.endpoint, value, upstreamNow);
      const entry: Entry = { value, status, reading, askedAt, freshUntil: askedAt + freshForMs, isLive, serial: nextSerial() };
      memory.keep(owner.fingerprint, key, entry, mark);
      keepHeld(owner, question, entry, upstreamNow, mark);
      if (freshForMs > 0) {
        const ageMs = now() - askedAt;
        const shared = { value: { value, reading, upstreamNow } satisfies SharedValue, status, ageMs, freshForMs, isLive };
        secondTier?.write(owner, key, shared, freshForMs - ageMs + graceMs);
      }
      return entry;
    },
    keepMissing({ owner, key, mark }, status, askedAt) {
      const entry: Entry = {
        value: null,
        status,
        reading: NO_READING,
        askedAt,
        freshUntil: askedAt + notFoundMs,
        isLive: false,
        serial: nextSerial(),
      };
      memory.keep(owner.fingerprint, key, entry, mark);
      const shared = {
        value: { value: null, reading: NO_READING, upstreamNow: askedAt } satisfies SharedValue,
        status,
        ageMs: now() - askedAt,
        freshForMs: notFoundMs,
        isLive: false,
      };
      // Not kept at all, it still has to replace what other instances know.
      secondTier?.write(owner, key, shared, Math.max(1, entry.freshUntil - now()));
      return entry;
    },
    async fetchShared({ owner, question, key, mark }) {
      const shared = await secondTier?.read(owner, key);
      if (!shared) return undefined;
      const { value, reading, upstreamNow } = shared.value as SharedValue;
      const askedAt = now() - shared.ageMs;
      const entry: Entry = { ...shared, value, reading, askedAt, freshUntil: askedAt + shared.freshForMs, serial: nextSerial() };
      // It lies there because the upstream took the credential then.
      if (!isMissing(entry.status)) memory.accept(owner.fingerprint, askedAt, mark);
      memory.keep(owner.fingerprint, key, entry, mark);
      keepHeld(owner, question, entry, upstreamNow, mark);
      return entry;
    },
  };

  /** In memory alone: a page of rows holds fifty calls, and each would be sealed and sent a second time. */
  function keepHeld(owner: Owner, question: Question<unknown>, entry: Entry, upstreamNow: number, mark: Mark): void {
    if (isMissing(entry.status)) return;
    for (const { endpoint, path, value } of question.held?.(entry.value) ?? []) {
      const { freshForMs, isLive } = freshnessOf(endpoint, value, upstreamNow);
      const held: Entry = { ...entry, value, freshUntil: entry.askedAt + freshForMs, isLive, serial: nextSerial() };
      memory.keep(owner.fingerprint, path, held, mark);
    }
  }
}

/** Whether a 404 says that there is no such object; a list's may as well say that its page is past the end. */
export function isOfOneObject(endpoint: Endpoint): boolean {
  return endpoint.endsWith('/{id}');
}
