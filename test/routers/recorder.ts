import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { startListening } from './listen.ts';

/** A request of a router to the gateway, as received over the wire. */
export interface RecordedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly query: string;
  readonly variables?: {
    readonly representations?: readonly { readonly __typename: string; readonly id: string }[];
  };
  /** The status of the gateway's response. */
  readonly status: number;
}

/** A proxy between the router and the gateway that forwards requests unchanged and records them. */
export interface Recorder extends AsyncDisposable {
  readonly url: string;
  /**
   * Sets the gateway that receives the requests. The router keeps one address while each test
   * starts its own gateway.
   */
  forwardTo(gatewayUrl: string): void;
  /** The requests to that gateway since the last call. */
  requests(): RecordedRequest[];
}

/** Hop-by-hop headers, which the proxy does not forward. */
const HOP_BY_HOP = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
]);

export async function startRecorder(): Promise<Recorder> {
  const recorded: RecordedRequest[] = [];
  let gatewayUrl = '';
  const server = createServer(async (incoming, outgoing) => {
    try {
      const body = await text(incoming);
      const response = await fetch(gatewayUrl, {
        method: incoming.method ?? '',
        headers: toForwardedHeaders(Object.entries(incoming.headers)),
        body,
      });
      recorded.push({ ...JSON.parse(body), headers: incoming.headers, status: response.status });
      const responseBody = new Uint8Array(await response.arrayBuffer());
      outgoing.writeHead(
        response.status,
        Object.fromEntries(toForwardedHeaders([...response.headers])),
      );
      outgoing.end(responseBody);
    } catch {
      // The router sees a lost connection, and the test fails because the result is incomplete.
      incoming.socket.destroy();
    }
  });
  const { url, close } = await startListening(server);
  return {
    url: `${url}/graphql`,
    forwardTo(next) {
      gatewayUrl = next;
      recorded.length = 0;
    },
    requests: () => recorded.splice(0),
    [Symbol.asyncDispose]: close,
  };
}

function toForwardedHeaders(
  headers: readonly (readonly [string, string | readonly string[] | undefined])[],
): [string, string][] {
  return headers
    .filter(([name]) => !HOP_BY_HOP.has(name))
    .map(([name, value]) => [name, String(value)]);
}
