import type { IncomingMessage, ServerResponse } from 'node:http';
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
export function toAsked(head: RequestHead, request: IncomingMessage, response: ServerResponse): Asked {
  const leaving = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) leaving.abort();
  });
  const { method, url } = head;
  const { signal } = leaving;
  return {
    ...head,
    signal,
    readBody: () =>
      new Promise((resolve, reject) => {
        const parts: Buffer<ArrayBuffer>[] = [];
        request.on('data', (part) => parts.push(part));
        request.once('end', () => resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)));
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    toRequest: (body) => new Request(url, { method, headers: toPairs(request.rawHeaders), body, signal }),
  };
}

function toPairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);
}
