import { type Circuit, type CircuitOptions, createCircuit, type Passage } from './circuit.ts';
import type { FailedRequest } from './exchange.ts';
import { createPartitionedMap } from './forgetful-map.ts';
import type { Endpoint } from './question.ts';
import type { UpstreamState } from './upstream-events.ts';

/**
 * Keeps requests from an upstream that does not answer them anyway. That no connection can be made is so for everyone: that counts together.
 * What becomes of a request that was sent may be due to who asks, or what he asks for: so it is counted for each caller and endpoint, and
 * nobody is kept from the upstream by what happens to another.
 */
export interface Breaker {
  /** Whether a request would be let through now. */
  isPassable(asker: BreakerAsker, endpoint: Endpoint): boolean;
  /** @returns who hears how the request that is let through ends; undefined when none is */
  enter(asker: BreakerAsker, endpoint: Endpoint): ((failure: FailedRequest['kind'] | undefined) => void) | undefined;
  readonly state: UpstreamState['breaker'];
}

export interface BreakerAsker {
  readonly credential: { readonly fingerprint: string };
  /** Which of those who share the credential; undefined where nobody tells them apart. */
  readonly caller: string | undefined;
}

export interface BreakerOptions extends CircuitOptions {
  /** Whether the upstream has accepted a credential. */
  readonly isAccepted: (credential: string) => boolean;
}

/** Longer than a circuit can be open: an endpoint that nobody asks for so long is tried like a new one. */
const IDLE_MS = 60_000;
const MOST_CIRCUITS = 10_000;

export function createBreaker(options: BreakerOptions): Breaker {
  const way = createCircuit(options);
  /** Of the endpoints that have failed somebody lately, as he sees them; all others are closed. */
  const endpoints = createPartitionedMap<Circuit>({ idleMs: IDLE_MS, most: MOST_CIRCUITS, elapsed: options.elapsed }, (key) =>
    options.isAccepted(toCredential(key)),
  );

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

function toVerdictOnWay(failure: FailedRequest['kind'] | undefined): keyof Passage {
  if (failure === 'unreachable' || failure === 'connect-timeout') return 'fail';
  // What was too slow to answer has been reached: connecting has a time limit of its own.
  return failure === 'aborted' ? 'ignore' : 'succeed';
}

function toVerdictOnEndpoint(failure: FailedRequest['kind'] | undefined): keyof Passage {
  if (failure === 'connection' || failure === 'timeout' || failure === 'server-error') return 'fail';
  return failure === 'aborted' || failure === 'unreachable' || failure === 'connect-timeout' ? 'ignore' : 'succeed';
}

function toKey({ credential: { fingerprint }, caller = '' }: BreakerAsker, endpoint: Endpoint): string {
  return `${fingerprint} ${endpoint} ${caller}`;
}

function toCredential(key: string): string {
  return key.slice(0, key.indexOf(' '));
}
