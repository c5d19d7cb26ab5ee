import type { CircuitChange, CircuitState } from '#rest/upstream-events.ts';

/**
 * Circuit breaker: closed until too many requests fail, then open, then half-open for one probe.
 */
export interface CircuitBreaker {
  readonly state: CircuitState;
  /** Whether a request may be sent now. */
  readonly allowsRequest: boolean;
  /**
   * @returns a permit that takes the request's outcome; undefined if the request must not be sent
   */
  tryAcquire(): Permit | undefined;
  /** Counts a failed request that was sent before this breaker existed. */
  recordFailure(): void;
}

/** Takes the outcome of a request: exactly one method must be called, once. */
export interface Permit {
  succeed(): void;
  fail(): void;
  /**
   * The outcome says nothing about the upstream: the request was aborted, or failed for a reason of
   * its own.
   */
  ignore(): void;
}

export interface CircuitBreakerOptions {
  /**
   * Number of failures that opens the circuit, if they are at least half of all requests that ended
   * in the last 10 to 20 seconds.
   */
  readonly failures: number;
  /**
   * How long the circuit stays open at first, in ms; doubles each time the probe fails, up to 30
   * seconds.
   */
  readonly openMs: number;
  readonly onChange: (change: CircuitChange) => void;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
}

const WINDOW_MS = 10_000;
const MAX_OPEN_MS = 30_000;
const FAILURE_RATE_THRESHOLD = 0.5;
/**
 * No request takes that long: another probe replaces one that has not reported its outcome by then.
 */
const PROBE_TIMEOUT_MS = 60_000;
const EMPTY_WINDOW = { all: 0, failed: 0 };

interface OpenState {
  readonly until: number;
  readonly durationMs: number;
  /** When the probe in flight was sent. */
  probedAt: number | undefined;
}

export function createCircuitBreaker({
  failures,
  openMs,
  onChange,
  monotonicNow,
}: CircuitBreakerOptions): CircuitBreaker {
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
    const isProbing =
      openState.probedAt !== undefined && monotonicNow() - openState.probedAt < PROBE_TIMEOUT_MS;
    return monotonicNow() >= openState.until && !isProbing;
  }

  /** Permits the probe. */
  function probe(current: OpenState): Permit {
    current.probedAt = monotonicNow();
    onChange('half-open');
    return {
      succeed() {
        openState = undefined;
        [currentWindow, previousWindow, windowStart] = [
          { ...EMPTY_WINDOW },
          EMPTY_WINDOW,
          monotonicNow(),
        ];
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
    // The request was sent before the circuit opened. Only the probe decides whether the circuit
    // closes.
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
    const [total, totalFailed] = [
      currentWindow.all + previousWindow.all,
      currentWindow.failed + previousWindow.failed,
    ];
    if (failed === 0 || totalFailed < failures || totalFailed < FAILURE_RATE_THRESHOLD * total)
      return;
    open(openMs);
    onChange('opened');
  }
}
