import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { startListening } from './listen.ts';

/** A request of a router to the gateway, as it came over the wire. */
export interface RecordedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly query: string;
  readonly variables?: {
    readonly representations?: readonly { readonly __typename: string; readonly id: string }[];
  };
  /** What the gateway answered. */
  readonly status: number;
}

/** Stands at the gateway's address for a router, passes everything on as it is, and knows what it was. */
export interface Recorder extends AsyncDisposable {
  readonly url: string;
  /** The gateway that is meant from now on: a router keeps its address, while each test brings a gateway of its own. */
  forwardTo(gatewayUrl: string): void;
  /** The requests to that gateway since the last time this was called. */
  requests(): RecordedRequest[];
}

/** Of one connection, and not of the request: the next one has its own. */
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
      const answer = new Uint8Array(await response.arrayBuffer());
      outgoing.writeHead(
        response.status,
        Object.fromEntries(toForwardedHeaders([...response.headers])),
      );
      outgoing.end(answer);
    } catch {
      // As if nobody were there. A test that meets this fails by what is missing.
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
