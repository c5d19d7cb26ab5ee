import { answering, answeringEach, type FaultGroup, fault } from './fault.ts';
import { nobody, onlyABacklog } from './in-its-place.ts';
import { body, hang, raw, reset, status } from './misbehaviours.ts';

/** Remembered, and no longer fresh by the time it is asked for again. */
const KNOWN = {
  isKnown: true,
  settings: { FRESHNESS_ENDED_CALL_MS: '1', FRESHNESS_WHILE_REVALIDATING_MS: '0' },
} as const;
const OLDER = { ...KNOWN, says: 'its value', remark: 'an older one' } as const;
const SLOW = { ...OLDER, within: 'REVOX_TIMEOUT_MS' } as const;

/** What it has answered before is remembered. */
export const grace: FaultGroup = {
  title: 'When the field is remembered, but not fresh any more',
  faults: [
    fault('is not there', { instead: nobody }, { ...OLDER, isRetried: true }),
    fault('leaves connections in its backlog', { instead: onlyABacklog }, SLOW),
    fault('closes connections', { connection: (socket) => void socket.end() }, { ...OLDER, isRetried: true }),
    answering('resets the connection', ({ socket }) => reset(socket), { ...OLDER, isRetried: true }),
    answering('answers nothing', hang, SLOW),
    answering('hangs in the middle of the body', raw('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"call":'), SLOW),
    answeringEach('fails:', Object.fromEntries([500, 502, 503, 504].map((code) => [String(code), status(code)])), {
      ...OLDER,
      isRetried: true,
    }),
    answering('answers 429, and asks for more patience than the operation has', status(429, { 'retry-after': '60' }), {
      ...OLDER,
      skipMs: 60_000,
    }),
    answeringEach('says that it is gone:', { '404': status(404), '410': status(410) }, { ...KNOWN, says: 'null' }),
    answering('refuses (400)', status(400), { ...KNOWN, says: { code: 'UPSTREAM_REJECTED', status: 400 } }),
    answering('refuses the key (401)', status(401), {
      ...KNOWN,
      says: { code: 'UPSTREAM_REJECTED', status: 401 },
      drops: true,
      remark: 'what was remembered for the key is dropped',
    }),
    answering('answers with HTML', body('<!doctype html>', { 'content-type': 'text/html' }), {
      ...KNOWN,
      says: { code: 'UPSTREAM_INVALID_RESPONSE' },
    }),
  ],
};
