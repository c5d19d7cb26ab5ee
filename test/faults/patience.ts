import { answerHonestly, type Misbehave } from '../kit/adverse-upstream.ts';
import { answering, answeringEach, type FaultGroup } from './fault.ts';
import { close, onFirst, reset, status } from './misbehaviours.ts';

const HOUR_MS = 3_600_000;

const IN_THE_END = { says: 'its value', requests: 2, within: 'as long as it asks' } as const;
const UNAVAILABLE = { says: { code: 'UPSTREAM_UNAVAILABLE' } } as const;

/** It asks to be asked later, or fails only once. */
export const patience: FaultGroup = {
  title: 'Patience',
  faults: [
    answeringEach(
      'fails once:',
      {
        '500': onFirst(status(500)),
        '503': onFirst(status(503)),
        '408': onFirst(status(408)),
        '409': onFirst(status(409)),
        'closing the connection': onFirst(({ socket }) => close(socket)),
        'resetting it': onFirst(({ socket }) => reset(socket)),
      },
      { says: 'its value', requests: 2, within: 'after its retries' },
    ),
    answering('closes connections that were kept at the moment they are used again', atTheWrongMoment, {
      says: 'its value',
      requests: 2,
      within: 'after its retries',
      isWarm: true,
    }),
    answeringEach(
      'answers 429 once, and asks for little patience:',
      {
        '`Retry-After: 1`': onFirst(status(429, { 'retry-after': '1' })),
        '`Retry-After-Ms: 200`': onFirst(status(429, { 'retry-after-ms': '200', 'retry-after': '3600' })),
        'a date': onFirst(later(1_000)),
        'a date by its clock, an hour behind': onFirst(later(1_000, -HOUR_MS)),
        'a date by its clock, an hour ahead': onFirst(later(1_000, HOUR_MS)),
        'a date that has gone by': onFirst(later(-HOUR_MS)),
        'a negative number': onFirst(status(429, { 'retry-after': '-5' })),
        nonsense: onFirst(status(429, { 'retry-after': 'soon' })),
        'for how long it does not say': onFirst(status(429)),
      },
      IN_THE_END,
    ),
    answering('answers 429 again and again, `Retry-After: 1`', status(429, { 'retry-after': '1' }), {
      says: { code: 'RATE_LIMITED', retryAfter: 1 },
      isRetried: true,
      within: 'as long as it asks',
      skipMs: 1_000,
    }),
    answering('answers 429, and asks for more patience than the operation has', status(429, { 'retry-after': '60' }), {
      says: { code: 'RATE_LIMITED', retryAfter: 60 },
      again: 0,
      skipMs: 60_000,
      remark: 'nothing is sent with that key meanwhile',
    }),
    answering('answers 429, and asks for a year', status(429, { 'retry-after': '31536000' }), {
      says: { code: 'RATE_LIMITED', retryAfter: 300 },
      again: 0,
      skipMs: 300_000,
      remark: 'it is asked again after five minutes',
    }),
    answering('answers 429 and `X-Should-Retry: false`', status(429, { 'x-should-retry': 'false', 'retry-after': '1' }), {
      says: { code: 'RATE_LIMITED', retryAfter: 1 },
      skipMs: 1_000,
    }),
    answering('fails (503), `Retry-After: 1`, once', onFirst(status(503, { 'retry-after': '1' })), IN_THE_END),
    answering(
      'fails (503), and asks for more patience than the operation has',
      status(503, { 'retry-after': '60' }),
      UNAVAILABLE,
    ),
    answering('fails (500), `X-Should-Retry: false`', status(500, { 'x-should-retry': 'false' }), UNAVAILABLE),
    answering('refuses (400), `X-Should-Retry: true`', status(400, { 'x-should-retry': 'true' }), {
      says: { code: 'UPSTREAM_REJECTED', status: 400 },
      isRetried: true,
    }),
    answering('refuses (422) once, `X-Should-Retry: true`', onFirst(status(422, { 'x-should-retry': 'true' })), {
      says: 'its value',
      requests: 2,
      within: 'after its retries',
    }),
  ],
};

/** 429 until a date, so many ms from now by a clock that may be wrong. */
function later(ms: number, skewMs = 0): Misbehave {
  const toHttpDate = (at: number) => new Date(at).toUTCString();
  return (exchange) => {
    const now = Date.now() + skewMs;
    return status(429, { date: toHttpDate(now), 'retry-after': toHttpDate(now + ms) })(exchange);
  };
}

/** Answers the first request of a connection, and closes it on the second: it had not seen it coming. */
function atTheWrongMoment(exchange: Parameters<Misbehave>[0]): void | Promise<void> {
  const { socket } = exchange;
  if (socket.bytesWritten > 0) return close(socket);
  return answerHonestly(exchange);
}
