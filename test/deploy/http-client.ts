import { once } from 'node:events';
import { Agent, request } from 'node:http';

/** What became of a request. Nothing is ever sent twice. */
export type Outcome =
  /** A whole answer. */
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: string;
      readonly connection: string | undefined;
    }
  /** There was no connection, and nothing has been sent. */
  | { readonly kind: 'refused' }
  /** It was sent, or begun, and there is no whole answer. */
  | { readonly kind: 'lost'; readonly why: string };

export interface Client {
  post(query: string): Promise<Outcome>;
  close(): void;
}

/** One connection, kept alive as long as the server lets it, or a new one for each request. */
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
          kind: 'answered',
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
