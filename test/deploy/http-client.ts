import { once } from 'node:events';
import { Agent, request } from 'node:http';

/** The outcome of a request. The client never retries. */
export type Outcome =
  /** A complete response. */
  | {
      readonly kind: 'complete';
      readonly status: number;
      readonly body: string;
      readonly connection: string | undefined;
    }
  /** The connection was refused before anything was sent. */
  | { readonly kind: 'refused' }
  /** The request was at least partly sent, and the response is missing or incomplete. */
  | { readonly kind: 'lost'; readonly why: string };

export interface Client {
  post(query: string): Promise<Outcome>;
  close(): void;
}

/**
 * A client with one connection, kept alive as long as the server allows, or with one for each
 * request.
 */
export function createClient(url: string, { keepAlive }: { readonly keepAlive: boolean }): Client {
  const agent = new Agent({ keepAlive, maxSockets: 1 });
  return {
    close: () => agent.destroy(),
    async post(query) {
      const headers = { 'content-type': 'application/json' };
      const sent = request(url, { method: 'POST', agent, headers });
      sent.end(JSON.stringify({ query }));
      try {
        const [response] = await once(sent, 'response');
        const body = Buffer.concat(await response.toArray()).toString();
        return {
          kind: 'complete',
          status: response.statusCode,
          body,
          connection: response.headers.connection,
        };
      } catch (error) {
        const { syscall, message } = error as NodeJS.ErrnoException;
        return syscall === 'connect' ? { kind: 'refused' } : { kind: 'lost', why: message };
      }
    },
  };
}
