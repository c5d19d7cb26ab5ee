import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServerAdapter } from '@whatwg-node/server';

/** What `node:http`, Express, and all that is made like them call. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Puts a gateway's `fetch` where a handler of `node:http` or Express is wanted. Nothing may have read the body before: mount it before any
 * parser of bodies.
 */
export function toNodeHandler(fetch: (request: Request) => Promise<Response>): NodeHandler {
  const adapter = createServerAdapter(fetch);
  return async (request, response) => {
    await adapter.handle(request, response);
  };
}
