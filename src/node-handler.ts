import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServerAdapter } from '@whatwg-node/server';

/** A handler as `node:http`, Express and similar servers call it. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Makes a handler for `node:http` or Express of a gateway's `fetch`. The body must not be read
 * before: mount the handler before any body parser.
 */
export function toNodeHandler(fetch: (request: Request) => Promise<Response>): NodeHandler {
  const adapter = createServerAdapter(fetch);
  return async (request, response) => {
    await adapter.handle(request, response);
  };
}
