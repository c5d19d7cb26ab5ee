import type { OddityReport, Unrecognized } from '#binding/oddities.ts';

const MOST_REPORTED = 100;
const LONGEST_VALUE = 100;

/** What was odd in the answers of one operation: told once each, and no more than a hundred of them. */
export interface OddityLog extends OddityReport {
  readonly reported: readonly Unrecognized[];
  /** How often each field could not be read, by `Type.field`. */
  readonly unreadableCounts: ReadonlyMap<string, number>;
}

export function createOddityLog(): OddityLog {
  const reported = new Map<string, Unrecognized>();
  const unreadableCounts = new Map<string, number>();
  return {
    get reported() {
      return [...reported.values()];
    },
    unreadableCounts,
    unrecognized(type, field, raw) {
      const value = raw.slice(0, LONGEST_VALUE);
      const key = `${type}.${field}=${value}`;
      if (reported.size < MOST_REPORTED || reported.has(key)) reported.set(key, { type, field, value });
    },
    unreadable(type, field) {
      const key = `${type}.${field}`;
      unreadableCounts.set(key, (unreadableCounts.get(key) ?? 0) + 1);
    },
  };
}
