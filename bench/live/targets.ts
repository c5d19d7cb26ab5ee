import type { StartOptions } from '../harness/start.ts';
import { HEADERS, startGateway } from '../targets.ts';
import type { LiveTransport } from './subscribers.ts';

/** A server with subscriptions. */
export interface LiveTarget {
  readonly name: string;
  readonly transport: LiveTransport;
  start(upstreamUrl: string): StartOptions;
}

export interface Scale {
  readonly subscribers: number;
  readonly calls: number;
  /** Duration of each load, in s. */
  readonly seconds: number;
  readonly churnSeconds: number;
}

/** Polls of one call are a second apart in all servers. */
export const INTERVAL_MS = 1_000;

const HEAP_MIB = 256;

/** Further flags of Node for this gateway; the last value of a flag applies. */
const furtherFlags = (process.env.GATEWAY_FLAGS ?? '').split(' ').filter((flag) => flag !== '');

/**
 * As in production, with the limits raised to the number of subscribers: all of them have the same
 * key and address.
 */
export const thisGateway: LiveTarget = {
  name: '**this gateway**',
  transport: 'SSE',
  start(upstreamUrl) {
    const options = startGateway({
      MAX_CONNECTIONS: '14000',
      MAX_CONNECTIONS_PER_ADDRESS: 'off',
      MAX_SUBSCRIPTIONS: '10500',
      MAX_SUBSCRIPTIONS_PER_CALLER: '10500',
      MAX_LIVE_OBJECTS: '4000',
      LIVE_CALL_MS: String(INTERVAL_MS),
      LIVE_RATE: '2000',
      LIVE_RATE_TOTAL: '2000',
      REVOX_MAX_CONCURRENCY: '400',
    })(upstreamUrl);
    const flags = ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`, ...furtherFlags];
    return { ...options, flags };
  },
};

/** The peers have no limits. Their heap is not bounded: with less they would end. */
function startPeer(file: string): LiveTarget['start'] {
  return (upstreamUrl) => ({
    args: [`bench/peers/${file}`],
    environment: { UPSTREAM_URL: upstreamUrl },
    headers: HEADERS,
    flags: ['--expose-gc'],
  });
}

export const lowerBound: LiveTarget = {
  name: 'lower bound: `node:http`, one event for all',
  transport: 'SSE',
  start: startPeer('live-raw.ts'),
};

/** In the order of the table. */
export const liveTargets: readonly LiveTarget[] = [
  thisGateway,
  { name: '**this gateway**', transport: 'WebSocket', start: thisGateway.start },
  { name: 'plain Yoga', transport: 'SSE', start: startPeer('live-yoga.ts') },
  { name: 'Mercurius', transport: 'WebSocket', start: startPeer('live-mercurius.ts') },
  lowerBound,
];

export { HEADERS };
