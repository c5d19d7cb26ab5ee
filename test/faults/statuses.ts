import type { OutgoingHttpHeaders } from 'node:http';
import type { FaultyResponder } from '../support/faulty-upstream.ts';
import { type FaultGroup, responseFault, responseFaults } from './fault.ts';
import { close, head, rawBytes, status, withChangedResponse } from './faulty-responses.ts';

const PASS_THROUGH = {
  settings: { REVOX_API_KEY: '' },
  headers: { authorization: 'Bearer sk_demo_a' },
};
const UNAVAILABLE = { outcome: { code: 'UPSTREAM_UNAVAILABLE' } } as const;
const REJECTED = { outcome: { code: 'UPSTREAM_REJECTED', status: 'its own' } } as const;
const REFUSED = { dropsCache: true, remark: 'what was remembered for the key is dropped' } as const;

/** It refuses, or fails, and says so. */
export const statuses: FaultGroup = {
  title: 'Statuses',
  faults: [
    responseFaults(
      'refuses:',
      eachStatus([
        400, 402, 405, 406, 412, 413, 414, 415, 418, 421, 422, 423, 424, 425, 426, 428, 431, 451,
        499,
      ]),
      REJECTED,
    ),
    responseFaults('refuses for the moment:', eachStatus([408, 409]), {
      ...REJECTED,
      isRetried: true,
    }),
    responseFaults('refuses the gateway’s own key:', eachStatus([401]), {
      ...REJECTED,
      ...REFUSED,
    }),
    responseFaults('refuses an object to the gateway’s own key:', eachStatus([403]), REJECTED),
    responseFault('refuses the caller’s key: 401', status(401), {
      outcome: { code: 'UNAUTHENTICATED' },
      ...REFUSED,
      ...PASS_THROUGH,
    }),
    responseFault('refuses an object to the caller’s key: 403', status(403), {
      outcome: { code: 'FORBIDDEN' },
      ...PASS_THROUGH,
    }),
    responseFaults('says that there is no such object:', eachStatus([404, 410]), {
      outcome: 'null',
    }),
    responseFaults(
      'fails:',
      eachStatus([500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 522, 530, 599]),
      {
        ...UNAVAILABLE,
        isRetried: true,
      },
    ),
    responseFault(
      'fails (503), and its proxy answers with a page',
      status(503, { 'content-type': 'text/html' }, '<h1>503</h1>'),
      {
        ...UNAVAILABLE,
        isRetried: true,
      },
    ),
    responseFault(
      'refuses (400), and never ends what it says of it',
      rawBytes(unfinishedErrorBody('400 Bad Request')),
      {
        outcome: { code: 'UPSTREAM_REJECTED', status: 400 },
      },
    ),
    responseFault(
      'says that there is no such object (404), and never ends what it says of it',
      rawBytes(unfinishedErrorBody('404 Not Found')),
      {
        outcome: 'null',
      },
    ),
    responseFaults(
      'answers with a status that is no answer to a question:',
      eachStatus([300, 304, 305]),
      UNAVAILABLE,
    ),
    responseFaults('answers with a status that there is not:', eachStatus([600, 999]), {
      ...UNAVAILABLE,
      isRetried: true,
    }),
    responseFaults('answers without a body:', eachStatus([204, 205]), {
      outcome: { code: 'UPSTREAM_INVALID_RESPONSE' },
    }),
    responseFaults(
      'answers in full, with another status than 200:',
      Object.fromEntries(
        [201, 202, 203, 206, 226].map((code) => [
          String(code),
          withChangedResponse(() => ({ status: code })),
        ]),
      ),
      { outcome: 'its value' },
    ),
    responseFaults(
      'says something before its answer:',
      {
        '102': withStatusBefore('102 Processing'),
        '103': withStatusBefore('103 Early Hints\r\nlink: </x.css>; rel=preload'),
      },
      { outcome: 'its value' },
    ),
    responseFault(
      'says 100 before its answer, though nobody asked whether to go on',
      withStatusBefore('100 Continue'),
      {
        ...UNAVAILABLE,
        isRetried: true,
        remark: 'undici takes it for an error',
      },
    ),
    responseFault(
      'wants to go on in another protocol (101)',
      rawBytes('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      {
        ...UNAVAILABLE,
        isRetried: true,
      },
    ),
  ],
};

function eachStatus(
  codes: readonly number[],
  headers: OutgoingHttpHeaders = {},
): Record<string, FaultyResponder> {
  return Object.fromEntries(codes.map((code) => [String(code), status(code, headers)]));
}

function unfinishedErrorBody(statusLine: string): string {
  return `${head(['content-length: 99'], `HTTP/1.1 ${statusLine}`)}{"message":`;
}

function withStatusBefore(statusAndHeaders: string): FaultyResponder {
  return rawBytes(
    ({ body }) =>
      `HTTP/1.1 ${statusAndHeaders}\r\n\r\n${head([`content-length: ${body.length}`])}${body}`,
    close,
  );
}
