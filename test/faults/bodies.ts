import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { HonestAnswer, Misbehave } from '../kit/adverse-upstream.ts';
import { answering, answeringEach, type FaultGroup } from './fault.ts';
import { body, changed, close, flood, head, raw, status } from './misbehaviours.ts';

const MIB = 2 ** 20;
const INVALID = { says: { code: 'UPSTREAM_INVALID_RESPONSE' } } as const;
const BROKEN = { says: { code: 'UPSTREAM_UNAVAILABLE' }, isRetried: true } as const;
const FINE = { says: 'its value' } as const;
const LARGE = {
  ...INVALID,
  remark: 'read as far as `REVOX_MAX_RESPONSE_BYTES`',
  mostBytes: 100 * MIB,
} as const;

const LOGIN = '<!doctype html><title>Sign in</title><form method="post"></form>';
const BOMB = gzipSync(Buffer.alloc(50 * MIB, ' '));
const TYPES = ['text/plain', 'text/html', 'application/octet-stream', 'application/json; charset=iso-8859-1', 'nonsense', ''];

/** It answers 200, and something is wrong with what it says. */
export const bodies: FaultGroup = {
  title: 'Answers',
  faults: [
    answering('answers with an HTML page to log in', body(LOGIN, { 'content-type': 'text/html' }), INVALID),
    answering(
      'answers with JSON that was cut',
      changed(({ body: whole }) => ({ body: whole.subarray(0, 200) })),
      INVALID,
    ),
    answeringEach(
      'answers with another document than promised:',
      {
        nothing: body(''),
        blanks: body(' \n'),
        null: body('null'),
        'a text': body('"ok"'),
        'a list': body('[]'),
        'an error': body('{"message":"Something went wrong"}'),
        'an envelope with null in it': body('{"call":null}'),
        'an object without an id': body('{"call":{"status":"completed"}}'),
        'two documents': changed(({ body: whole }) => ({ body: Buffer.concat([whole, whole]) })),
        'an event stream': body('data: {"call":{"id":"x"}}\n\n', { 'content-type': 'text/event-stream' }),
        JSONP: body('callback({"call":{"id":"x"}})', { 'content-type': 'text/javascript' }),
      },
      INVALID,
    ),
    answering('answers with 100,000 lists within one another', body(`{"call":${'['.repeat(1e5)}${']'.repeat(1e5)}}`), INVALID),
    answering('answers with 50 MB', flood(50 * MIB), LARGE),
    answering('answers with 50 MB in 50 kB of gzip', body(BOMB, { 'content-encoding': 'gzip' }), LARGE),
    answeringEach(
      'compresses its answer, though nobody asked for it:',
      {
        gzip: encoded('gzip', gzipSync),
        deflate: encoded('deflate', deflateSync),
        br: encoded('br', brotliCompressSync),
      },
      FINE,
    ),
    answeringEach(
      'answers with damaged gzip:',
      {
        'other bytes in it': encoded('gzip', (whole) => damaged(gzipSync(whole))),
        'cut short': encoded('gzip', (whole) => gzipSync(whole).subarray(0, -12)),
        'not gzip at all': encoded('gzip', (whole) => whole),
      },
      INVALID,
    ),
    answeringEach(
      'answers in an encoding that is not known:',
      { zstd: encoded('zstd', (whole) => whole), 'gzip in gzip': encoded('gzip, gzip', (whole) => gzipSync(gzipSync(whole))) },
      INVALID,
    ),
    answeringEach(
      'calls its JSON something else:',
      Object.fromEntries(TYPES.map((type) => [type === '' ? 'nothing' : `\`${type}\``, typed(type)])),
      FINE,
    ),
    answering(
      'puts a byte order mark before its JSON',
      changed(({ body: whole }) => ({ body: Buffer.concat([MARK, whole]) })),
      FINE,
    ),
    answering(
      'answers in UTF-16',
      changed(({ body: whole }) => ({ body: Buffer.from(whole.toString(), 'utf16le') })),
      INVALID,
    ),
    answering(
      'tells a smaller `Content-Length` than its answer has',
      raw((answer) => withHead(answer, 'content-length: 30'), close),
      INVALID,
    ),
    answering(
      'tells two different lengths',
      raw((answer) => withHead(answer, 'content-length: 9', `content-length: ${answer.body.length}`), close),
      BROKEN,
    ),
    answering(
      'tells a length, and sends chunks',
      raw((answer) => chunked(answer.body, answer.body.length, `content-length: ${answer.body.length}`), close),
      BROKEN,
    ),
    answering('sends a chunk whose size is no number', raw(`${head(['transfer-encoding: chunked'])}zz\r\n{}\r\n`), BROKEN),
    answering(
      'sends its answer in chunks of a few bytes',
      raw((answer) => chunked(answer.body, 7), close),
      FINE,
    ),
    answering(
      'speaks HTTP/1.0, and ends by closing',
      raw((answer) => head([], 'HTTP/1.0 200 OK') + answer.body, close),
      FINE,
    ),
    answering(
      'closes the connection after its answer, and has not said so',
      raw((answer) => withHead(answer, lengthOf(answer)), close),
      FINE,
    ),
    answering('answers with 100 kB of headers', status(200, { 'x-large': 'x'.repeat(100_000) }), BROKEN),
    answering('answers with what is no HTTP', raw('HTTP/9.9 YES\r\n\r\n', close), BROKEN),
  ],
};

const MARK = Buffer.from('\ufeff');

function typed(type: string): Misbehave {
  return changed(({ headers }) => ({ headers: { ...headers, 'content-type': type } }));
}

function encoded(name: string, encode: (body: Buffer) => Buffer): Misbehave {
  return changed(({ headers, body: whole }) => ({ headers: { ...headers, 'content-encoding': name }, body: encode(whole) }));
}

function damaged(whole: Buffer): Buffer {
  const copy = Buffer.from(whole);
  copy.fill(0xff, copy.length >> 1, (copy.length >> 1) + 16);
  return copy;
}

function lengthOf({ body: { length } }: HonestAnswer): string {
  return `content-length: ${length}`;
}

function withHead(answer: HonestAnswer, ...lines: string[]): Buffer {
  return Buffer.concat([Buffer.from(head(lines)), answer.body]);
}

/** With an extension at each chunk, and a trailer. */
function chunked(whole: Buffer, size: number, ...lines: string[]): Buffer {
  const chunks: Buffer[] = [Buffer.from(head(['transfer-encoding: chunked', ...lines]))];
  for (let at = 0; at < whole.length; at += size) {
    const chunk = whole.subarray(at, at + size);
    chunks.push(Buffer.from(`${chunk.length.toString(16)};x=y\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...chunks, Buffer.from('0\r\nx-checksum: 1\r\n\r\n')]);
}
