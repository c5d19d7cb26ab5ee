import type { IncomingMessage } from 'node:http';
import type { Asked, HeaderReader, RequestHead } from '#http/exchange.ts';

/** What may stand in `Host`, so that a URL is made of it without a second look. */
const PLAIN_HOST = /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?$/i;

/**
 * The head of a request as Node has it. Undefined for one that is not plain: of which nobody knows beforehand how long it is, or where it was
 * sent to.
 */
export function toHead({ method = '', url = '', headers, socket }: IncomingMessage): RequestHead | undefined {
  const { host = '' } = headers;
  if (headers['content-length'] === undefined || !PLAIN_HOST.test(host) || !url.startsWith('/')) return undefined;
  const scheme = 'encrypted' in socket && socket.encrypted ? 'https' : 'http';
  return { method, url: `${scheme}://${host}${url}`, headers: toReader(headers) };
}

function toReader(headers: IncomingMessage['headers']): HeaderReader {
  return {
    get(name) {
      const value = headers[name];
      return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value;
    },
    has: (name) => headers[name] !== undefined,
  };
}

/** A request as Node has it, without one of Fetch's being made of it. Its length is known, and has been looked at. */
export function toAsked(head: RequestHead, request: IncomingMessage): NodeAsked {
  return new NodeAsked(head, request);
}

export class NodeAsked implements Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderReader;
  admission: Asked['admission'];
  readonly #request: IncomingMessage;
  /** Made when somebody asks for it: most answers are ready before. */
  #leaving: AbortController | undefined;
  #hasLeft = false;
  #onLeft: (() => void) | undefined;

  constructor({ method, url, headers }: RequestHead, request: IncomingMessage) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.admission = undefined;
    this.#request = request;
  }

  get signal(): AbortSignal {
    if (!this.#leaving) {
      this.#leaving = new AbortController();
      if (this.#hasLeft) this.#leaving.abort();
    }
    return this.#leaving.signal;
  }

  readBody(): Promise<Uint8Array<ArrayBuffer>> {
    const request = this.#request;
    return new Promise((resolve, reject) => {
      const parts: Buffer<ArrayBuffer>[] = [];
      request.on('data', (part) => parts.push(part));
      request.once('end', () => resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)));
      this.#onLeft = () => reject(this.signal.reason);
      if (this.#hasLeft) this.#onLeft();
    });
  }

  toRequest(body: Uint8Array<ArrayBuffer>): Request {
    const { method, url, signal } = this;
    return new Request(url, { method, headers: toPairs(this.#request.rawHeaders), body, signal });
  }

  /** The client has left before its answer was sent. */
  leave(): void {
    this.#hasLeft = true;
    this.#leaving?.abort();
    this.#onLeft?.();
  }
}

function toPairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);
}
