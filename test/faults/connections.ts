import type { FaultyResponder } from '../support/faulty-upstream.ts';
import { type FaultGroup, fault, responseFault } from './fault.ts';
import { bytesOf, close, drip, hang, head, headOf, rawBytes, reset } from './faulty-responses.ts';
import { backlogOnly, noListener, plainHttp, untrustedTls } from './replacement-servers.ts';

const BROKEN = { outcome: { code: 'UPSTREAM_UNAVAILABLE' }, isRetried: true } as const;
const TIMEOUT = { outcome: { code: 'UPSTREAM_TIMEOUT' }, bound: 'REVOX_TIMEOUT_MS' } as const;

const halfOfTheBody = rawBytes(
  (answer) => headOf(answer) + answer.body.subarray(0, answer.body.length / 2),
);

/** It cannot be reached, or what was begun breaks. */
export const connections: FaultGroup = {
  title: 'Connections',
  faults: [
    fault('is not there: connections are refused', { instead: noListener }, BROKEN),
    fault(
      'accepts connections and closes them',
      { connection: (socket) => void socket.end() },
      BROKEN,
    ),
    fault(
      'resets connections while requests are being sent',
      { connection: (socket) => void socket.resetAndDestroy() },
      BROKEN,
    ),
    fault(
      'speaks another protocol',
      { connection: (socket) => void socket.end('220 mail ESMTP\r\n') },
      BROKEN,
    ),
    fault('speaks no TLS where it should', { instead: plainHttp }, { ...BROKEN, isSecure: true }),
    fault(
      'shows a certificate that nobody has signed',
      { instead: untrustedTls },
      { ...BROKEN, isSecure: true },
    ),
    responseFault(
      'closes the connection in the place of an answer',
      ({ socket }) => close(socket),
      BROKEN,
    ),
    responseFault(
      'resets the connection in the place of an answer',
      ({ socket }) => reset(socket),
      BROKEN,
    ),
    responseFault(
      'closes it within the headers',
      rawBytes('HTTP/1.1 200 OK\r\ncontent-ty', close),
      BROKEN,
    ),
    responseFault('resets it after the headers', rawBytes(headOf, reset), BROKEN),
    responseFault('resets it in the middle of the body', then(halfOfTheBody, reset), BROKEN),
    responseFault(
      'closes it before the `Content-Length` that it told',
      then(halfOfTheBody, close),
      BROKEN,
    ),
    responseFault(
      'closes it between two chunks',
      rawBytes(
        ({ body }) =>
          `${head(['transfer-encoding: chunked'])}${body.length.toString(16)}\r\n${body}\r\n`,
        close,
      ),
      BROKEN,
    ),
  ],
};

/** It takes its time. */
export const slowness: FaultGroup = {
  title: 'Slowness',
  faults: [
    fault('leaves connections in its backlog', { instead: backlogOnly }, TIMEOUT),
    fault(
      'accepts connections and reads nothing',
      { connection: (socket) => void socket.pause() },
      TIMEOUT,
    ),
    responseFault('reads the request and answers nothing', hang, TIMEOUT),
    responseFault('hangs after the headers', rawBytes(headOf), TIMEOUT),
    responseFault('hangs in the middle of the body', halfOfTheBody, TIMEOUT),
    responseFault(
      'sends a byte of the headers now and then',
      drip((answer) => bytesOf(Buffer.from(headOf(answer))), 30),
      TIMEOUT,
    ),
    responseFault(
      'sends a byte of the body now and then',
      drip(function* (answer) {
        yield headOf(answer);
        yield* bytesOf(answer.body);
      }, 30),
      TIMEOUT,
    ),
    responseFault(
      'sends the body in pieces, slowly, but in time',
      drip(function* (answer) {
        yield headOf(answer);
        const piece = Math.ceil(answer.body.length / 20);
        for (let at = 0; at < answer.body.length; at += piece)
          yield answer.body.subarray(at, at + piece);
      }, 5),
      { outcome: 'its value' },
    ),
    fault(
      'leaves connections in its backlog longer than connecting may take',
      { instead: backlogOnly },
      {
        ...TIMEOUT,
        bound: 'REVOX_CONNECT_TIMEOUT_MS',
        settings: { REVOX_RETRIES: '0' },
        remark: 'with `REVOX_RETRIES=0`; else it is tried again',
      },
    ),
    responseFault('answers nothing for longer than headers may take', hang, {
      ...TIMEOUT,
      bound: 'REVOX_HEADERS_TIMEOUT_MS',
    }),
    responseFault('hangs in the middle of the body longer than it may', halfOfTheBody, {
      ...TIMEOUT,
      bound: 'REVOX_BODY_TIMEOUT_MS',
    }),
    responseFault('reads the request, and has more time than the whole operation', hang, {
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
