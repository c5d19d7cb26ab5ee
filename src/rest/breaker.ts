import { type Circuit, type CircuitOptions, createCircuit, type Passage } from './circuit.ts';
import { createForgetfulMap } from './forgetful-map.ts';
import type { Endpoint } from './question.ts';
import type { FailureKind, UpstreamState } from './upstream-events.ts';

/**
 * Keeps requests from an upstream that does not answer them anyway. What fails on the way there fails for everyone: connections count
 * together. What the upstream fails to answer may be one caller's, or one endpoint's, own trouble: so that is counted for each endpoint as
 * each credential sees it, and nobody is kept from the upstream by what happens to another.
 */
export interface Breaker {
  /** Whether a request would be let through now. */
  isPassable(credential: string, endpoint: Endpoint): boolean;
  /** @returns who hears how the request that is let through ends; undefined when none is */
  enter(credential: string, endpoint: Endpoint): ((failure: FailureKind | undefined) => void) | undefined;
  readonly state: UpstreamState['breaker'];
}

export type BreakerOptions = CircuitOptions;

/** Longer than a circuit can be open: an endpoint that nobody asks for so long is tried like a new one. */
const IDLE_MS = 60_000;
const MOST_CIRCUITS = 10_000;

export function createBreaker(options: BreakerOptions): Breaker {
  const way = createCircuit(options);
  /** Of the endpoints that have failed lately, as a credential sees them; all others are closed. */
  const endpoints = createForgetfulMap<Circuit>({ idleMs: IDLE_MS, most: MOST_CIRCUITS, elapsed: options.elapsed });

  return {
    isPassable: (credential, endpoint) => way.isPassable && (endpoints.get(toKey(credential, endpoint))?.isPassable ?? true),
    enter(credential, endpoint) {
      const key = toKey(credential, endpoint);
      const circuit = endpoints.get(key);
      if (circuit && !circuit.isPassable) return undefined;
      const ontoTheWay = way.enter();
      if (!ontoTheWay) return undefined;
      const there = circuit?.enter();
      return (failure) => {
        ontoTheWay[toVerdictOnWay(failure)]();
        const verdict = toVerdictOnEndpoint(failure);
        if (there) there[verdict]();
        else if (verdict === 'fail') failing(key).fail();
      };
    },
    get state() {
      if (way.state !== 'closed') return way.state;
      for (const { state } of endpoints.values()) if (state !== 'closed') return 'partly-open';
      return 'closed';
    },
  };

  /** Known from its first failure on. By now others may have failed, too. */
  function failing(key: string): Circuit {
    let circuit = endpoints.get(key);
    if (!circuit) {
      circuit = createCircuit(options);
      endpoints.set(key, circuit);
    }
    return circuit;
  }
}

function toVerdictOnWay(failure: FailureKind | undefined): keyof Passage {
  if (failure === 'connection' || failure === 'connect-timeout') return 'fail';
  // Nobody knows how far it has come.
  return failure === 'aborted' || failure === 'timeout' ? 'ignore' : 'succeed';
}

function toVerdictOnEndpoint(failure: FailureKind | undefined): keyof Passage {
  if (failure === 'timeout' || failure === 'server-error') return 'fail';
  return failure === 'aborted' || failure === 'connection' || failure === 'connect-timeout' ? 'ignore' : 'succeed';
}

function toKey(credential: string, endpoint: Endpoint): string {
  return `${credential} ${endpoint}`;
}
