import { type FaultGroup, fault, responseFault, responseFaults } from './fault.ts';
import { body, hang, rawBytes, reset, status } from './faulty-responses.ts';
import { backlogOnly, noListener } from './replacement-servers.ts';

/** Cached, and stale when it is requested again. */
const CACHED = {
  isCached: true,
  settings: { FRESHNESS_ENDED_CALL_MS: '1', FRESHNESS_WHILE_REVALIDATING_MS: '0' },
} as const;
const STALE_VALUE = { ...CACHED, outcome: 'value', remark: 'the stale one' } as const;
const SLOW_BOUND = { ...STALE_VALUE, bound: 'REVOX_TIMEOUT_MS' } as const;

/** The response to an earlier request is cached. */
export const staleIfError: FaultGroup = {
  title: 'Stale cached field',
  faults: [
    fault('refuses connections', { instead: noListener }, { ...STALE_VALUE, isRetried: true }),
    fault('leaves connections in its accept backlog', { instead: backlogOnly }, SLOW_BOUND),
    fault(
      'closes connections',
      { connection: (socket) => void socket.end() },
      { ...STALE_VALUE, isRetried: true },
    ),
    responseFault('resets the connection', ({ socket }) => reset(socket), {
      ...STALE_VALUE,
      resent: 1,
      isRetried: true,
    }),
    responseFault('sends no response', hang, SLOW_BOUND),
    responseFault(
      'stops in the middle of the body',
      rawBytes('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"call":'),
      SLOW_BOUND,
    ),
    responseFaults(
      'fails:',
      Object.fromEntries([500, 502, 503, 504].map((code) => [String(code), status(code)])),
      {
        ...STALE_VALUE,
        isRetried: true,
      },
    ),
    responseFault(
      'responds 429 with a delay beyond the deadline',
      status(429, { 'retry-after': '60' }),
      {
        ...STALE_VALUE,
        skipMs: 60_000,
      },
    ),
    responseFaults(
      'reports that the object is gone:',
      { '404': status(404), '410': status(410) },
      { ...CACHED, outcome: 'null' },
    ),
    responseFault('rejects the request (400)', status(400), {
      ...CACHED,
      outcome: { code: 'UPSTREAM_REJECTED', status: 400 },
    }),
    responseFault('rejects the key (401)', status(401), {
      ...CACHED,
      outcome: { code: 'UPSTREAM_REJECTED', status: 401 },
      dropsCache: true,
      remark: 'the cached responses of the key are dropped',
    }),
    responseFaults(
      'responds with HTML:',
      Object.fromEntries(
        [200, 401, 403, 404, 410].map((code) => [
          String(code),
          status(code, { 'content-type': 'text/html' }, '<!doctype html>'),
        ]),
      ),
      { ...STALE_VALUE, isRetried: true },
    ),
    responseFault('responds with a body that is not JSON', body('oops'), {
      ...CACHED,
      outcome: { code: 'UPSTREAM_INVALID_RESPONSE' },
    }),
  ],
};
