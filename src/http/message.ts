import { readBodyUpTo } from './read-body.ts';

/** Headers, as far as they are read. Names are in lower case. */
export interface HeaderReader {
  get(name: string): string | null;
  has(name: string): boolean;
}

/** Headers that are written. */
export interface HeaderWriter extends HeaderReader {
  set(name: string, value: string): void;
}

/** What is known of a request before its body is read. Fetch's `Request` is one. */
export interface RequestHead {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: HeaderReader;
}

/** The caller of an admitted request, as far as the server that sends the answer must know it. */
export interface Caller {
  /** Names the caller. Never shown. */
  readonly callerKey: string;
  /** Whether the upstream has accepted its credential by now. */
  isCredentialAccepted(): boolean;
}

/** Owns what callers bring whose credential the upstream has not accepted. Keys are free to invent, so all of them have one share. */
export const UNACCEPTED_OWNER = 'unaccepted';

/** On whose share of a bounded memory something goes that comes with a request. */
export function ownerOf(admission: Caller): string {
  return admission.isCredentialAccepted() ? admission.callerKey : UNACCEPTED_OWNER;
}

/** A request that none of Fetch's objects has to be made for: they take longer than most answers. */
export interface PlainRequest extends RequestHead {
  /** Ends when the client leaves. */
  readonly signal: AbortSignal;
  /** Set once the request is admitted. */
  caller: Caller | undefined;
  /**
   * Reads the body; to be called once.
   * @param onBytes called with the bytes of each part of a body that does not say its length
   * @throws BodyTooLargeError, or what the connection broke with
   */
  readBody(maxBytes: number, onBytes?: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>>;
  /** The same for who wants Fetch's own. @param body as it was read */
  toRequest(body: Uint8Array<ArrayBuffer>): Request;
}

/** An answer that is a text. */
export interface PlainResponse {
  readonly status: number;
  readonly headers: PlainHeaders;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** Headers of an answer: written by the gateway alone, and all of one value. Names are in lower case. */
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

  /** Not a copy: for who sends them. */
  toRecord(): Readonly<Record<string, string>> {
    return this.#values;
  }
}

/** The gateway's face to HTTP. */
export interface Handler {
  fetch(request: Request): Promise<Response>;
  /** Whether a request is for `answer`, as far as its head tells. */
  canHandlePlain(head: RequestHead): boolean;
  /** The same as `fetch`, for servers that need not make a `Request` of what they have. */
  handlePlain(request: PlainRequest): Promise<PlainResponse | Response>;
  /**
   * Counts the bytes of an answer until the returned function is called. Undefined: the caller has left too much unread, and the answer must not be
   * sent.
   */
  reserveUnsent(request: PlainRequest | Request, bytes: number): (() => void) | undefined;
}

/** A property, for a `WeakMap` takes 1 µs to set: as long as the look-up of a cached answer. */
const CALLER = Symbol('admission');

interface RequestWithCaller extends Request {
  [CALLER]?: Caller;
}

/** Notes for whom a request of Fetch's is, for the server that sends the answer. */
export function recordCaller(request: RequestWithCaller, caller: Caller): void {
  request[CALLER] = caller;
}

/** Undefined: the request was not admitted, and the answer is a refusal or one of the gateway's own pages. */
export function callerOf(request: PlainRequest | RequestWithCaller): Caller | undefined {
  return 'readBody' in request ? request.caller : request[CALLER];
}

/** Yoga's responses are of a class of its own. */
export function isPlainResponse(response: PlainResponse | Response): response is PlainResponse {
  return response.headers instanceof PlainHeaders;
}

/** Where Fetch's own answer is wanted. */
export function toResponse(response: PlainResponse | Response): Response {
  if (!isPlainResponse(response)) return response;
  const { status, headers, body } = response;
  headers.set('content-length', String(Buffer.byteLength(body)));
  return new Response(body, { status, headers: headers.toRecord() });
}

/** A request of Fetch's. */
export function toPlainRequest(request: Request): PlainRequest {
  const { method, url, headers, signal } = request;
  return {
    method,
    url,
    headers,
    signal,
    caller: undefined,
    readBody: async (maxBytes, onBytes) =>
      request.body ? readBodyUpTo(maxBytes, request.body.getReader(), onBytes) : new Uint8Array(),
    toRequest: (body) => new Request(url, { method, headers, signal, body }),
  };
}
