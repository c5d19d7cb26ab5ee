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
  /** 0 to 1. */
  next(): number;
  pick<T>(items: readonly T[]): T;
}

/** All that may happen to one request, each as often as the others. */
const RANDOM_FAULTS: readonly FaultyResponder[] = [
  hang,
  rawBytes(headOf),
  rawBytes((answer) => headOf(answer) + answer.body.subarray(0, answer.body.length / 2)),
  rawBytes((answer) => headOf(answer) + answer.body.subarray(0, answer.body.length / 2), reset),
  rawBytes('HTTP/1.1 200 OK\r\ncontent-ty', close),
  rawBytes('220 mail ESMTP\r\n', close),
  drip(function* (answer) {
    yield headOf(answer);
    for (let at = 0; at < answer.body.length; at += 512) yield answer.body.subarray(at, at + 512);
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

/** Of all requests, so many have a mishap. */
const FAULT_RATIO = 0.1;
/** Once a minute nothing works for a while. */
const OUTAGE_EVERY_MS = 60_000;
const OUTAGE_MS = 3_000;

/** An upstream that has mishaps all the time, and outages now and then. */
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
