import { type FaultyResponder, respondNormally } from '../support/faulty-upstream.ts';
import { type FaultGroup, responseFault, responseFaults } from './fault.ts';
import { close, onFirstRequest, reset, status } from './faulty-responses.ts';

const HOUR_MS = 3_600_000;

const AFTER_RETRIES = { outcome: 'its value', requests: 2, bound: 'as long as it asks' } as const;
const UNAVAILABLE = { outcome: { code: 'UPSTREAM_UNAVAILABLE' } } as const;

/** It asks to be asked later, or fails only once. */
export const rateLimits: FaultGroup = {
  title: 'Patience',
  faults: [
    responseFaults(
      'fails once:',
      {
        '500': onFirstRequest(status(500)),
        '503': onFirstRequest(status(503)),
        '408': onFirstRequest(status(408)),
        '409': onFirstRequest(status(409)),
        'closing the connection': onFirstRequest(({ socket }) => close(socket)),
        'resetting it': onFirstRequest(({ socket }) => reset(socket)),
      },
      { outcome: 'its value', requests: 2, bound: 'after its retries' },
    ),
    responseFault(
      'closes connections that were kept at the moment they are used again',
      closeOnSecondRequest,
      {
        outcome: 'its value',
        requests: 2,
        bound: 'after its retries',
        isWarm: true,
      },
    ),
    responseFaults(
      'answers 429 once, and asks for little patience:',
      {
        '`Retry-After: 1`': onFirstRequest(status(429, { 'retry-after': '1' })),
        '`Retry-After-Ms: 200`': onFirstRequest(
          status(429, { 'retry-after-ms': '200', 'retry-after': '3600' }),
        ),
        'a date': onFirstRequest(laterHttpDate(1_000)),
        'a date by its clock, an hour behind': onFirstRequest(laterHttpDate(1_000, -HOUR_MS)),
        'a date by its clock, an hour ahead': onFirstRequest(laterHttpDate(1_000, HOUR_MS)),
        'a date that has gone by': onFirstRequest(laterHttpDate(-HOUR_MS)),
        'a negative number': onFirstRequest(status(429, { 'retry-after': '-5' })),
        nonsense: onFirstRequest(status(429, { 'retry-after': 'soon' })),
        'for how long it does not say': onFirstRequest(status(429)),
      },
      AFTER_RETRIES,
    ),
    responseFault(
      'answers 429 again and again, `Retry-After: 1`',
      status(429, { 'retry-after': '1' }),
      {
        outcome: { code: 'RATE_LIMITED', retryAfter: 1 },
        isRetried: true,
        bound: 'as long as it asks',
        skipMs: 1_000,
      },
    ),
    responseFault(
      'answers 429, and asks for more patience than the operation has',
      status(429, { 'retry-after': '60' }),
      {
        outcome: { code: 'RATE_LIMITED', retryAfter: 60 },
        again: 0,
        skipMs: 60_000,
        remark: 'nothing is sent with that key meanwhile',
      },
    ),
    responseFault('answers 429, and asks for a year', status(429, { 'retry-after': '31536000' }), {
      outcome: { code: 'RATE_LIMITED', retryAfter: 300 },
      again: 0,
      skipMs: 300_000,
      remark: 'it is asked again after five minutes',
    }),
    responseFault(
      'answers 429 and `X-Should-Retry: false`',
      status(429, { 'x-should-retry': 'false', 'retry-after': '1' }),
      {
        outcome: { code: 'RATE_LIMITED', retryAfter: 1 },
        skipMs: 1_000,
      },
    ),
    responseFault(
      'fails (503), `Retry-After: 1`, once',
      onFirstRequest(status(503, { 'retry-after': '1' })),
      AFTER_RETRIES,
    ),
    responseFault(
      'fails (503), and asks for more patience than the operation has',
      status(503, { 'retry-after': '60' }),
      UNAVAILABLE,
    ),
    responseFault(
      'fails (500), `X-Should-Retry: false`',
      status(500, { 'x-should-retry': 'false' }),
      UNAVAILABLE,
    ),
    responseFault(
      'refuses (400), `X-Should-Retry: true`',
      status(400, { 'x-should-retry': 'true' }),
      {
        outcome: { code: 'UPSTREAM_REJECTED', status: 400 },
        isRetried: true,
      },
    ),
    responseFault(
      'refuses (422) once, `X-Should-Retry: true`',
      onFirstRequest(status(422, { 'x-should-retry': 'true' })),
      {
        outcome: 'its value',
        requests: 2,
        bound: 'after its retries',
      },
    ),
  ],
};

/** 429 until a date, so many ms from now by a clock that may be wrong. */
function laterHttpDate(ms: number, skewMs = 0): FaultyResponder {
  const toHttpDate = (at: number) => new Date(at).toUTCString();
  return (exchange) => {
    const now = Date.now() + skewMs;
    return status(429, { date: toHttpDate(now), 'retry-after': toHttpDate(now + ms) })(exchange);
  };
}

/** Answers the first request of a connection, and closes it on the second: it had not seen it coming. */
function closeOnSecondRequest(exchange: Parameters<FaultyResponder>[0]): void | Promise<void> {
  const { socket } = exchange;
  if (socket.bytesWritten > 0) return close(socket);
  return respondNormally(exchange);
}
