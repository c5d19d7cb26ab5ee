import { brotliCompressSync, gzipSync } from 'node:zlib';
import {
  body,
  close,
  drip,
  hang,
  headOf,
  rawBytes,
  reset,
  status,
  withChangedResponse,
} from '../faults/faulty-responses.ts';
import {
  type FaultyResponder,
  respondNormally,
  type UpstreamExchange,
} from '../support/faulty-upstream.ts';

export interface RandomSource {
  /** A random number from 0 to 1. */
  next(): number;
  pick<T>(items: readonly T[]): T;
}

/** The possible faults of a request, all equally likely. */
const RANDOM_FAULTS: readonly FaultyResponder[] = [
  hang,
  rawBytes(headOf),
  rawBytes((response) => headOf(response) + response.body.subarray(0, response.body.length / 2)),
  rawBytes(
    (response) => headOf(response) + response.body.subarray(0, response.body.length / 2),
    reset,
  ),
  rawBytes('HTTP/1.1 200 OK\r\ncontent-ty', close),
  rawBytes('220 mail ESMTP\r\n', close),
  drip(function* (response) {
    yield headOf(response);
    for (let at = 0; at < response.body.length; at += 512)
      yield response.body.subarray(at, at + 512);
  }, 50),
  ({ socket }) => close(socket),
  ({ socket }) => reset(socket),
  status(400),
  status(404),
  status(408),
  status(429, { 'retry-after': '1' }),
  status(429),
  status(500),
  status(502, { 'content-type': 'text/html' }, '<h1>Bad Gateway</h1>'),
  status(503, { 'retry-after': '1' }),
  status(302, { location: 'http://127.0.0.1:1/' }),
  body('<!doctype html>', { 'content-type': 'text/html' }),
  body('{"call":'),
  body(Buffer.alloc(2 ** 21, ' ')),
  withChangedResponse(({ headers, body: whole }) => ({
    headers: { ...headers, 'content-encoding': 'gzip' },
    body: gzipSync(whole),
  })),
  withChangedResponse(({ headers, body: whole }) => ({
    headers: { ...headers, 'content-encoding': 'br' },
    body: brotliCompressSync(whole),
  })),
  withChangedResponse(({ headers }) => ({ headers: { ...headers, 'content-encoding': 'gzip' } })),
];

/** The share of requests with a fault. */
const FAULT_RATIO = 0.1;
/** Once a minute the upstream is unavailable for some seconds. */
const OUTAGE_EVERY_MS = 60_000;
const OUTAGE_MS = 3_000;

/** An upstream with constant random faults and regular outages. */
export function createRandomFaults(
  chance: RandomSource,
  monotonicNow: () => number,
): (exchange: UpstreamExchange) => FaultyResponder {
  return () => {
    const outage = Math.floor(monotonicNow() / OUTAGE_EVERY_MS);
    const isOut = monotonicNow() % OUTAGE_EVERY_MS > OUTAGE_EVERY_MS - OUTAGE_MS;
    if (isOut) return outage % 2 === 0 ? status(503) : ({ socket }) => reset(socket);
    if (chance.next() < FAULT_RATIO) return chance.pick(RANDOM_FAULTS);
    const ms = chance.next() * 30;
    return (exchange) => void setTimeout(() => void respondNormally(exchange), ms);
  };
}
