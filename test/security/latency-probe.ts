import { Agent, type RequestOptions, request } from 'node:http';

/** How long requests took that were sent one after the other, ms, sorted. */
export type Latencies = readonly number[];

/** What a tenant and a load balancer see of a gateway meanwhile. */
export interface ProbeResult {
  /** Of the tenant's cached answer, over one connection. */
  readonly neighbour: Latencies;
  /** Of `/health`, over one connection. */
  readonly health: Latencies;
  /** Of a server that does nothing else, in the same way and at the same time: the part of the machine. */
  readonly control: Latencies;
}

export interface ProbeOptions {
  /** Of the GraphQL endpoint. */
  readonly url: string;
  readonly controlUrl: string;
  /** The tenant's API key. */
  readonly key: string;
  readonly signal: AbortSignal;
}

const PAUSE_MS = { neighbour: 5, health: 10 };

/** An operation that the gateway answers from its memory from the second time on. */
const OPERATION = JSON.stringify({ query: '{ assistants(first: 5) { nodes { id name } } }' });

/**
 * Sends the tenant's operation, and `/health` beside it, until the signal aborts.
 * @throws Error for an answer that is not the one that was asked for
 */
export async function probe({ url, controlUrl, key, signal }: ProbeOptions): Promise<ProbeResult> {
  const [agent, healthAgent, controlAgent] = [createAgent(), createAgent(), createAgent()];
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    authorization: `Bearer ${key}`,
  };
  const [neighbour, health, control] = await Promise.all([
    repeat(signal, PAUSE_MS.neighbour, async () => {
      const answer = await send(url, { method: 'POST', headers, agent }, OPERATION);
      if (!/^\{"data":\{"assistants":\{"nodes":\[\{"id"/.test(answer.text))
        throw new Error(`The tenant got ${describeResponse(answer)}`);
    }),
    repeat(signal, PAUSE_MS.health, async () => {
      const answer = await send(new URL('/health', url).href, { agent: healthAgent });
      if (answer.status !== 200) throw new Error(`/health answered ${describeResponse(answer)}`);
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

/** Of one connection that is kept. */
function createAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** The value below which this share of the latencies stands. */
export function quantile(latencies: Latencies, share: number): number {
  return (
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN
  );
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
