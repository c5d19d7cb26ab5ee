import type { Log, LogFields } from './log.ts';

/**
 * Logs conditions: a failing upstream, an open circuit breaker, a Redis that is down. Each condition
 * is one line when it begins, one line for each further cause, and one line when it ends, however
 * many requests it concerns.
 */
export interface ConditionLog {
  create<Cause extends string>(options: ConditionOptions): Condition<Cause>;
  /** The conditions that have occurred, active or not. */
  readStates(): readonly ConditionState[];
  /** Stops the timers. Active conditions get no last line. */
  close(): void;
}

export interface ConditionOptions {
  /** From a closed set: a label of the metrics. */
  readonly name: string;
  /** The level of the first line, and of those of further causes. The last line is `info`. */
  readonly level: 'warn' | 'error';
  /** The last line. */
  readonly describeEnd: (duration: string, count: number) => string;
}

/** @typeParam Cause a closed set: a label of the metrics */
export interface Condition<Cause extends string = string> {
  readonly isActive: boolean;
  /** The last cause; undefined before the first. */
  readonly cause: string | undefined;
  /** Records one occurrence: begins the condition, or continues it. */
  report(cause: Cause, occurrence: Occurrence): void;
  /**
   * Ends the condition. A condition that begins again and again ends only once it has not occurred
   * for some time.
   * @param at when it ended, by the monotonic clock, in ms, if that was before now
   */
  end(at?: number): void;
}

export interface Occurrence {
  /**
   * Called only if a line is written: for each cause once, until the condition ends.
   * @param isFirst false: the condition has begun with another cause
   */
  readonly describe: (isFirst: boolean) => string;
  readonly fields?: LogFields;
  /** Occurrences before this one that belong to the condition, if it begins. */
  readonly earlier?: { readonly count: number; readonly startedAt: number };
}

export interface ConditionState {
  readonly name: string;
  readonly isActive: boolean;
  readonly cause: string;
  /** When it began, by the wall clock, in ms. */
  readonly since: number;
  /** When it ended; undefined while it is active. */
  readonly endedAt: number | undefined;
  readonly count: number;
}

export interface ConditionLogOptions {
  readonly log: Log;
  /** The wall clock, in ms. */
  readonly now: () => number;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** A condition that begins again within this time of its end is flapping, in ms. */
const FLAPPING_MS = 300_000;
/**
 * How long a flapping condition must not have occurred before it ends, in ms. It doubles with each
 * repetition.
 */
const MIN_HOLD_MS = 10_000;
const MAX_HOLD_MS = 300_000;

export function createConditionLog(options: ConditionLogOptions): ConditionLog {
  const conditions: LoggedCondition[] = [];
  return {
    create(conditionOptions) {
      const condition = new LoggedCondition(conditionOptions, options);
      conditions.push(condition);
      return condition;
    },
    readStates() {
      return conditions.map((condition) => condition.state).filter((state) => state !== undefined);
    },
    close() {
      for (const condition of conditions) condition.close();
    },
  };
}

/** One condition from its begin to its end. */
interface Incident {
  readonly startedAt: number;
  readonly since: number;
  readonly loggedCauses: Set<string>;
  cause: string;
  count: number;
  /** By the monotonic clock, in ms; undefined while it occurs. */
  recoveredAt: number | undefined;
  endedAt: number | undefined;
}

class LoggedCondition implements Condition {
  readonly #condition: ConditionOptions;
  readonly #options: ConditionLogOptions;
  /** The last incident. */
  #incident: Incident | undefined;
  #isActive = false;
  #holdMs = 0;
  #lastEndAt = Number.NEGATIVE_INFINITY;
  #cancelTimer = () => {};

  constructor(condition: ConditionOptions, options: ConditionLogOptions) {
    this.#condition = condition;
    this.#options = options;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  get cause(): string | undefined {
    return this.#incident?.cause;
  }

  get state(): ConditionState | undefined {
    if (!this.#incident) return undefined;
    const { cause, since, endedAt, count } = this.#incident;
    return { name: this.#condition.name, isActive: this.#isActive, cause, since, endedAt, count };
  }

  report(cause: string, { describe, fields, earlier }: Occurrence): void {
    const incident = this.#isActive && this.#incident ? this.#incident : this.#begin(earlier);
    this.#cancelTimer();
    incident.recoveredAt = undefined;
    incident.cause = cause;
    incident.count += 1;
    if (incident.loggedCauses.has(cause)) return;
    const isFirst = incident.loggedCauses.size === 0;
    incident.loggedCauses.add(cause);
    this.#write(describe(isFirst), { condition: this.#condition.name, cause, ...fields });
  }

  end(at = this.#options.monotonicNow()): void {
    const incident = this.#incident;
    if (!this.#isActive || !incident || incident.recoveredAt !== undefined) return;
    incident.recoveredAt = at;
    if (this.#holdMs === 0) this.#finish(incident, at);
    else
      this.#cancelTimer = this.#options.startTimer(this.#holdMs, () => this.#finish(incident, at));
  }

  close(): void {
    this.#cancelTimer();
  }

  #begin(earlier: Occurrence['earlier']): Incident {
    const { now, monotonicNow } = this.#options;
    const at = monotonicNow();
    const startedAt = earlier?.startedAt ?? at;
    this.#holdMs =
      at - this.#lastEndAt < FLAPPING_MS
        ? Math.min(Math.max(2 * this.#holdMs, MIN_HOLD_MS), MAX_HOLD_MS)
        : 0;
    this.#isActive = true;
    this.#incident = {
      startedAt,
      since: now() - (at - startedAt),
      loggedCauses: new Set(),
      cause: '',
      count: earlier?.count ?? 0,
      recoveredAt: undefined,
      endedAt: undefined,
    };
    return this.#incident;
  }

  #finish(incident: Incident, recoveredAt: number): void {
    const { now, monotonicNow, log } = this.#options;
    const { name, describeEnd } = this.#condition;
    this.#isActive = false;
    this.#lastEndAt = monotonicNow();
    const durationMs = recoveredAt - incident.startedAt;
    incident.endedAt = now() - (this.#lastEndAt - recoveredAt);
    const { count, cause } = incident;
    log.info(describeEnd(formatDuration(durationMs), count), {
      condition: name,
      cause,
      durationMs: Math.round(durationMs),
      count,
    });
  }

  #write(message: string, fields: LogFields): void {
    const { log } = this.#options;
    if (this.#condition.level === 'warn' && log.warn) log.warn(message, fields);
    else log.error(message, fields);
  }
}

/** `800 ms`, `42 s`, `5 min`, `3 h`. */
function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}
