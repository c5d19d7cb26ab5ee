import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';
import { text } from 'node:stream/consumers';
import { startListening } from './listen.ts';
import { createSocketRelay, type RecordedSocket } from './socket-relay.ts';

/** A request of a router to the gateway, as received over the wire. */
export interface RecordedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: string;
  readonly variables?: {
    readonly representations?: readonly { readonly __typename: string; readonly id: string }[];
  };
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** What a message of an HTTP callback is about. */
  readonly action?: string;
  /** The status of the gateway's response. */
  readonly status: number;
}

/**
 * A proxy between the router and the gateway that forwards requests unchanged and records them. It
 * forwards streams as they arrive, and the end of either side.
 */
export interface Recorder extends AsyncDisposable {
  readonly url: string;
  /**
   * Sets the gateway that receives the requests. The router keeps one address while each test
   * starts its own gateway.
   */
  forwardTo(gatewayUrl: string): void;
  /** The requests to that gateway since the last call, with the WebSockets that it refused. */
  requests(): RecordedRequest[];
  /** The WebSockets to that gateway: a list that grows. */
  sockets(): readonly RecordedSocket[];
}

/** Hop-by-hop headers, which the proxy does not forward. */
const HOP_BY_HOP = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
]);

export async function startRecorder(): Promise<Recorder> {
  const recorded: RecordedRequest[] = [];
  let sockets: RecordedSocket[] = [];
  let gatewayUrl = '';
  const server = createServer(async (incoming, outgoing) => {
    // The router sees a lost connection, and the test fails because the result is incomplete.
    const disconnect = () => incoming.socket.destroy();
    const body = await text(incoming);
    const target = new URL(incoming.url ?? '', gatewayUrl);
    const sent = forward(target, {
      method: incoming.method,
      headers: withoutHopByHop(incoming.headers),
    });
    sent.once('error', disconnect);
    sent.once('response', (response) => {
      recorded.push(toRecorded(incoming, target, body, response));
      relay(response, outgoing, disconnect);
    });
    outgoing.once('close', () => sent.destroy());
    sent.end(body);
  });
  server.on(
    'upgrade',
    createSocketRelay(
      (path) => new URL(path, gatewayUrl.replace('http', 'ws')),
      (socket) => sockets.push(socket),
      (headers, status) => recorded.push({ method: 'GET', headers, query: '', status }),
    ),
  );
  const { url, close } = await startListening(server);
  return {
    url: `${url}/graphql`,
    forwardTo(next) {
      gatewayUrl = next;
      recorded.length = 0;
      sockets = [];
    },
    requests: () => recorded.splice(0),
    sockets: () => sockets,
    [Symbol.asyncDispose]: close,
  };
}

function relay(response: IncomingMessage, outgoing: ServerResponse, disconnect: () => void): void {
  outgoing.writeHead(response.statusCode ?? 0, withoutHopByHop(response.headers));
  pipeline(response, outgoing, (error) => {
    if (error) disconnect();
  });
}

function toRecorded(
  { method = '', headers }: IncomingMessage,
  { searchParams }: URL,
  body: string,
  { statusCode = 0 }: IncomingMessage,
): RecordedRequest {
  const operation = body === '' ? { query: searchParams.get('query') } : JSON.parse(body);
  return { ...operation, method, headers, status: statusCode };
}

function withoutHopByHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}
