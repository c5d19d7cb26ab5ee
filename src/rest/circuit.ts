/** Lets requests through, until too many of them fail; then none for a while, and then one to see. */
export interface Circuit {
  readonly state: 'closed' | 'half-open' | 'open';
  /** Whether a request would be let through now. */
  readonly isPassable: boolean;
  /** @returns who hears how the request that is let through ends; undefined when none is */
  enter(): Passage | undefined;
  /** A request has failed that was sent when there was no circuit yet. */
  fail(): void;
}

/** How a request has ended: one of them is to be called, once. */
export interface Passage {
  succeed(): void;
  fail(): void;
  /** It says nothing: nobody waited for it any more, or it failed for a reason of its own. */
  ignore(): void;
}

export interface CircuitOptions {
  /** So many failures open it, if they are at least half of all that ended in the last ten to twenty seconds. */
  readonly failures: number;
  /** How long it stays open at first, ms; twice as long each time the request to see fails, up to half a minute. */
  readonly openMs: number;
  readonly onChange: (change: 'opened' | 'closed') => void;
  /** A clock for durations, ms. */
  readonly elapsed: () => number;
}

const PERIOD_MS = 10_000;
const LONGEST_OPEN_MS = 30_000;
const FAILED_RATIO = 0.5;
/** No request takes that long: of one to see that nothing is heard of another takes the place. */
const LONGEST_TRIAL_MS = 60_000;
const NOTHING = { all: 0, failed: 0 };

interface Opening {
  readonly until: number;
  readonly ms: number;
  /** Since when the request to see is under way. */
  triedAt: number | undefined;
}

export function createCircuit({ failures, openMs, onChange, elapsed }: CircuitOptions): Circuit {
  let periodStart = elapsed();
  let period = { ...NOTHING };
  let before = NOTHING;
  let opening: Opening | undefined;

  return {
    get state() {
      if (!opening) return 'closed';
      return elapsed() < opening.until ? 'open' : 'half-open';
    },
    get isPassable() {
      return isPassable();
    },
    enter() {
      if (!isPassable()) return undefined;
      if (!opening) return { succeed: () => count(0), fail: () => count(1), ignore() {} };
      return trial(opening);
    },
    fail: () => count(1),
  };

  function isPassable(): boolean {
    if (!opening) return true;
    const isTried = opening.triedAt !== undefined && elapsed() - opening.triedAt < LONGEST_TRIAL_MS;
    return elapsed() >= opening.until && !isTried;
  }

  /** Lets one through to see. */
  function trial(current: Opening): Passage {
    current.triedAt = elapsed();
    return {
      succeed() {
        opening = undefined;
        [period, before, periodStart] = [{ ...NOTHING }, NOTHING, elapsed()];
        onChange('closed');
      },
      fail: () => open(Math.min(2 * current.ms, LONGEST_OPEN_MS)),
      ignore() {
        current.triedAt = undefined;
      },
    };
  }

  function open(ms: number): void {
    opening = { until: elapsed() + ms, ms, triedAt: undefined };
  }

  function count(failed: 0 | 1): void {
    // Sent before it was opened, and ended after: what is to be seen is seen by the one that is sent for it.
    if (opening) return;
    const age = elapsed() - periodStart;
    if (age >= PERIOD_MS) [period, before, periodStart] = [{ ...NOTHING }, age < 2 * PERIOD_MS ? period : NOTHING, elapsed()];
    period.all += 1;
    period.failed += failed;
    const [all, hasFailed] = [period.all + before.all, period.failed + before.failed];
    if (failed === 0 || hasFailed < failures || hasFailed < FAILED_RATIO * all) return;
    open(openMs);
    onChange('opened');
  }
}
