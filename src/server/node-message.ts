import type { IncomingMessage } from 'node:http';
import { Cancellation, type CancellationSignal } from '#cancellation.ts';
import type { HeaderReader, PlainRequest, RequestHead } from '#http/message.ts';
import type { Connection } from './connection.ts';

/** Values of `Host` that need no further check to become part of a URL. */
const PLAIN_HOST = /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?$/i;

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)(.*)$/i;

/**
 * Rewrites a request target in absolute form, as clients of a proxy send it, to its path. The host
 * of the target replaces `Host` (RFC 9112, 3.2.2); a missing `Host` stays missing.
 */
export function rewriteAbsoluteForm(request: IncomingMessage): void {
  const [, authority, path = ''] = ABSOLUTE_FORM.exec(request.url ?? '') ?? [];
  if (authority === undefined) return;
  request.url = path.startsWith('/') ? path : `/${path}`;
  if (request.headers.host !== undefined) request.headers.host = authority;
}

/**
 * The head of a Node request. Undefined for a request that is not plain: without `Content-Length`,
 * or with an unusual `Host` or target.
 */
export function toRequestHead(
  { method = '', url: path = '', headers, socket }: IncomingMessage,
  connection: Connection,
): RequestHead | undefined {
  const { host = '' } = headers;
  if (headers['content-length'] === undefined) return undefined;
  let { lastTarget } = connection;
  if (lastTarget?.host !== host || lastTarget.path !== path) {
    if (!PLAIN_HOST.test(host) || !path.startsWith('/')) return undefined;
    const scheme = 'encrypted' in socket && socket.encrypted ? 'https' : 'http';
    lastTarget = { host, path, url: `${scheme}://${host}${path}` };
    connection.lastTarget = lastTarget;
  }
  return { method, url: lastTarget.url, headers: new NodeHeaders(headers) };
}

/** The headers of a Node request. */
export class NodeHeaders implements HeaderReader {
  readonly #headers: IncomingMessage['headers'];

  constructor(headers: IncomingMessage['headers']) {
    this.#headers = headers;
  }

  get(name: string): string | null {
    const value = this.#headers[name];
    return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value;
  }

  has(name: string): boolean {
    return this.#headers[name] !== undefined;
  }
}

/** A Node request, without a Fetch `Request`. Its length is known and already checked. */
export function toNodeRequest(head: RequestHead, request: IncomingMessage): NodeRequest {
  return new NodeRequest(head, request);
}

export class NodeRequest implements PlainRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderReader;
  caller: PlainRequest['caller'];
  report: PlainRequest['report'];
  readonly #request: IncomingMessage;
  /** Created when `signal` is first read: a small cached response never needs it. */
  #cancellation: Cancellation | undefined;
  #isDisconnected = false;
  #onDisconnect: (() => void) | undefined;

  constructor({ method, url, headers }: RequestHead, request: IncomingMessage) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.caller = undefined;
    this.report = undefined;
    this.#request = request;
  }

  get signal(): CancellationSignal {
    if (!this.#cancellation) {
      this.#cancellation = new Cancellation();
      if (this.#isDisconnected) this.#cancellation.abort();
    }
    return this.#cancellation;
  }

  readBody(): Promise<Uint8Array<ArrayBuffer>> {
    const request = this.#request;
    return new Promise((resolve, reject) => {
      const chunks: Buffer<ArrayBuffer>[] = [];
      request.on('data', (part) => chunks.push(part));
      // The event comes once: `once` would only create a wrapper to remove the listener.
      request.on('end', () =>
        resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)),
      );
      this.#onDisconnect = () => reject(this.signal.reason);
      if (this.#isDisconnected) this.#onDisconnect();
    });
  }

  toRequest(body: Uint8Array<ArrayBuffer>): Request {
    const { method, url, signal } = this;
    const abortController = new AbortController();
    if (signal.aborted) abortController.abort(signal.reason);
    else signal.addEventListener('abort', () => abortController.abort(signal.reason));
    return new Request(url, {
      method,
      headers: toHeaderPairs(this.#request.rawHeaders),
      body,
      signal: abortController.signal,
    });
  }

  /** To be called when the client disconnects before its response is sent. */
  disconnect(): void {
    this.#isDisconnected = true;
    this.#cancellation?.abort();
    this.#onDisconnect?.();
  }
}

function toHeaderPairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [
    raw[2 * index] ?? '',
    raw[2 * index + 1] ?? '',
  ]);
}
