import type { OutgoingHttpHeaders } from 'node:http';
import type { Misbehave } from '../kit/adverse-upstream.ts';
import { answering, answeringEach, type FaultGroup } from './fault.ts';
import { changed, close, head, raw, status } from './misbehaviours.ts';

const PASS_THROUGH = { settings: { REVOX_API_KEY: '' }, headers: { authorization: 'Bearer sk_demo_a' } };
const UNAVAILABLE = { says: { code: 'UPSTREAM_UNAVAILABLE' } } as const;
const REJECTED = { says: { code: 'UPSTREAM_REJECTED', status: 'its own' } } as const;
const REFUSED = { drops: true, remark: 'what was remembered for the key is dropped' } as const;

/** It refuses, or fails, and says so. */
export const statuses: FaultGroup = {
  title: 'Statuses',
  faults: [
    answeringEach(
      'refuses:',
      each([400, 402, 405, 406, 412, 413, 414, 415, 418, 421, 422, 423, 424, 425, 426, 428, 431, 451, 499]),
      REJECTED,
    ),
    answeringEach('refuses for the moment:', each([408, 409]), { ...REJECTED, isRetried: true }),
    answeringEach('refuses the gateway’s own key:', each([401]), { ...REJECTED, ...REFUSED }),
    answeringEach('refuses an object to the gateway’s own key:', each([403]), REJECTED),
    answering('refuses the caller’s key: 401', status(401), { says: { code: 'UNAUTHENTICATED' }, ...REFUSED, ...PASS_THROUGH }),
    answering('refuses an object to the caller’s key: 403', status(403), { says: { code: 'FORBIDDEN' }, ...PASS_THROUGH }),
    answeringEach('says that there is no such object:', each([404, 410]), { says: 'null' }),
    answeringEach('fails:', each([500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 522, 530, 599]), {
      ...UNAVAILABLE,
      isRetried: true,
    }),
    answering('fails (503), and its proxy answers with a page', status(503, { 'content-type': 'text/html' }, '<h1>503</h1>'), {
      ...UNAVAILABLE,
      isRetried: true,
    }),
    answering('refuses (400), and never ends what it says of it', raw(endlessRefusal('400 Bad Request')), {
      says: { code: 'UPSTREAM_REJECTED', status: 400 },
    }),
    answering(
      'says that there is no such object (404), and never ends what it says of it',
      raw(endlessRefusal('404 Not Found')),
      {
        says: 'null',
      },
    ),
    answeringEach('answers with a status that is no answer to a question:', each([300, 304, 305]), UNAVAILABLE),
    answeringEach('answers with a status that there is not:', each([600, 999]), { ...UNAVAILABLE, isRetried: true }),
    answeringEach('answers without a body:', each([204, 205]), { says: { code: 'UPSTREAM_INVALID_RESPONSE' } }),
    answeringEach(
      'answers in full, with another status than 200:',
      Object.fromEntries([201, 202, 203, 206, 226].map((code) => [String(code), changed(() => ({ status: code }))])),
      { says: 'its value' },
    ),
    answeringEach(
      'says something before its answer:',
      { '102': before('102 Processing'), '103': before('103 Early Hints\r\nlink: </x.css>; rel=preload') },
      { says: 'its value' },
    ),
    answering('says 100 before its answer, though nobody asked whether to go on', before('100 Continue'), {
      ...UNAVAILABLE,
      isRetried: true,
      remark: 'undici takes it for an error',
    }),
    answering(
      'wants to go on in another protocol (101)',
      raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      {
        ...UNAVAILABLE,
        isRetried: true,
      },
    ),
  ],
};

function each(codes: readonly number[], headers: OutgoingHttpHeaders = {}): Record<string, Misbehave> {
  return Object.fromEntries(codes.map((code) => [String(code), status(code, headers)]));
}

function endlessRefusal(statusLine: string): string {
  return `${head(['content-length: 99'], `HTTP/1.1 ${statusLine}`)}{"message":`;
}

function before(statusAndHeaders: string): Misbehave {
  return raw(({ body }) => `HTTP/1.1 ${statusAndHeaders}\r\n\r\n${head([`content-length: ${body.length}`])}${body}`, close);
}
