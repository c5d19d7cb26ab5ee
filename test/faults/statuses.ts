import type { OutgoingHttpHeaders } from 'node:http';
import type { FaultyResponder } from '../support/faulty-upstream.ts';
import { type FaultGroup, responseFault, responseFaults } from './fault.ts';
import { close, head, rawBytes, status, withChangedResponse } from './faulty-responses.ts';

const PASS_THROUGH = {
  settings: { REVOX_API_KEY: '' },
  headers: { authorization: 'Bearer sk_demo_a' },
};
const UNAVAILABLE = { outcome: { code: 'UPSTREAM_UNAVAILABLE' } } as const;
const REJECTED = { outcome: { code: 'UPSTREAM_REJECTED', status: 'as sent' } } as const;
const CREDENTIAL_REJECTED = {
  dropsCache: true,
  remark: 'the cached responses of the key are dropped',
} as const;

/** The upstream responds with an error status. */
export const statuses: FaultGroup = {
  title: 'Statuses',
  faults: [
    responseFaults(
      'rejects the request:',
      eachStatus([
        400, 402, 405, 406, 412, 413, 414, 415, 418, 421, 422, 423, 424, 425, 426, 428, 431, 451,
        499,
      ]),
      REJECTED,
    ),
    responseFaults('rejects the request temporarily:', eachStatus([408, 409]), {
      ...REJECTED,
      isRetried: true,
    }),
    responseFaults('rejects the gateway’s own key:', eachStatus([401]), {
      ...REJECTED,
      ...CREDENTIAL_REJECTED,
    }),
    responseFaults(
      'denies the gateway’s own key access to the object:',
      eachStatus([403]),
      REJECTED,
    ),
    responseFault('rejects the caller’s key: 401', status(401), {
      outcome: { code: 'UNAUTHENTICATED' },
      ...CREDENTIAL_REJECTED,
      ...PASS_THROUGH,
    }),
    responseFault('denies the caller’s key access to the object: 403', status(403), {
      outcome: { code: 'FORBIDDEN' },
      ...PASS_THROUGH,
    }),
    responseFaults('reports that the object does not exist:', eachStatus([404, 410]), {
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
      'fails (503) with an HTML page of its proxy',
      status(503, { 'content-type': 'text/html' }, '<h1>503</h1>'),
      {
        ...UNAVAILABLE,
        isRetried: true,
      },
    ),
    responseFaults(
      'responds with an HTML page of a load balancer or a firewall:',
      eachStatus([400, 401, 403, 404, 405, 410], { 'content-type': 'text/html' }, '<h1>No</h1>'),
      {
        outcome: { code: 'UPSTREAM_INVALID_RESPONSE' },
        isRetried: true,
      },
    ),
    responseFault(
      'rejects the request (400) with a body that never ends',
      rawBytes(unfinishedErrorBody('400 Bad Request')),
      {
        outcome: { code: 'UPSTREAM_REJECTED', status: 400 },
      },
    ),
    responseFault(
      'reports that the object does not exist (404) with a body that never ends',
      rawBytes(unfinishedErrorBody('404 Not Found')),
      {
        outcome: 'null',
      },
    ),
    responseFaults('responds with another 3xx status:', eachStatus([300, 304, 305]), UNAVAILABLE),
    responseFaults('responds with an undefined status:', eachStatus([600, 999]), {
      ...UNAVAILABLE,
      isRetried: true,
    }),
    responseFaults('responds without a body:', eachStatus([204, 205]), {
      outcome: { code: 'UPSTREAM_INVALID_RESPONSE' },
    }),
    responseFaults(
      'sends a complete response with a 2xx status other than 200:',
      Object.fromEntries(
        [201, 202, 203, 206, 226].map((code) => [
          String(code),
          withChangedResponse(() => ({ status: code })),
        ]),
      ),
      { outcome: 'value' },
    ),
    responseFaults(
      'sends an informational status before its response:',
      {
        '102': withStatusBefore('102 Processing'),
        '103': withStatusBefore('103 Early Hints\r\nlink: </x.css>; rel=preload'),
      },
      { outcome: 'value' },
    ),
    responseFault(
      'sends 100 before its response although the request has no `Expect` header',
      withStatusBefore('100 Continue'),
      {
        ...UNAVAILABLE,
        isRetried: true,
        remark: 'undici treats it as an error',
      },
    ),
    responseFault(
      'switches to another protocol (101)',
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
  body?: string,
): Record<string, FaultyResponder> {
  return Object.fromEntries(codes.map((code) => [String(code), status(code, headers, body)]));
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
