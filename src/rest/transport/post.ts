import { Agent, buildConnector, request } from 'undici';
import type { TransportResponse } from './transport.ts';

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Aborts the request. */
  readonly signal: AbortSignal;
}

/**
 * Sends one POST to a server that is not the upstream, on a connection of its own and without a
 * proxy, as OpenTelemetry's exporters do. The body of the response is read up to its first chunk.
 */
export async function post({
  url,
  headers,
  body,
  signal,
}: PostRequest): Promise<Pick<TransportResponse, 'status' | 'header' | 'body'>> {
  const agent = new Agent({ pipelining: 0 });
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { ...headers },
      body,
      signal,
      dispatcher: agent,
    });
    const header = (name: string) => {
      const value = response.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    };
    return { status: response.statusCode, header, body: await readStart(response.body) };
  } finally {
    await agent.destroy();
  }
}

async function readStart(body: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  for await (const chunk of body) return [chunk];
  return [];
}

/**
 * Opens a connection, with TLS for an `https:` URL, and closes it.
 * @returns a promise that rejects with the error of the connection
 */
export function connectOnce(url: string, timeoutMs: number): Promise<void> {
  const { protocol, hostname, port } = new URL(url);
  const connect = buildConnector({ allowH2: true, timeout: timeoutMs });
  const target = {
    // The connector takes an IPv6 address without its brackets.
    hostname: hostname.replace(/^\[|\]$/g, ''),
    protocol,
    port: port || (protocol === 'https:' ? '443' : '80'),
  };
  return new Promise((resolve, reject) => {
    connect(target, (error, socket) => {
      socket?.destroy();
      if (error) reject(error);
      else resolve();
    });
  });
}
