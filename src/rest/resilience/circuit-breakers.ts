import type { FailedRequest } from '#rest/exchange.ts';
import type { UpstreamState } from '#rest/upstream-events.ts';
import type { Endpoint } from '#rest/upstream-request.ts';
import { type CircuitBreaker, type CircuitBreakerOptions, createCircuitBreaker, type Permit } from './circuit-breaker.ts';
import { createPartitionedMap } from './expiring-map.ts';

/**
 * Keeps requests from an upstream that does not answer them anyway. That no connection can be made is so for everyone: that counts together.
 * What becomes of a request that was sent may be due to who asks, or what he asks for: so it is counted for each caller and endpoint, and
 * nobody is kept from the upstream by what happens to another.
 */
export interface CircuitBreakers {
  /** Whether a request would be let through now. */
  allowsRequest(breakerKey: BreakerKey, endpoint: Endpoint): boolean;
  /** @returns who hears how the request that is let through ends; undefined when none is */
  tryAcquire(breakerKey: BreakerKey, endpoint: Endpoint): ((failure: FailedRequest['kind'] | undefined) => void) | undefined;
  readonly state: UpstreamState['breaker'];
}

export interface BreakerKey {
  readonly credential: { readonly fingerprint: string };
  /** Which of those who share the credential; undefined where nobody tells them apart. */
  readonly caller: string | undefined;
}

export interface CircuitBreakersOptions extends CircuitBreakerOptions {
  /** Whether the upstream has accepted a credential. */
  readonly isAccepted: (credential: string) => boolean;
}

/** Longer than a circuit can be open: an endpoint that nobody asks for so long is tried like a new one. */
const IDLE_TTL_MS = 60_000;
const MAX_CIRCUITS = 10_000;

export function createCircuitBreakers(options: CircuitBreakersOptions): CircuitBreakers {
  const connection = createCircuitBreaker(options);
  /** Of the endpoints that have failed somebody lately, as he sees them; all others are closed. */
  const endpointBreakers = createPartitionedMap<CircuitBreaker>(
    { idleMs: IDLE_TTL_MS, maxEntries: MAX_CIRCUITS, monotonicNow: options.monotonicNow },
    (key) => options.isAccepted(toFingerprint(key)),
  );

  return {
    allowsRequest: (breakerKey, endpoint) =>
      connection.allowsRequest && (endpointBreakers.get(toKey(breakerKey, endpoint))?.allowsRequest ?? true),
    tryAcquire(breakerKey, endpoint) {
      const key = toKey(breakerKey, endpoint);
      const endpointBreaker = endpointBreakers.get(key);
      if (endpointBreaker && !endpointBreaker.allowsRequest) return undefined;
      const connectionPermit = connection.tryAcquire();
      if (!connectionPermit) return undefined;
      const endpointPermit = endpointBreaker?.tryAcquire();
      return (failure) => {
        connectionPermit[toConnectionOutcome(failure)]();
        const outcome = toEndpointOutcome(failure);
        if (endpointPermit) endpointPermit[outcome]();
        else if (outcome === 'fail') getOrCreateBreaker(key).recordFailure();
      };
    },
    get state() {
      if (connection.state !== 'closed') return connection.state;
      for (const { state } of endpointBreakers.values()) if (state !== 'closed') return 'partly-open';
      return 'closed';
    },
  };

  /** Known from its first failure on. By now others may have failed, too. */
  function getOrCreateBreaker(key: string): CircuitBreaker {
    let endpointBreaker = endpointBreakers.get(key);
    if (!endpointBreaker) {
      endpointBreaker = createCircuitBreaker(options);
      endpointBreakers.set(key, endpointBreaker);
    }
    return endpointBreaker;
  }
}

function toConnectionOutcome(failure: FailedRequest['kind'] | undefined): keyof Permit {
  if (failure === 'unreachable' || failure === 'connect-timeout') return 'fail';
  // What was too slow to answer has been reached: connecting has a time limit of its own.
  return failure === 'aborted' ? 'ignore' : 'succeed';
}

function toEndpointOutcome(failure: FailedRequest['kind'] | undefined): keyof Permit {
  if (failure === 'connection' || failure === 'timeout' || failure === 'server-error') return 'fail';
  return failure === 'aborted' || failure === 'unreachable' || failure === 'connect-timeout' ? 'ignore' : 'succeed';
}

function toKey({ credential: { fingerprint }, caller = '' }: BreakerKey, endpoint: Endpoint): string {
  return `${fingerprint} ${endpoint} ${caller}`;
}

function toFingerprint(key: string): string {
  return key.slice(0, key.indexOf(' '));
}
