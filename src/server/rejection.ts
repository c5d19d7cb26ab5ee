import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { ERROR_HEADERS, type RejectedRequest, toErrorBody } from '#http/error-response.ts';
import { SECURITY_HEADERS } from '#http/headers/security-headers.ts';
import { toUnsentBytesMessage } from '#http/limits/unsent-response-budget.ts';
import type { UnsentBytesSetting } from '#http/message.ts';

/** An error response that the server creates itself, in place of a response of the gateway. */
export type Rejection = readonly [
  status: number,
  code: RejectedRequest['code'],
  message: string,
  /** The exceeded setting that the server must report. */
  setting?: string,
];

/**
 * Requests in flight on one connection: HTTP/1.1 clients that send more than one at a time are
 * rare, and none needs more.
 */
export const MAX_PIPELINED_REQUESTS = 16;

/** How long a client must wait after a rejection over a limit. */
const RETRY_AFTER_S = 1;

export const TOO_MANY_PIPELINED_REQUESTS: Rejection = [
  429,
  'RATE_LIMITED',
  `More than ${MAX_PIPELINED_REQUESTS} requests are in flight on one connection: wait for responses.`,
];
export const INTERNAL_ERROR: Rejection = [
  500,
  'INTERNAL_SERVER_ERROR',
  'Something went wrong in the gateway.',
];

/** Has no `setting`: the budget of unsent bytes reports the exceeded setting itself. */
export function tooManyUnsentBytes(setting: UnsentBytesSetting): Rejection {
  return [429, 'RATE_LIMITED', toUnsentBytesMessage(setting)];
}

export function tooManyConnections(setting: string): Rejection {
  return [
    503,
    'RATE_LIMITED',
    `Too many connections are open (${setting}). Try again in a moment.`,
    setting,
  ];
}

/** Node's error codes for requests that it rejects, and the gateway's responses to them. */
const REJECTIONS_BY_ERROR: { readonly [code: string]: Rejection } = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'BAD_USER_INPUT', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'OPERATION_TOO_COMPLEX', 'The headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    413,
    'OPERATION_TOO_COMPLEX',
    'The extensions of the chunks are too large.',
  ],
};
const MALFORMED_REQUEST: Rejection = [
  400,
  'BAD_USER_INPUT',
  'Malformed or incomplete HTTP request.',
];

/** The rejection of a request that is malformed, late, or too large for Node's parser. */
export function toParseRejection({ code = '' }: NodeJS.ErrnoException): Rejection {
  return REJECTIONS_BY_ERROR[code] ?? MALFORMED_REQUEST;
}

const MISSING_HOST: Rejection = [400, 'BAD_USER_INPUT', 'The Host header is missing.'];
const DUPLICATE_HOST: Rejection = [400, 'BAD_USER_INPUT', 'The request has two Host headers.'];

/** The rejection of a request without exactly one `Host` header; HTTP/1.0 requires none. */
export function findHostRejection(request: IncomingMessage): Rejection | undefined {
  if (request.headers.host === undefined && request.httpVersion !== '1.0') return MISSING_HOST;
  return hasDuplicateHost(request) ? DUPLICATE_HOST : undefined;
}

/**
 * Whether the request has several `Host` headers. `headers` joins their values with commas.
 * (`headersDistinct` holds all of them, but Node must then parse all other headers, too.)
 */
function hasDuplicateHost({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}

/** The response to a request for which Node creates no response object. */
export function toRawResponse(rejection: Rejection, corsHeaders: CorsHeaders): string {
  const { status, headers, body } = toRejectionResponse(rejection, corsHeaders);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

type CorsHeaders = Readonly<Record<string, string>>;

export function toRejectionResponse([status, code, message]: Rejection, corsHeaders: CorsHeaders) {
  const canRetry = code === 'RATE_LIMITED';
  const body = toErrorBody(code, message, canRetry ? { retryAfter: RETRY_AFTER_S } : {});
  const headers = {
    ...ERROR_HEADERS,
    ...SECURITY_HEADERS,
    ...corsHeaders,
    ...(canRetry ? { 'retry-after': String(RETRY_AFTER_S) } : {}),
    connection: 'close',
    'content-length': Buffer.byteLength(body),
  };
  return { status, headers, body };
}
