import { Agent, type RequestOptions, request } from 'node:http';

/** Latencies of sequential requests in ms, sorted. */
export type Latencies = readonly number[];

/** The latencies of a tenant, of a load balancer and of the control server. */
export interface ProbeResult {
  /** Latencies of the tenant's cached response, over one connection. */
  readonly neighbour: Latencies;
  /** Latencies of `/health`, over one connection. */
  readonly health: Latencies;
  /**
   * Latencies of a server that does nothing else, measured in the same way: the machine's share.
   */
  readonly control: Latencies;
}

export interface ProbeOptions {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  readonly controlUrl: string;
  /** The tenant's API key. */
  readonly key: string;
  /** Further headers of the tenant. @default none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

const PAUSE_MS = { neighbour: 5, health: 10 };

/** An operation that the gateway serves from its cache after the first time. */
const OPERATION = JSON.stringify({ query: '{ assistants(first: 5) { nodes { id name } } }' });

/**
 * Sends the tenant's operation, and `/health` beside it, until the signal aborts.
 * @throws Error if a response is not the expected one
 */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const { url, controlUrl, key, signal } = options;
  const [agent, healthAgent, controlAgent] = [createAgent(), createAgent(), createAgent()];
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    authorization: `Bearer ${key}`,
    ...options.headers,
  };
  const [neighbour, health, control] = await Promise.all([
    repeat(signal, PAUSE_MS.neighbour, async () => {
      const response = await send(url, { method: 'POST', headers, agent }, OPERATION);
      if (!/^\{"data":\{"assistants":\{"nodes":\[\{"id"/.test(response.text))
        throw new Error(`The tenant received ${describeResponse(response)}`);
    }),
    repeat(signal, PAUSE_MS.health, async () => {
      const response = await send(new URL('/health', url).href, { agent: healthAgent });
      if (response.status !== 200)
        throw new Error(`/health responded with ${describeResponse(response)}`);
    }),
    repeat(
      signal,
      PAUSE_MS.health,
      async () => void (await send(controlUrl, { agent: controlAgent })),
    ),
  ]);
  for (const used of [agent, healthAgent, controlAgent]) used.destroy();
  return { neighbour, health, control };
}

/** An agent with one connection that is kept alive. */
function createAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** The value below which this share of the latencies lies. */
export function quantile(latencies: Latencies, share: number): number {
  return (
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN
  );
}

export function mean(latencies: Latencies): number {
  return latencies.reduce((sum, latency) => sum + latency, 0) / latencies.length;
}

async function repeat(
  signal: AbortSignal,
  pauseMs: number,
  act: () => Promise<void>,
): Promise<Latencies> {
  const latencies: number[] = [];
  do {
    const startedAt = performance.now();
    await act();
    latencies.push(performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  } while (!signal.aborted);
  return latencies.sort((one, other) => one - other);
}

interface ProbeResponse {
  readonly status: number | undefined;
  readonly text: string;
}

function send(url: string, options: RequestOptions, body?: string): Promise<ProbeResponse> {
  return new Promise((resolve, reject) => {
    const sending = request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', reject);
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

function describeResponse({ status, text }: ProbeResponse): string {
  return `${status} ${text.slice(0, 200)}`;
}
