import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listenOnFreePort } from './served-gateway.ts';

/** A message that the router has received. */
export interface CallbackMessage {
  readonly action: string;
  /** The JSON text. */
  readonly text: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** When the message arrived, in ms. */
  readonly at: number;
  // biome-ignore lint/suspicious/noExplicitAny: results are as deep as their operations
  readonly payload?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly errors?: any;
}

/** A router that speaks Apollo Router's side of the HTTP callback protocol, and records it. */
export interface CallbackRouter extends AsyncDisposable {
  /** The URL below which each subscription has its own. */
  readonly url: string;
  readonly messages: CallbackMessage[];
  /** Messages whose response had not been sent when another one arrived. */
  readonly overlaps: () => number;
  /** Starts a subscription: `extensions.subscription` of its request. */
  register(id: string, heartbeatIntervalMs?: number): CallbackExtension;
  /** Ends a subscription: from now on its messages get 404. */
  forget(id: string): void;
  /** Replaces the response to the messages that it returns true for. Undefined: none any more. */
  override:
    | ((message: CallbackMessage, response: ServerResponse) => boolean | Promise<boolean>)
    | undefined;
  ofAction(action: string): CallbackMessage[];
  close(): Promise<void>;
}

export interface CallbackExtension {
  readonly callbackUrl: string;
  readonly subscriptionId: string;
  readonly verifier: string;
  readonly heartbeatIntervalMs: number;
}

const PATH = '/callback';

export async function startCallbackRouter(): Promise<CallbackRouter> {
  const verifiers = new Map<string, string>();
  const messages: CallbackMessage[] = [];
  let open = 0;
  let overlaps = 0;
  const server = createServer((request, response) => void receive(request, response));
  await listenOnFreePort((port) => listen(server, port));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const router: CallbackRouter = {
    url: `http://127.0.0.1:${port}${PATH}`,
    messages,
    overlaps: () => overlaps,
    register(id, heartbeatIntervalMs = 0) {
      const verifier = `verifier-of-${id}`;
      verifiers.set(id, verifier);
      const callbackUrl = `${router.url}/${id}`;
      return { callbackUrl, subscriptionId: id, verifier, heartbeatIntervalMs };
    },
    forget: (id) => verifiers.delete(id),
    override: undefined,
    ofAction: (wanted) => messages.filter(({ action }) => action === wanted),
    close,
    [Symbol.asyncDispose]: close,
  };
  return router;

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (open > 0) overlaps += 1;
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    let text = '';
    for await (const chunk of request) text += chunk;
    const { kind, action, id, verifier, payload, errors } = JSON.parse(text);
    const { url: path = '', headers, method } = request;
    const message = { action, text, path, headers, at: performance.now(), payload, errors };
    messages.push(message);
    if (await router.override?.(message, response)) return;
    const isWellFormed = method === 'POST' && kind === 'subscription' && path === `${PATH}/${id}`;
    response.writeHead(isWellFormed ? toStatus(action, id, verifier) : 400);
    response.end();
    if (action === 'complete') verifiers.delete(id);
  }

  function toStatus(action: string, id: string, verifier: string): number {
    if (!verifiers.has(id)) return 404;
    if (verifiers.get(id) !== verifier) return 401;
    return { check: 204, next: 200, complete: 202 }[action] ?? 400;
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
