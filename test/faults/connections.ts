import type { FaultyResponder } from '../support/faulty-upstream.ts';
import { type FaultGroup, fault, responseFault } from './fault.ts';
import { bytesOf, close, drip, hang, head, headOf, rawBytes, reset } from './faulty-responses.ts';
import { backlogOnly, noListener, plainHttp, untrustedTls } from './replacement-servers.ts';

const BROKEN = { outcome: { code: 'UPSTREAM_UNAVAILABLE' }, isRetried: true } as const;
const TIMEOUT = { outcome: { code: 'UPSTREAM_TIMEOUT' }, bound: 'REVOX_TIMEOUT_MS' } as const;

const halfOfTheBody = rawBytes(
  (response) => headOf(response) + response.body.subarray(0, response.body.length / 2),
);

/** The upstream is unreachable, or a connection breaks. */
export const connections: FaultGroup = {
  title: 'Connections',
  faults: [
    fault('refuses connections', { instead: noListener }, BROKEN),
    fault(
      'accepts connections and closes them',
      { connection: (socket) => void socket.end() },
      BROKEN,
    ),
    fault(
      'resets connections while the gateway sends requests',
      { connection: (socket) => void socket.resetAndDestroy() },
      BROKEN,
    ),
    fault(
      'speaks another protocol',
      { connection: (socket) => void socket.end('220 mail ESMTP\r\n') },
      BROKEN,
    ),
    fault(
      'responds in plain HTTP although the URL is `https`',
      { instead: plainHttp },
      { ...BROKEN, isSecure: true },
    ),
    fault(
      'has a TLS certificate of an untrusted issuer',
      { instead: untrustedTls },
      { ...BROKEN, isSecure: true },
    ),
    responseFault('closes the connection without a response', ({ socket }) => close(socket), {
      ...BROKEN,
      resent: 1,
    }),
    responseFault('resets the connection without a response', ({ socket }) => reset(socket), {
      ...BROKEN,
      resent: 1,
    }),
    responseFault(
      'closes the connection within the headers',
      rawBytes('HTTP/1.1 200 OK\r\ncontent-ty', close),
      BROKEN,
    ),
    responseFault('resets the connection after the headers', rawBytes(headOf, reset), BROKEN),
    responseFault(
      'resets the connection in the middle of the body',
      then(halfOfTheBody, reset),
      BROKEN,
    ),
    responseFault(
      'closes the connection before the end of `Content-Length`',
      then(halfOfTheBody, close),
      BROKEN,
    ),
    responseFault(
      'closes the connection between two chunks',
      rawBytes(
        ({ body }) =>
          `${head(['transfer-encoding: chunked'])}${body.length.toString(16)}\r\n${body}\r\n`,
        close,
      ),
      BROKEN,
    ),
  ],
};

/** The upstream is slow. */
export const slowness: FaultGroup = {
  title: 'Slowness',
  faults: [
    fault('leaves connections in its accept backlog', { instead: backlogOnly }, TIMEOUT),
    fault(
      'accepts connections and does not read the request',
      { connection: (socket) => void socket.pause() },
      TIMEOUT,
    ),
    responseFault('reads the request and sends no response', hang, TIMEOUT),
    responseFault('stops after the headers', rawBytes(headOf), TIMEOUT),
    responseFault('stops in the middle of the body', halfOfTheBody, TIMEOUT),
    responseFault(
      'sends the headers byte by byte, too slowly',
      drip((response) => bytesOf(Buffer.from(headOf(response))), 30),
      TIMEOUT,
    ),
    responseFault(
      'sends the body byte by byte, too slowly',
      drip(function* (response) {
        yield headOf(response);
        yield* bytesOf(response.body);
      }, 30),
      TIMEOUT,
    ),
    responseFault(
      'sends the body slowly in pieces, within the time limit',
      drip(function* (response) {
        yield headOf(response);
        const piece = Math.ceil(response.body.length / 20);
        for (let at = 0; at < response.body.length; at += piece)
          yield response.body.subarray(at, at + piece);
      }, 5),
      { outcome: 'value' },
    ),
    fault(
      'leaves connections in its accept backlog beyond the connect timeout',
      { instead: backlogOnly },
      {
        ...TIMEOUT,
        bound: 'REVOX_CONNECT_TIMEOUT_MS',
        settings: { REVOX_RETRIES: '0' },
        remark: 'with `REVOX_RETRIES=0`; otherwise the request is retried',
      },
    ),
    responseFault('sends no headers within the headers timeout', hang, {
      ...TIMEOUT,
      bound: 'REVOX_HEADERS_TIMEOUT_MS',
    }),
    responseFault('stops in the middle of the body beyond the body timeout', halfOfTheBody, {
      ...TIMEOUT,
      bound: 'REVOX_BODY_TIMEOUT_MS',
    }),
    responseFault('sends no response before the operation deadline', hang, {
      outcome: { code: 'UPSTREAM_TIMEOUT' },
      bound: 'REQUEST_DEADLINE_MS',
    }),
  ],
};

function then(first: FaultyResponder, after: typeof close): FaultyResponder {
  return async (exchange) => {
    await first(exchange);
    after(exchange.socket);
  };
}
