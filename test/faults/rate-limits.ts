import { type FaultyResponder, respondNormally } from '../support/faulty-upstream.ts';
import { type FaultGroup, responseFault, responseFaults } from './fault.ts';
import { close, onFirstRequest, reset, status } from './faulty-responses.ts';

const HOUR_MS = 3_600_000;

const AFTER_RETRIES = { outcome: 'value', requests: 2, bound: '`Retry-After`' } as const;
const UNAVAILABLE = { outcome: { code: 'UPSTREAM_UNAVAILABLE' } } as const;

/** The upstream limits the rate of requests, or fails only once. */
export const rateLimits: FaultGroup = {
  title: 'Retries and rate limits',
  faults: [
    responseFaults(
      'fails once:',
      {
        '500': onFirstRequest(status(500)),
        '503': onFirstRequest(status(503)),
        '408': onFirstRequest(status(408)),
        '409': onFirstRequest(status(409)),
        'closes the connection': onFirstRequest(({ socket }) => close(socket)),
        'resets the connection': onFirstRequest(({ socket }) => reset(socket)),
      },
      { outcome: 'value', requests: 2, bound: 'retry delays' },
    ),
    responseFault(
      'closes a kept-alive connection at the moment of its reuse',
      closeOnSecondRequest,
      {
        outcome: 'value',
        requests: 1,
        resent: 1,
        remark: 'sent again at once, which is no retry',
        isWarm: true,
      },
    ),
    responseFaults(
      'responds 429 once, with a delay within the deadline:',
      {
        '`Retry-After: 1`': onFirstRequest(status(429, { 'retry-after': '1' })),
        '`Retry-After-Ms: 200`': onFirstRequest(
          status(429, { 'retry-after-ms': '200', 'retry-after': '3600' }),
        ),
        'a date': onFirstRequest(laterHttpDate(1_000)),
        'a date by a clock that is an hour slow': onFirstRequest(laterHttpDate(1_000, -HOUR_MS)),
        'a date by a clock that is an hour fast': onFirstRequest(laterHttpDate(1_000, HOUR_MS)),
        'a date in the past': onFirstRequest(laterHttpDate(-HOUR_MS)),
        'a negative number': onFirstRequest(status(429, { 'retry-after': '-5' })),
        'invalid text': onFirstRequest(status(429, { 'retry-after': 'soon' })),
        'no `Retry-After` header': onFirstRequest(status(429)),
      },
      AFTER_RETRIES,
    ),
    responseFault(
      'responds 429 to every request, `Retry-After: 1`',
      status(429, { 'retry-after': '1' }),
      {
        outcome: { code: 'RATE_LIMITED', retryAfter: 1 },
        isRetried: true,
        bound: '`Retry-After`',
        skipMs: 1_000,
      },
    ),
    responseFault(
      'responds 429 with a delay beyond the deadline',
      status(429, { 'retry-after': '60' }),
      {
        outcome: { code: 'RATE_LIMITED', retryAfter: 60 },
        again: 0,
        skipMs: 60_000,
        remark: 'the gateway sends no request with that key during the cooldown',
      },
    ),
    responseFault(
      'responds 429 with a delay of a year',
      status(429, { 'retry-after': '31536000' }),
      {
        outcome: { code: 'RATE_LIMITED', retryAfter: 300 },
        again: 0,
        skipMs: 300_000,
        remark: 'the cooldown ends after five minutes',
      },
    ),
    responseFault(
      'responds 429 with `X-Should-Retry: false`',
      status(429, { 'x-should-retry': 'false', 'retry-after': '1' }),
      {
        outcome: { code: 'RATE_LIMITED', retryAfter: 1 },
        skipMs: 1_000,
      },
    ),
    responseFault(
      'fails once (503), `Retry-After: 1`',
      onFirstRequest(status(503, { 'retry-after': '1' })),
      AFTER_RETRIES,
    ),
    responseFault(
      'fails (503) with a delay beyond the deadline',
      status(503, { 'retry-after': '60' }),
      UNAVAILABLE,
    ),
    responseFault(
      'fails (500), `X-Should-Retry: false`',
      status(500, { 'x-should-retry': 'false' }),
      UNAVAILABLE,
    ),
    responseFault(
      'rejects the request (400), `X-Should-Retry: true`',
      status(400, { 'x-should-retry': 'true' }),
      {
        outcome: { code: 'UPSTREAM_REJECTED', status: 400 },
        isRetried: true,
      },
    ),
    responseFault(
      'rejects the request once (422), `X-Should-Retry: true`',
      onFirstRequest(status(422, { 'x-should-retry': 'true' })),
      {
        outcome: 'value',
        requests: 2,
        bound: 'retry delays',
      },
    ),
  ],
};

/** 429 until a date, `ms` from now, by a clock that may be wrong. */
function laterHttpDate(ms: number, skewMs = 0): FaultyResponder {
  const toHttpDate = (at: number) => new Date(at).toUTCString();
  return (exchange) => {
    const now = Date.now() + skewMs;
    return status(429, { date: toHttpDate(now), 'retry-after': toHttpDate(now + ms) })(exchange);
  };
}

/** Responds to the first request of a connection, and closes the connection on the second. */
function closeOnSecondRequest(exchange: Parameters<FaultyResponder>[0]): void | Promise<void> {
  const { socket } = exchange;
  if (socket.bytesWritten > 0) return close(socket);
  return respondNormally(exchange);
}
