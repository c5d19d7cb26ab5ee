import type { CancellationSignal } from '#cancellation.ts';
import { readBodyUpTo } from './read-body.ts';

/** Headers to read. Names are in lower case. */
export interface HeaderReader {
  get(name: string): string | null;
  has(name: string): boolean;
}

/** Headers to read and write. */
export interface HeaderWriter extends HeaderReader {
  set(name: string, value: string): void;
}

/** A request before its body is read. Fetch's `Request` is one. */
export interface RequestHead {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: HeaderReader;
}

/**
 * What the scheduler, the limits and the server that sends the response know of the caller of an
 * authenticated request.
 */
export interface Caller {
  /** Identifies the caller. Never shown. */
  readonly callerKey: string;
  /** Whether the upstream has accepted the caller's credential by now. */
  isCredentialAccepted(): boolean;
}

/**
 * Owner for all callers whose credential the upstream has not accepted. A client can send any key,
 * so all of these callers together have one share.
 */
export const UNACCEPTED_OWNER = 'unaccepted';

/**
 * The owner for fair sharing of bounded memory: the caller itself once the upstream has accepted
 * its credential, `UNACCEPTED_OWNER` before.
 */
export function ownerOf(caller: Caller): string {
  return caller.isCredentialAccepted() ? caller.callerKey : UNACCEPTED_OWNER;
}

/**
 * An incoming request without Fetch objects: creating a `Request` takes longer than most responses.
 */
export interface PlainRequest extends RequestHead {
  /** Aborted when the client disconnects. */
  readonly signal: CancellationSignal;
  /** Set once the request is authenticated. */
  caller: Caller | undefined;
  /**
   * Reports the request: in the log, in the metrics and as a span. Set when the response is ready,
   * unless it is a stream. To be taken by `takeReport`.
   */
  report: (() => void) | undefined;
  /**
   * Reads the body. To be called once.
   * @param onBytes called with the size of each part; may be skipped if the request has a
   * `Content-Length`
   * @throws BodyTooLargeError, or the error of the connection
   */
  readBody(maxBytes: number, onBytes?: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>>;
  /** Creates a Fetch `Request`. @param body the body that was read */
  toRequest(body: Uint8Array<ArrayBuffer>): Request;
}

/**
 * The report of a request, to be called once. The request no longer holds it: a kept connection holds
 * its last request, and a report holds the document and the variables.
 */
export function takeReport(request: PlainRequest): PlainRequest['report'] {
  const { report } = request;
  request.report = undefined;
  return report;
}

/** A response whose body is complete JSON text. */
export interface PlainResponse {
  readonly status: number;
  readonly headers: PlainHeaders;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/**
 * Headers of a response: only the gateway writes them, and each has one value. Names are in lower
 * case. Those of a `PlainResponse` contain the security headers.
 */
export class PlainHeaders implements HeaderWriter {
  readonly #values: Record<string, string>;

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = { ...values };
  }

  get(name: string): string | null {
    return this.#values[name] ?? null;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  set(name: string, value: string): void {
    this.#values[name] = value;
  }

  /** The headers themselves, not a copy, for the code that sends them. */
  toRecord(): Readonly<Record<string, string>> {
    return this.#values;
  }
}

/** The settings that limit the unsent bytes of responses. */
export type UnsentBytesSetting = 'MAX_UNSENT_BYTES' | 'MAX_UNSENT_BYTES_PER_CALLER';

/** The gateway's interface to an HTTP server. */
export interface Handler {
  fetch(request: Request): Promise<Response>;
  /** Whether `handlePlain` can handle a request, as far as its head shows. */
  canHandlePlain(head: RequestHead): boolean;
  /**
   * The same as `fetch`, for servers that have no `Request` and need not create one. The server must
   * call the report of the request (`takeReport`), for a plain response after it has written it: no
   * client waits for the report then.
   */
  handlePlain(request: PlainRequest): Promise<PlainResponse | Response>;
  /**
   * Counts the bytes of a response until the returned function is called. If the caller has too
   * many unsent bytes, returns the exceeded setting: the response must not be sent.
   */
  reserveUnsent(
    request: PlainRequest | Request | CallerRecord,
    bytes: number,
  ): (() => void) | UnsentBytesSetting;
}

/**
 * Key of the property of a Fetch `Request` that holds its caller. A `WeakMap` would be slower:
 * setting its entry takes 1 µs, as long as the whole lookup of a cached response.
 */
const CALLER = Symbol('caller');

interface RequestWithCaller extends Request {
  [CALLER]?: Caller;
}

/** Attaches the caller to a Fetch `Request`, for the server that sends the response. */
export function recordCaller(request: RequestWithCaller, caller: Caller): void {
  request[CALLER] = caller;
}

/** What is left of a request whose response is a stream. */
export type CallerRecord = Pick<PlainRequest, 'caller'>;

/**
 * The caller of a request. Undefined if the request was not authenticated: the response is then an
 * error or one of the gateway's own pages.
 */
export function callerOf(
  request: PlainRequest | RequestWithCaller | CallerRecord,
): Caller | undefined {
  return 'caller' in request ? request.caller : request[CALLER];
}

/**
 * Whether the response is plain. `instanceof Response` cannot decide it, because Yoga's responses
 * have another class.
 */
export function isPlainResponse(response: PlainResponse | Response): response is PlainResponse {
  return response.headers instanceof PlainHeaders;
}

export function toResponse(response: PlainResponse | Response): Response {
  if (!isPlainResponse(response)) return response;
  const { status, headers, body } = response;
  headers.set('content-length', String(Buffer.byteLength(body)));
  return new Response(body, { status, headers: headers.toRecord() });
}

export function toPlainRequest(request: Request): PlainRequest {
  const { method, url, headers, signal } = request;
  return {
    method,
    url,
    headers,
    signal,
    caller: undefined,
    report: undefined,
    readBody: async (maxBytes, onBytes) =>
      request.body ? readBodyUpTo(maxBytes, request.body.getReader(), onBytes) : new Uint8Array(),
    toRequest: (body) => new Request(url, { method, headers, signal, body }),
  };
}
