/** Lets requests through, until too many of them fail; then none for a while, and then one to see. */
export interface CircuitBreaker {
  readonly state: 'closed' | 'half-open' | 'open';
  /** Whether a request would be let through now. */
  readonly allowsRequest: boolean;
  /** @returns who hears how the request that is let through ends; undefined when none is */
  tryAcquire(): Permit | undefined;
  /** A request has failed that was sent when there was no circuit yet. */
  recordFailure(): void;
}

/** How a request has ended: one of them is to be called, once. */
export interface Permit {
  succeed(): void;
  fail(): void;
  /** It says nothing: nobody waited for it any more, or it failed for a reason of its own. */
  ignore(): void;
}

export interface CircuitBreakerOptions {
  /** So many failures open it, if they are at least half of all that ended in the last ten to twenty seconds. */
  readonly failures: number;
  /** How long it stays open at first, ms; twice as long each time the request to see fails, up to half a minute. */
  readonly openMs: number;
  readonly onChange: (change: 'opened' | 'closed') => void;
  /** A clock for durations, ms. */
  readonly monotonicNow: () => number;
}

const WINDOW_MS = 10_000;
const MAX_OPEN_MS = 30_000;
const FAILURE_RATE_THRESHOLD = 0.5;
/** No request takes that long: of one to see that nothing is heard of another takes the place. */
const PROBE_TIMEOUT_MS = 60_000;
const EMPTY_WINDOW = { all: 0, failed: 0 };

interface OpenState {
  readonly until: number;
  readonly durationMs: number;
  /** Since when the request to see is under way. */
  probedAt: number | undefined;
}

export function createCircuitBreaker({ failures, openMs, onChange, monotonicNow }: CircuitBreakerOptions): CircuitBreaker {
  let windowStart = monotonicNow();
  let currentWindow = { ...EMPTY_WINDOW };
  let previousWindow = EMPTY_WINDOW;
  let openState: OpenState | undefined;

  return {
    get state() {
      if (!openState) return 'closed';
      return monotonicNow() < openState.until ? 'open' : 'half-open';
    },
    get allowsRequest() {
      return isPassable();
    },
    tryAcquire() {
      if (!isPassable()) return undefined;
      if (!openState) return { succeed: () => count(0), fail: () => count(1), ignore() {} };
      return probe(openState);
    },
    recordFailure: () => count(1),
  };

  function isPassable(): boolean {
    if (!openState) return true;
    const isProbing = openState.probedAt !== undefined && monotonicNow() - openState.probedAt < PROBE_TIMEOUT_MS;
    return monotonicNow() >= openState.until && !isProbing;
  }

  /** Lets one through to see. */
  function probe(current: OpenState): Permit {
    current.probedAt = monotonicNow();
    return {
      succeed() {
        openState = undefined;
        [currentWindow, previousWindow, windowStart] = [{ ...EMPTY_WINDOW }, EMPTY_WINDOW, monotonicNow()];
        onChange('closed');
      },
      fail: () => open(Math.min(2 * current.durationMs, MAX_OPEN_MS)),
      ignore() {
        current.probedAt = undefined;
      },
    };
  }

  function open(durationMs: number): void {
    openState = { until: monotonicNow() + durationMs, durationMs, probedAt: undefined };
  }

  function count(failed: 0 | 1): void {
    // Sent before it was opened, and ended after: what is to be seen is seen by the one that is sent for it.
    if (openState) return;
    const age = monotonicNow() - windowStart;
    if (age >= WINDOW_MS)
      [currentWindow, previousWindow, windowStart] = [
        { ...EMPTY_WINDOW },
        age < 2 * WINDOW_MS ? currentWindow : EMPTY_WINDOW,
        monotonicNow(),
      ];
    currentWindow.all += 1;
    currentWindow.failed += failed;
    const [total, totalFailed] = [currentWindow.all + previousWindow.all, currentWindow.failed + previousWindow.failed];
    if (failed === 0 || totalFailed < failures || totalFailed < FAILURE_RATE_THRESHOLD * total) return;
    open(openMs);
    onChange('opened');
  }
}
