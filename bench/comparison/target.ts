import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { kindOf, kinds, type Operation, type OperationKind, type OperationName } from '../fixture/operations.ts';
import { type Client, createClient, type Load } from '../harness/load.ts';
import { type ServerProcess, startServer, type UpstreamProcess } from '../harness/start.ts';
import { HEADERS, type Target } from '../targets.ts';

/** A contender that has been started, and what is known of it so far. */
export interface MeasuredTarget extends AsyncDisposable {
  readonly target: Target;
  readonly served: ServerProcess;
  readonly client: Client;
  /** One a round. */
  readonly loads: ReadonlyMap<OperationName, Load[]>;
  /** The same, as a multiple of the baseline's in the same round. */
  readonly ratios: ReadonlyMap<OperationName, number[]>;
  readonly requests?: RequestCounts;
  /** After the first two Q3. */
  readonly firstRssBytes: number;
  /** After each round of Q3. */
  readonly rssBytes: number[];
  latency?: Latency;
}

/** Upstream requests of Q3: asked for the first time, and again; and by `CONCURRENT_OPERATIONS` at once for the first time. */
export interface RequestCounts {
  readonly first: number;
  readonly repeated: number;
  readonly concurrent: number;
}

/** What it adds to what the upstream takes, ms: of questions that it has not heard before, and of one that it has. */
export interface Latency {
  readonly cold: readonly number[];
  readonly warm: readonly number[];
}

const CONNECTIONS = 16;
export const CONCURRENT_OPERATIONS = 32;
export const SLOW_UPSTREAM_MS = 40;

/** Different questions that are asked in turn of those who remember nothing: so that no question joins another that is under way. */
const DISTINCT_OPERATIONS = 64;
/** Asked of none before. */
const FIRST_UNUSED = 1_000;
/** At low load: the pause before each question, ms. */
const PAUSE_MS = 4;

export async function startTarget(target: Target, upstream: UpstreamProcess): Promise<MeasuredTarget> {
  const concurrent = target.isGateway ? await countConcurrent(target, upstream) : 0;
  const served = await startServer(target.start(upstream.url));
  const client = createClient(served, HEADERS, CONNECTIONS);
  const operation = kindOf('Q3').at(FIRST_UNUSED);
  const requests = target.isGateway && {
    first: await countRequests(upstream, () => client.check(operation)),
    repeated: await countRequests(upstream, () => client.check(operation)),
    concurrent,
  };
  const empty = () => new Map(kinds.map(({ name }) => [name, []]));
  return {
    target,
    served,
    client,
    ...(requests && { requests }),
    loads: empty(),
    ratios: empty(),
    firstRssBytes: (await served.measure()).rssBytes,
    rssBytes: [],
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
    },
  };
}

/** Of one that has just been started. The upstream takes its time, so that all of them are surely there at once. */
async function countConcurrent(target: Target, upstream: UpstreamProcess): Promise<number> {
  await using served = await startServer(target.start(upstream.url));
  await using client = createClient(served, HEADERS, CONCURRENT_OPERATIONS);
  const operation = kindOf('Q3').at(FIRST_UNUSED);
  await upstream.takeCounts({ delayMs: SLOW_UPSTREAM_MS });
  const requests = await countRequests(upstream, () =>
    Promise.all(Array.from({ length: CONCURRENT_OPERATIONS }, () => client.check(operation))),
  );
  await upstream.takeCounts({ delayMs: 0 });
  return requests;
}

async function countRequests(upstream: UpstreamProcess, act: () => Promise<unknown>): Promise<number> {
  await upstream.takeCounts();
  await act();
  return Object.values(await upstream.takeCounts()).reduce((sum, one) => sum + one, 0);
}

export async function checkAllOperations({ client }: MeasuredTarget): Promise<void> {
  for (const kind of kinds) for (const number of [0, 1]) await client.check(kind.at(number));
}

/** The same one of those who remember; of the others a different one each time. */
export function operationsFor({ target }: MeasuredTarget, kind: OperationKind): readonly Operation[] {
  return Array.from({ length: target.isCaching ? 1 : DISTINCT_OPERATIONS }, (_, number) => kind.at(number));
}

/** One question at a time, over a slow upstream, beside each the same one to the upstream itself. */
export async function measureLatency(
  { client, target }: MeasuredTarget,
  upstream: UpstreamProcess,
  { cold, warm }: { cold: number; warm: number },
): Promise<Latency> {
  const direct = new Pool(new URL(upstream.url).origin, { connections: 1 });
  const q1 = kindOf('Q1');
  const added: Latency & { cold: number[]; warm: number[] } = { cold: [], warm: [] };
  await upstream.takeCounts({ delayMs: SLOW_UPSTREAM_MS });
  for (let index = 0; index < cold; index += 1) {
    const operation = q1.at(FIRST_UNUSED + index);
    await sleep(PAUSE_MS);
    const viaTarget = await client.latency(operation);
    await sleep(PAUSE_MS);
    added.cold.push(viaTarget - (await latencyOf(direct, `/api/call/${operation.variables?.id}`)));
  }
  for (let place = 0; target.isCaching && place < warm; place += 1) {
    await sleep(PAUSE_MS);
    added.warm.push(await client.latency(q1.at(FIRST_UNUSED)));
  }
  await upstream.takeCounts({ delayMs: 0 });
  await direct.close();
  return added;
}

async function latencyOf(pool: Pool, path: string): Promise<number> {
  const startedAt = performance.now();
  const { body } = await pool.request({ method: 'GET', path, headers: HEADERS });
  await body.bytes();
  return performance.now() - startedAt;
}
