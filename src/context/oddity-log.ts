import type { DriftKind, OddityReport, Unrecognized } from '#binding/oddities.ts';

const MOST_REPORTED = 100;
const LONGEST_VALUE = 100;

/** How often a field was odd in one way. Nothing of what stood there is in it: it may be counted and shown. */
export interface Drift {
  readonly type: string;
  readonly field: string;
  readonly kind: DriftKind;
  readonly count: number;
}

/** What was odd in the answers of one operation. */
export interface OddityLog extends OddityReport {
  /** Told once each, and no more than a hundred of them. */
  readonly reported: readonly Unrecognized[];
  /** All of it, in the order in which it was first met; no longer than the schema has fields, times the kinds. */
  readonly drift: readonly Drift[];
}

export function createOddityLog(): OddityLog {
  return new OneOddityLog();
}

class OneOddityLog implements OddityLog {
  readonly #reported = new Map<string, Unrecognized>();
  readonly #drift = new Map<string, { -readonly [Key in keyof Drift]: Drift[Key] }>();

  get reported(): readonly Unrecognized[] {
    return [...this.#reported.values()];
  }

  get drift(): readonly Drift[] {
    return [...this.#drift.values()];
  }

  drifted(kind: DriftKind, type: string, field: string): void {
    const key = `${type}.${field} ${kind}`;
    const met = this.#drift.get(key);
    if (met) met.count += 1;
    else this.#drift.set(key, { type, field, kind, count: 1 });
  }

  unrecognized(type: string, field: string, raw: string): void {
    this.drifted('unrecognized', type, field);
    const value = raw.slice(0, LONGEST_VALUE);
    const key = `${type}.${field}=${value}`;
    if (this.#reported.size < MOST_REPORTED || this.#reported.has(key)) this.#reported.set(key, { type, field, value });
  }
}
