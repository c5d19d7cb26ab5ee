import { type FaultGroup, fault, responseFault, responseFaults } from './fault.ts';
import { body, hang, rawBytes, reset, status } from './faulty-responses.ts';
import { backlogOnly, noListener } from './replacement-servers.ts';

/** Remembered, and no longer fresh by the time it is asked for again. */
const CACHED = {
  isCached: true,
  settings: { FRESHNESS_ENDED_CALL_MS: '1', FRESHNESS_WHILE_REVALIDATING_MS: '0' },
} as const;
const STALE_VALUE = { ...CACHED, outcome: 'its value', remark: 'an older one' } as const;
const SLOW_BOUND = { ...STALE_VALUE, bound: 'REVOX_TIMEOUT_MS' } as const;

/** What it has answered before is remembered. */
export const staleIfError: FaultGroup = {
  title: 'When the field is remembered, but not fresh any more',
  faults: [
    fault('is not there', { instead: noListener }, { ...STALE_VALUE, isRetried: true }),
    fault('leaves connections in its backlog', { instead: backlogOnly }, SLOW_BOUND),
    fault(
      'closes connections',
      { connection: (socket) => void socket.end() },
      { ...STALE_VALUE, isRetried: true },
    ),
    responseFault('resets the connection', ({ socket }) => reset(socket), {
      ...STALE_VALUE,
      isRetried: true,
    }),
    responseFault('answers nothing', hang, SLOW_BOUND),
    responseFault(
      'hangs in the middle of the body',
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
      'answers 429, and asks for more patience than the operation has',
      status(429, { 'retry-after': '60' }),
      {
        ...STALE_VALUE,
        skipMs: 60_000,
      },
    ),
    responseFaults(
      'says that it is gone:',
      { '404': status(404), '410': status(410) },
      { ...CACHED, outcome: 'null' },
    ),
    responseFault('refuses (400)', status(400), {
      ...CACHED,
      outcome: { code: 'UPSTREAM_REJECTED', status: 400 },
    }),
    responseFault('refuses the key (401)', status(401), {
      ...CACHED,
      outcome: { code: 'UPSTREAM_REJECTED', status: 401 },
      dropsCache: true,
      remark: 'what was remembered for the key is dropped',
    }),
    responseFault('answers with HTML', body('<!doctype html>', { 'content-type': 'text/html' }), {
      ...CACHED,
      outcome: { code: 'UPSTREAM_INVALID_RESPONSE' },
    }),
  ],
};
