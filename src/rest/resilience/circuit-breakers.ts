import type { FailedRequest } from '#rest/failed-request.ts';
import type {
  CircuitChange,
  CircuitScope,
  CircuitStatus,
  UpstreamState,
} from '#rest/upstream-events.ts';
import type { Endpoint } from '#rest/upstream-request.ts';
import {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  createCircuitBreaker,
  type Permit,
} from './circuit-breaker.ts';
import { createPartitionedMap } from './expiring-map.ts';

/**
 * Circuit breakers: fail requests fast while the upstream does not respond. Connection failures
 * affect every caller, so all callers share one breaker for them. A failure after the request was
 * sent may depend on the caller or on the request, so each caller and endpoint has a breaker of its
 * own: the failures of one caller never block another.
 */
export interface CircuitBreakers {
  /** Whether a request may be sent now. */
  allowsRequest(breakerKey: BreakerKey, endpoint: Endpoint): boolean;
  /**
   * @returns a function that takes the request's outcome; undefined if the request must not be sent
   */
  tryAcquire(
    breakerKey: BreakerKey,
    endpoint: Endpoint,
  ): ((failure: FailedRequest['kind'] | undefined) => void) | undefined;
  readonly state: UpstreamState['circuits'];
}

export interface BreakerKey {
  readonly credential: { readonly fingerprint: string };
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
}

export interface CircuitBreakersOptions extends Omit<CircuitBreakerOptions, 'onChange'> {
  readonly onChange: (change: CircuitChange, scope: CircuitScope) => void;
  /** Whether the upstream has accepted a credential. */
  readonly isAccepted: (credential: string) => boolean;
}

/**
 * How long the breaker of an unused endpoint is kept, in ms. It is longer than a circuit can be
 * open.
 */
const IDLE_TTL_MS = 60_000;
const MAX_CIRCUITS = 10_000;

export function createCircuitBreakers(options: CircuitBreakersOptions): CircuitBreakers {
  const connection = createCircuitBreaker(optionsOf('connection'));
  /**
   * Per credential, caller and endpoint, only where a request has failed recently; all other
   * circuits are closed.
   */
  const endpointBreakers = createPartitionedMap<CircuitBreaker>(
    { idleMs: IDLE_TTL_MS, maxEntries: MAX_CIRCUITS, monotonicNow: options.monotonicNow },
    (key) => options.isAccepted(toFingerprint(key)),
  );

  return {
    allowsRequest: (breakerKey, endpoint) =>
      connection.allowsRequest && (findBreaker(breakerKey, endpoint)?.allowsRequest ?? true),
    tryAcquire(breakerKey, endpoint) {
      const endpointBreaker = findBreaker(breakerKey, endpoint);
      if (endpointBreaker && !endpointBreaker.allowsRequest) return undefined;
      const connectionPermit = connection.tryAcquire();
      if (!connectionPermit) return undefined;
      const endpointPermit = endpointBreaker?.tryAcquire();
      return (failure) => {
        connectionPermit[toConnectionOutcome(failure)]();
        const outcome = toEndpointOutcome(failure);
        if (endpointPermit) endpointPermit[outcome]();
        else if (outcome === 'fail')
          getOrCreateBreaker(toKey(breakerKey, endpoint)).recordFailure();
      };
    },
    get state() {
      return {
        connection: toCircuitStatus([connection]),
        endpoint: toCircuitStatus(endpointBreakers.values()),
      };
    },
  };

  function optionsOf(scope: CircuitScope): CircuitBreakerOptions {
    return { ...options, onChange: (change) => options.onChange(change, scope) };
  }

  /** Usually no request has failed recently: then no key is made. */
  function findBreaker(breakerKey: BreakerKey, endpoint: Endpoint): CircuitBreaker | undefined {
    return endpointBreakers.size === 0
      ? undefined
      : endpointBreakers.get(toKey(breakerKey, endpoint));
  }

  /**
   * The breaker exists from the first failure on. A concurrent request may have created it by now.
   */
  function getOrCreateBreaker(key: string): CircuitBreaker {
    let endpointBreaker = endpointBreakers.get(key);
    if (!endpointBreaker) {
      endpointBreaker = createCircuitBreaker(optionsOf('endpoint'));
      endpointBreakers.set(key, endpointBreaker);
    }
    return endpointBreaker;
  }
}

function toCircuitStatus(circuits: Iterable<CircuitBreaker>): CircuitStatus {
  const counts = { closed: 0, 'half-open': 0, open: 0 };
  for (const { state } of circuits) counts[state] += 1;
  const openCount = counts.open + counts['half-open'];
  if (counts.open > 0) return { state: 'open', openCount };
  return { state: openCount > 0 ? 'half-open' : 'closed', openCount };
}

function toConnectionOutcome(failure: FailedRequest['kind'] | undefined): keyof Permit {
  if (failure === 'unreachable' || failure === 'connect-timeout') return 'fail';
  // A timeout still means that the connection was made: connecting has a time limit of its own.
  return failure === 'aborted' ? 'ignore' : 'succeed';
}

function toEndpointOutcome(failure: FailedRequest['kind'] | undefined): keyof Permit {
  if (failure === 'connection' || failure === 'timeout' || failure === 'server-error')
    return 'fail';
  return failure === 'aborted' || failure === 'unreachable' || failure === 'connect-timeout'
    ? 'ignore'
    : 'succeed';
}

function toKey(
  { credential: { fingerprint }, caller = '' }: BreakerKey,
  endpoint: Endpoint,
): string {
  return `${fingerprint} ${endpoint} ${caller}`;
}

function toFingerprint(key: string): string {
  return key.slice(0, key.indexOf(' '));
}
