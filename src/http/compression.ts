import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import {
  type AcceptedEncodings,
  type Encoding,
  parseAcceptEncoding,
} from '#http/headers/accept-encoding.ts';
import { toErrorResponse } from './error-response.ts';
import { isPlainResponse, type PlainResponse, type RequestHead, toResponse } from './message.ts';

/** Compresses a response, if its client accepts that. */
export type Compress = <Reply extends PlainResponse | Response>(
  request: RequestHead,
  response: Reply,
) => Reply | Promise<Reply | Response>;

/**
 * A smaller body fits into one packet with its headers: the response would not arrive sooner if the
 * body were compressed.
 */
const MIN_BYTES = 1024;

/**
 * Media types of text that is sent whole. Event streams and multipart responses are not compressed:
 * each part would wait for the next one.
 */
const COMPRESSIBLE_TYPE =
  /^(application\/(graphql-response\+)?json|text\/(html|plain|javascript|css))\s*(;|$)/i;

const HTML_TYPE = /^text\/html\b/i;
const IMMUTABLE = /\bimmutable\b/i;

/**
 * Compression levels. The client waits for the compression, and so does every other response that
 * needs a thread of the pool. `bench/compression.ts` measures the cost of each level.
 */
const QUALITY = { br: 4, gzip: 4 };

/** Compressing a larger body takes some milliseconds or more. */
const MAX_SMALL_BYTES = 65_536;

/**
 * libuv's thread pool has four threads: two stay free for smaller bodies. More large bodies are not
 * queued, because waiting bodies would be in memory and in no budget.
 */
const MAX_CONCURRENT_LARGE_BODIES = 2;

/** For the page and its files, which are compressed once. */
const PAGE_QUALITY = { br: 6, gzip: 6 };

/**
 * Compresses text that is sent whole and is large enough, in Node's threads, so that other requests
 * are served meanwhile. The compressed response of a caller is not cached. The HTML page and its
 * files are the same for all clients: each of their encodings is created once and cached.
 */
export function createCompress(): Compress {
  /** By encoding, and the query of the file. */
  const pages = new Map<string, Promise<Blob>>();
  let largeInFlight = 0;
  return (request, response) => {
    const { headers } = response;
    const isCompressible =
      isPlainResponse(response) || COMPRESSIBLE_TYPE.test(headers.get('content-type') ?? '');
    if (!isCompressible || headers.has('content-encoding')) return response;
    headers.set('vary', appendAcceptEncoding(headers.get('vary')));
    const accepted = parseAcceptEncoding(request.headers.get('accept-encoding'));
    const isUnchanged =
      response.body === null ||
      request.method === 'HEAD' ||
      (!accepted.encoding && accepted.acceptsIdentity) ||
      /\bno-transform\b/i.test(headers.get('cache-control') ?? '');
    return isUnchanged ? response : encodeResponse(request, response, accepted);
  };

  async function encodeResponse<Reply extends PlainResponse | Response>(
    request: Pick<RequestHead, 'url'>,
    response: Reply,
    { encoding, acceptsIdentity }: AcceptedEncodings,
  ): Promise<Reply | Response> {
    const { headers } = response;
    if (!encoding) return toUnacceptableEncoding(response);
    const isPage = !isPlainResponse(response) && HTML_TYPE.test(headers.get('content-type') ?? '');
    const file =
      IMMUTABLE.test(headers.get('cache-control') ?? '') && URL.parse(request.url)?.search;
    if (file || isPage) {
      const key = `${encoding} ${file || ''}`;
      const page = pages.get(key) ?? encodePage(key, encoding, response);
      pages.set(key, page);
      return withEncoding(response, encoding, await page);
    }
    if (acceptsIdentity && Number(headers.get('content-length') ?? MIN_BYTES) < MIN_BYTES)
      return response;
    const bytes = isPlainResponse(response) ? toBytes(response.body) : await response.bytes();
    if (acceptsIdentity && bytes.byteLength < MIN_BYTES) return withBody(response, bytes);
    if (bytes.byteLength <= MAX_SMALL_BYTES)
      return withEncoding(response, encoding, await encode(encoding, bytes, QUALITY));
    if (largeInFlight >= MAX_CONCURRENT_LARGE_BODIES)
      return acceptsIdentity ? withBody(response, bytes) : toTooManyCompressions(response);
    largeInFlight += 1;
    try {
      return withEncoding(response, encoding, await encode(encoding, bytes, QUALITY));
    } finally {
      largeInFlight -= 1;
    }
  }

  /** Each client reads the Blob in parts, so a client that stops reading holds no copy of it. */
  async function encodePage(
    key: string,
    encoding: Encoding,
    response: PlainResponse | Response,
  ): Promise<Blob> {
    try {
      return new Blob([await encode(encoding, await toResponse(response).bytes(), PAGE_QUALITY)]);
    } catch (error) {
      pages.delete(key);
      throw error;
    }
  }
}

function toBytes(body: PlainResponse['body']): Uint8Array<ArrayBuffer> {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

const compressors = { br: promisify(brotliCompress), gzip: promisify(gzip) };

async function encode(
  encoding: Encoding,
  bytes: Uint8Array,
  quality: typeof QUALITY,
): Promise<Uint8Array<ArrayBuffer>> {
  if (encoding === 'gzip') return compressors.gzip(bytes, { level: quality.gzip });
  return compressors.br(bytes, {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: quality.br,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
    },
  });
}

function withEncoding<Reply extends PlainResponse | Response>(
  response: Reply,
  encoding: Encoding,
  body: Uint8Array<ArrayBuffer> | Blob,
): Reply | Response {
  response.headers.set('content-encoding', encoding);
  return withBody(response, body);
}

function withBody<Reply extends PlainResponse | Response>(
  response: Reply,
  body: Uint8Array<ArrayBuffer> | Blob,
): Reply | Response {
  response.headers.set(
    'content-length',
    String(body instanceof Blob ? body.size : body.byteLength),
  );
  if (isPlainResponse(response)) return { ...response, body };
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers: [...headers] });
}

function toTooManyCompressions(response: PlainResponse | Response): Response {
  const message =
    'Too many large responses are being compressed: try again in a moment, or accept uncompressed responses.';
  const options = { status: 429, headers: { 'retry-after': '1' }, details: { retryAfter: 1 } };
  return withHeadersFrom(response, toErrorResponse('RATE_LIMITED', message, options));
}

function toUnacceptableEncoding(response: PlainResponse | Response): Response {
  const errorResponse = toErrorResponse(
    'BAD_USER_INPUT',
    'The Accept-Encoding header must accept br, gzip or identity.',
    {
      status: 406,
    },
  );
  return withHeadersFrom(response, errorResponse);
}

/**
 * Copies the headers of a response to the error that replaces it, except those that describe the
 * body or allow caching.
 */
function withHeadersFrom(response: PlainResponse | Response, errorResponse: Response): Response {
  for (const [name, value] of toResponse(response).headers) {
    if (!/^content-(?!security)/i.test(name) && name !== 'cache-control')
      errorResponse.headers.set(name, value);
  }
  return errorResponse;
}

/**
 * Adds `Accept-Encoding` to `Vary`: otherwise a shared cache would send all clients the same
 * encoding.
 */
function appendAcceptEncoding(vary: string | null): string {
  return vary ? `${vary}, Accept-Encoding` : 'Accept-Encoding';
}
