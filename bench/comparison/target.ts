import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import {
  kindOf,
  kinds,
  type Operation,
  type OperationKind,
  type OperationName,
} from '../fixture/operations.ts';
import { type Client, createClient, type Load } from '../harness/load.ts';
import { type ServerProcess, startServer, type UpstreamProcess } from '../harness/start.ts';
import { HEADERS, type Target } from '../targets.ts';

/** A started target and its measurements so far. */
export interface MeasuredTarget extends AsyncDisposable {
  readonly target: Target;
  readonly served: ServerProcess;
  readonly client: Client;
  /** One load per round. */
  readonly loads: ReadonlyMap<OperationName, Load[]>;
  /** Processor time of the baseline divided by the target's, per round. */
  readonly ratios: ReadonlyMap<OperationName, number[]>;
  readonly requests?: RequestCounts;
  /** After the first two Q3 operations. */
  readonly firstRssBytes: number;
  /** After each round of Q3. */
  readonly rssBytes: number[];
  latency?: Latency;
}

/**
 * Upstream requests of the first Q3, of a repeated Q3, and of `CONCURRENT_OPERATIONS` identical
 * first Q3 at once.
 */
export interface RequestCounts {
  readonly first: number;
  readonly repeated: number;
  readonly concurrent: number;
}

/**
 * In ms. `cold`: the latency of new operations beyond that of the upstream. `warm`: the latency of
 * a repeated operation.
 */
export interface Latency {
  readonly cold: readonly number[];
  readonly warm: readonly number[];
}

const CONNECTIONS = 16;
export const CONCURRENT_OPERATIONS = 32;
export const SLOW_UPSTREAM_MS = 40;

/**
 * Distinct operations sent in turn to targets without a cache, so that none of their requests are
 * coalesced.
 */
const DISTINCT_OPERATIONS = 64;
/** The first operation that no earlier measurement uses. */
const FIRST_UNUSED = 1_000;
/** The pause before each operation at low load, in ms. */
const PAUSE_MS = 4;

export async function startTarget(
  target: Target,
  upstream: UpstreamProcess,
): Promise<MeasuredTarget> {
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

/**
 * Uses a fresh process. The upstream delays its responses, so that all operations are in flight at
 * the same time.
 */
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

async function countRequests(
  upstream: UpstreamProcess,
  act: () => Promise<unknown>,
): Promise<number> {
  await upstream.takeCounts();
  await act();
  return Object.values(await upstream.takeCounts()).reduce((sum, one) => sum + one, 0);
}

export async function checkAllOperations({ client }: MeasuredTarget): Promise<void> {
  for (const kind of kinds) for (const number of [0, 1]) await client.check(kind.at(number));
}

/** One repeated operation for caching targets; distinct operations for the others. */
export function operationsFor(
  { target }: MeasuredTarget,
  kind: OperationKind,
): readonly Operation[] {
  return Array.from({ length: target.isCaching ? 1 : DISTINCT_OPERATIONS }, (_, number) =>
    kind.at(number),
  );
}

/**
 * One operation at a time, over a slow upstream, each followed by the same request to the upstream
 * itself.
 */
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
  for (let index = 0; target.isCaching && index < warm; index += 1) {
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
