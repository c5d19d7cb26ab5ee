import type { Misbehave } from '../kit/adverse-upstream.ts';
import { answering, type FaultGroup, fault } from './fault.ts';
import { nobody, onlyABacklog, plainHttp, strangeTls } from './in-its-place.ts';
import { bytesOf, close, drip, hang, head, headOf, raw, reset } from './misbehaviours.ts';

const BROKEN = { says: { code: 'UPSTREAM_UNAVAILABLE' }, isRetried: true } as const;
const TIMEOUT = { says: { code: 'UPSTREAM_TIMEOUT' }, within: 'REVOX_TIMEOUT_MS' } as const;

const halfOfTheBody = raw((answer) => headOf(answer) + answer.body.subarray(0, answer.body.length / 2));

/** It cannot be reached, or what was begun breaks. */
export const connections: FaultGroup = {
  title: 'Connections',
  faults: [
    fault('is not there: connections are refused', { instead: nobody }, BROKEN),
    fault('accepts connections and closes them', { connection: (socket) => void socket.end() }, BROKEN),
    fault('resets connections while requests are being sent', { connection: (socket) => void socket.resetAndDestroy() }, BROKEN),
    fault('speaks another protocol', { connection: (socket) => void socket.end('220 mail ESMTP\r\n') }, BROKEN),
    fault('speaks no TLS where it should', { instead: plainHttp }, { ...BROKEN, isSecure: true }),
    fault('shows a certificate that nobody has signed', { instead: strangeTls }, { ...BROKEN, isSecure: true }),
    answering('closes the connection in the place of an answer', ({ socket }) => close(socket), BROKEN),
    answering('resets the connection in the place of an answer', ({ socket }) => reset(socket), BROKEN),
    answering('closes it within the headers', raw('HTTP/1.1 200 OK\r\ncontent-ty', close), BROKEN),
    answering('resets it after the headers', raw(headOf, reset), BROKEN),
    answering('resets it in the middle of the body', then(halfOfTheBody, reset), BROKEN),
    answering('closes it before the `Content-Length` that it told', then(halfOfTheBody, close), BROKEN),
    answering(
      'closes it between two chunks',
      raw(({ body }) => `${head(['transfer-encoding: chunked'])}${body.length.toString(16)}\r\n${body}\r\n`, close),
      BROKEN,
    ),
  ],
};

/** It takes its time. */
export const slowness: FaultGroup = {
  title: 'Slowness',
  faults: [
    fault('leaves connections in its backlog', { instead: onlyABacklog }, TIMEOUT),
    fault('accepts connections and reads nothing', { connection: (socket) => void socket.pause() }, TIMEOUT),
    answering('reads the request and answers nothing', hang, TIMEOUT),
    answering('hangs after the headers', raw(headOf), TIMEOUT),
    answering('hangs in the middle of the body', halfOfTheBody, TIMEOUT),
    answering(
      'sends a byte of the headers now and then',
      drip((answer) => bytesOf(Buffer.from(headOf(answer))), 30),
      TIMEOUT,
    ),
    answering(
      'sends a byte of the body now and then',
      drip(function* (answer) {
        yield headOf(answer);
        yield* bytesOf(answer.body);
      }, 30),
      TIMEOUT,
    ),
    answering(
      'sends the body in pieces, slowly, but in time',
      drip(function* (answer) {
        yield headOf(answer);
        const piece = Math.ceil(answer.body.length / 20);
        for (let at = 0; at < answer.body.length; at += piece) yield answer.body.subarray(at, at + piece);
      }, 5),
      { says: 'its value' },
    ),
    fault(
      'leaves connections in its backlog longer than connecting may take',
      { instead: onlyABacklog },
      {
        ...TIMEOUT,
        within: 'REVOX_CONNECT_TIMEOUT_MS',
        settings: { REVOX_RETRIES: '0' },
        remark: 'with `REVOX_RETRIES=0`; else it is tried again',
      },
    ),
    answering('answers nothing for longer than headers may take', hang, { ...TIMEOUT, within: 'REVOX_HEADERS_TIMEOUT_MS' }),
    answering('hangs in the middle of the body longer than it may', halfOfTheBody, {
      ...TIMEOUT,
      within: 'REVOX_BODY_TIMEOUT_MS',
    }),
    answering('reads the request, and has more time than the whole operation', hang, {
      says: { code: 'UPSTREAM_TIMEOUT' },
      within: 'REQUEST_DEADLINE_MS',
    }),
  ],
};

function then(first: Misbehave, after: typeof close): Misbehave {
  return async (exchange) => {
    await first(exchange);
    after(exchange.socket);
  };
}
