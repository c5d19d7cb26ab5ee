import { freePort, type GatewayProcess, startGateway } from '../sockets/demo-process.ts';
import { type EventStream, readEventStream } from '../support/event-stream.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts';

const INSTANCES = 3;

export const INTERVAL_MS = 1_000;
export const WEBHOOK_SECRET = 'secret-of-webhooks-with-32-characters';
export { KEY_A, KEY_B };

/** A gateway in a process of its own. */
export interface Instance {
  readonly gateway: GatewayProcess;
  readonly url: string;
  /** Follows calls with one stream. */
  follow(ids: readonly string[], key?: string): Promise<CallStream>;
  subscribe(query: string, key?: string): Promise<EventStream>;
  /** The value of a metric, or 0. @param name as in the exposition, with its labels */
  metric(name: string): Promise<number>;
}

/** What a stream has shown of its calls. */
export interface CallStream {
  /** The latest state of each call: its status and its number. */
  states(): ReadonlyMap<string, string>;
  /** Everything that the stream has sent, as text. */
  text(): string;
  leave(): void;
}

/** Several gateways over one upstream and one Redis. */
export interface Instances extends AsyncDisposable {
  readonly upstream: RecordingUpstream;
  readonly all: readonly Instance[];
}

/** Starts three gateways that pass the keys of their callers through. */
export async function startInstances(
  settings: Readonly<Record<string, string>>,
): Promise<Instances> {
  const upstream = await startRecordingUpstream();
  const all: Instance[] = [];
  const start = () => startInstance({ REVOX_BASE_URL: upstream.url, ...settings });
  const dispose = async () => {
    for (const { gateway } of all) await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  };
  try {
    all.push(...(await Promise.all(Array.from({ length: INSTANCES }, start))));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { upstream, all, [Symbol.asyncDispose]: dispose };
}

async function startInstance(settings: Readonly<Record<string, string>>): Promise<Instance> {
  const port = await freePort();
  const gateway = startGateway([], {
    PORT: String(port),
    CACHE_SECRET: 'a secret that the instances share',
    // The machine may be busy: the tests are about claims, not about late replies.
    REDIS_TIMEOUT_MS: '1000',
    LIVE_CALL_MS: String(INTERVAL_MS),
    FRESHNESS_LIVE_CALL_MS: String(INTERVAL_MS / 2),
    LIVE_RATE: '500',
    LIVE_RATE_TOTAL: '1000',
    REVOX_MAX_CONCURRENCY: '200',
    WEBHOOK_SECRETS: WEBHOOK_SECRET,
    ...settings,
  });
  const line = await gateway.firstLine;
  if (line.startsWith('It ended:')) throw new Error(line);
  const origin = `http://127.0.0.1:${port}`;
  const subscribe = async (query: string, key = KEY_A) => {
    const abort = new AbortController();
    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${key}`,
      },
      body: JSON.stringify({ query }),
      signal: abort.signal,
    });
    const stream = await readEventStream(response, abort);
    if (stream.body !== undefined) throw new Error(`${response.status} ${stream.body}`);
    return stream;
  };
  return {
    gateway,
    url: origin,
    subscribe,
    async follow(ids, key) {
      const list = JSON.stringify(ids);
      const stream = await subscribe(
        `subscription { callsUpdated(ids: ${list}) { callId call { status toPhoneNumber } } }`,
        key,
      );
      const states = new Map<string, string>();
      let read = 0;
      return {
        states() {
          for (; read < stream.events.length; read += 1) {
            const { callId, call } = stream.events[read]?.data.callsUpdated ?? {};
            states.set(callId, `${call?.status} ${call?.toPhoneNumber}`);
          }
          return states;
        },
        text: stream.text,
        leave: stream.leave,
      };
    },
    async metric(name) {
      const text = await (await fetch(`${origin}/metrics`)).text();
      const found = text.split('\n').find((each) => each.startsWith(`revox_gateway_${name} `));
      return Number(found?.split(' ').at(-1) ?? 0);
    },
  };
}

/**
 * The times between two requests for the same path, in ms, of requests in a span of time.
 * @param isCounted which paths count. @default all
 */
export async function gapsOf(
  upstream: RecordingUpstream,
  span: { readonly from: number; readonly to: number },
  isCounted: (path: string) => boolean = () => true,
): Promise<Gaps> {
  const times = new Map<string, number[]>();
  for (const { path, at, organizationId } of await upstream.requests()) {
    if (at < span.from || at > span.to || !isCounted(path)) continue;
    const key = `${organizationId} ${path}`;
    times.set(key, [...(times.get(key) ?? []), at]);
  }
  const gaps = [...times.values()].flatMap((all) =>
    all.slice(1).map((at, index) => at - (all[index] ?? at)),
  );
  return {
    paths: times.size,
    requests: [...times.values()].flat().length,
    shortest: Math.min(...gaps),
    longest: Math.max(...gaps),
    closerThan: (ms) => gaps.filter((gap) => gap < ms).length,
  };
}

export interface Gaps {
  readonly paths: number;
  readonly requests: number;
  readonly shortest: number;
  readonly longest: number;
  closerThan(ms: number): number;
}
