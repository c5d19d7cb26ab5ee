import { brotliCompressSync, gzipSync } from 'node:zlib';
import { body, changed, close, drip, hang, headOf, raw, reset, status } from '../faults/misbehaviours.ts';
import { answerHonestly, type Exchange, type Misbehave } from '../kit/adverse-upstream.ts';

export interface Chance {
  /** 0 to 1. */
  next(): number;
  pick<T>(items: readonly T[]): T;
}

/** All that may happen to one request, each as often as the others. */
const MISHAPS: readonly Misbehave[] = [
  hang,
  raw(headOf),
  raw((answer) => headOf(answer) + answer.body.subarray(0, answer.body.length / 2)),
  raw((answer) => headOf(answer) + answer.body.subarray(0, answer.body.length / 2), reset),
  raw('HTTP/1.1 200 OK\r\ncontent-ty', close),
  raw('220 mail ESMTP\r\n', close),
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
  changed(({ headers, body: whole }) => ({ headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(whole) })),
  changed(({ headers, body: whole }) => ({ headers: { ...headers, 'content-encoding': 'br' }, body: brotliCompressSync(whole) })),
  changed(({ headers }) => ({ headers: { ...headers, 'content-encoding': 'gzip' } })),
];

/** Of all requests, so many have a mishap. */
const MISHAPS_OF_ALL = 0.1;
/** Once a minute nothing works for a while. */
const OUTAGE_EVERY_MS = 60_000;
const OUTAGE_MS = 3_000;

/** An upstream that has mishaps all the time, and outages now and then. */
export function createBadDays(chance: Chance, elapsed: () => number): (exchange: Exchange) => Misbehave {
  return () => {
    const outage = Math.floor(elapsed() / OUTAGE_EVERY_MS);
    const isOut = elapsed() % OUTAGE_EVERY_MS > OUTAGE_EVERY_MS - OUTAGE_MS;
    if (isOut) return outage % 2 === 0 ? status(503) : ({ socket }) => reset(socket);
    if (chance.next() < MISHAPS_OF_ALL) return chance.pick(MISHAPS);
    const ms = chance.next() * 30;
    return (exchange) => void setTimeout(() => void answerHonestly(exchange), ms);
  };
}
