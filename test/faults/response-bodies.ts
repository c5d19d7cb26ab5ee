import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { FaultyResponder, SandboxResponse } from '../support/faulty-upstream.ts';
import { type FaultGroup, responseFault, responseFaults } from './fault.ts';
import {
  body,
  close,
  flood,
  head,
  rawBytes,
  status,
  withChangedResponse,
} from './faulty-responses.ts';

const MIB = 2 ** 20;
const INVALID_RESPONSE = { outcome: { code: 'UPSTREAM_INVALID_RESPONSE' } } as const;
const BROKEN = { outcome: { code: 'UPSTREAM_UNAVAILABLE' }, isRetried: true } as const;
const VALUE_RETURNED = { outcome: 'value' } as const;
const TOO_LARGE = {
  ...INVALID_RESPONSE,
  remark: 'read up to `REVOX_MAX_RESPONSE_BYTES`',
  maxBytes: 100 * MIB,
} as const;

const LOGIN = '<!doctype html><title>Sign in</title><form method="post"></form>';
const BOMB = gzipSync(Buffer.alloc(50 * MIB, ' '));
const TYPES = [
  'text/plain',
  'text/html',
  'application/octet-stream',
  'application/json; charset=iso-8859-1',
  'nonsense',
  '',
];

/** The upstream responds with 200 and an invalid or unusual body. */
export const bodies: FaultGroup = {
  title: 'Response bodies',
  faults: [
    responseFault(
      'responds with an HTML login page',
      body(LOGIN, { 'content-type': 'text/html' }),
      { ...INVALID_RESPONSE, isRetried: true },
    ),
    responseFault(
      'responds with truncated JSON',
      withChangedResponse(({ body: whole }) => ({ body: whole.subarray(0, 200) })),
      INVALID_RESPONSE,
    ),
    responseFaults(
      'responds with another document than documented:',
      {
        'an empty body': body(''),
        'white space': body(' \n'),
        null: body('null'),
        'a string': body('"ok"'),
        'an array': body('[]'),
        'an error object': body('{"message":"Something went wrong"}'),
        'an envelope with null in it': body('{"call":null}'),
        'an object without an id': body('{"call":{"status":"completed"}}'),
        'two documents': withChangedResponse(({ body: whole }) => ({
          body: Buffer.concat([whole, whole]),
        })),
        'an event stream': body('data: {"call":{"id":"x"}}\n\n', {
          'content-type': 'text/event-stream',
        }),
        JSONP: body('callback({"call":{"id":"x"}})', { 'content-type': 'text/javascript' }),
      },
      INVALID_RESPONSE,
    ),
    responseFault(
      'responds with arrays nested 100,000 levels deep',
      body(`{"call":${'['.repeat(1e5)}${']'.repeat(1e5)}}`),
      INVALID_RESPONSE,
    ),
    responseFault('responds with 50 MB', flood(50 * MIB), TOO_LARGE),
    responseFault(
      'responds with 50 MB in 50 kB of gzip',
      body(BOMB, { 'content-encoding': 'gzip' }),
      TOO_LARGE,
    ),
    responseFaults(
      'compresses its response although the request does not accept that:',
      {
        gzip: encoded('gzip', gzipSync),
        deflate: encoded('deflate', deflateSync),
        br: encoded('br', brotliCompressSync),
      },
      VALUE_RETURNED,
    ),
    responseFaults(
      'responds with damaged gzip:',
      {
        'overwritten bytes': encoded('gzip', (whole) => damaged(gzipSync(whole))),
        truncated: encoded('gzip', (whole) => gzipSync(whole).subarray(0, -12)),
        'not gzip at all': encoded('gzip', (whole) => whole),
      },
      INVALID_RESPONSE,
    ),
    responseFaults(
      'responds in an unknown encoding:',
      {
        zstd: encoded('zstd', (whole) => whole),
        'gzip in gzip': encoded('gzip, gzip', (whole) => gzipSync(gzipSync(whole))),
      },
      INVALID_RESPONSE,
    ),
    responseFaults(
      'sends its JSON with another content type:',
      Object.fromEntries(TYPES.map((type) => [type === '' ? 'none' : `\`${type}\``, typed(type)])),
      VALUE_RETURNED,
    ),
    responseFault(
      'sends a byte order mark before its JSON',
      withChangedResponse(({ body: whole }) => ({ body: Buffer.concat([MARK, whole]) })),
      VALUE_RETURNED,
    ),
    responseFault(
      'responds in UTF-16',
      withChangedResponse(({ body: whole }) => ({
        body: Buffer.from(whole.toString(), 'utf16le'),
      })),
      INVALID_RESPONSE,
    ),
    responseFault(
      'sends a `Content-Length` that is too small',
      rawBytes((response) => withHead(response, 'content-length: 30'), close),
      INVALID_RESPONSE,
    ),
    responseFault(
      'sends two different `Content-Length` headers',
      rawBytes(
        (response) =>
          withHead(response, 'content-length: 9', `content-length: ${response.body.length}`),
        close,
      ),
      BROKEN,
    ),
    responseFault(
      'sends both `Content-Length` and chunks',
      rawBytes(
        (response) =>
          chunked(response.body, response.body.length, `content-length: ${response.body.length}`),
        close,
      ),
      BROKEN,
    ),
    responseFault(
      'sends a chunk whose size is not a number',
      rawBytes(`${head(['transfer-encoding: chunked'])}zz\r\n{}\r\n`),
      BROKEN,
    ),
    responseFault(
      'sends its response in chunks of a few bytes',
      rawBytes((response) => chunked(response.body, 7), close),
      VALUE_RETURNED,
    ),
    responseFault(
      'responds in HTTP/1.0 and closes the connection at the end',
      rawBytes((response) => head([], 'HTTP/1.0 200 OK') + response.body, close),
      VALUE_RETURNED,
    ),
    responseFault(
      'closes the connection after its response without `Connection: close`',
      rawBytes((response) => withHead(response, lengthOf(response)), close),
      VALUE_RETURNED,
    ),
    responseFault(
      'responds with 100 kB of headers',
      status(200, { 'x-large': 'x'.repeat(100_000) }),
      BROKEN,
    ),
    responseFault('responds with malformed HTTP', rawBytes('HTTP/9.9 YES\r\n\r\n', close), BROKEN),
  ],
};

const MARK = Buffer.from('\ufeff');

function typed(type: string): FaultyResponder {
  return withChangedResponse(({ headers }) => ({ headers: { ...headers, 'content-type': type } }));
}

function encoded(name: string, encode: (body: Buffer) => Buffer): FaultyResponder {
  return withChangedResponse(({ headers, body: whole }) => ({
    headers: { ...headers, 'content-encoding': name },
    body: encode(whole),
  }));
}

function damaged(whole: Buffer): Buffer {
  const copy = Buffer.from(whole);
  copy.fill(0xff, copy.length >> 1, (copy.length >> 1) + 16);
  return copy;
}

function lengthOf({ body: { length } }: SandboxResponse): string {
  return `content-length: ${length}`;
}

function withHead(response: SandboxResponse, ...lines: string[]): Buffer {
  return Buffer.concat([Buffer.from(head(lines)), response.body]);
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
