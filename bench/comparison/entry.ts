import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { type Contender, HEADERS } from '../contenders.ts';
import { kindOf, kinds, type Operation, type OperationKind, type OperationName } from '../fixture/operations.ts';
import { type Client, createClient, type Load } from '../process/load.ts';
import { type Served, startServed, type Upstream } from '../process/start.ts';

/** A contender that has been started, and what is known of it so far. */
export interface Entry extends AsyncDisposable {
  readonly contender: Contender;
  readonly served: Served;
  readonly client: Client;
  /** One a round. */
  readonly loads: ReadonlyMap<OperationName, Load[]>;
  /** The same, as a multiple of the baseline's in the same round. */
  readonly ratios: ReadonlyMap<OperationName, number[]>;
  readonly requests?: Requests;
  /** After the first two Q3. */
  readonly firstRssBytes: number;
  /** After each round of Q3. */
  readonly rssBytes: number[];
  latency?: Latency;
}

/** Upstream requests of Q3: asked for the first time, and again; and by `AT_ONCE` at once for the first time. */
export interface Requests {
  readonly first: number;
  readonly again: number;
  readonly atOnce: number;
}

/** What it adds to what the upstream takes, ms: of questions that it has not heard before, and of one that it has. */
export interface Latency {
  readonly cold: readonly number[];
  readonly warm: readonly number[];
}

const CONNECTIONS = 16;
export const AT_ONCE = 32;
export const SLOW_UPSTREAM_MS = 40;

/** Different questions that are asked in turn of those who remember nothing: so that no question joins another that is under way. */
const VARIETY = 64;
/** Asked of none before. */
const FRESH = 1_000;
/** At low load: the pause before each question, ms. */
const PAUSE_MS = 4;

export async function enter(contender: Contender, upstream: Upstream): Promise<Entry> {
  const atOnce = contender.isGateway ? await countAtOnce(contender, upstream) : 0;
  const served = await startServed(contender.start(upstream.url));
  const client = createClient(served, HEADERS, CONNECTIONS);
  const question = kindOf('Q3').at(FRESH);
  const requests = contender.isGateway && {
    first: await count(upstream, () => client.check(question)),
    again: await count(upstream, () => client.check(question)),
    atOnce,
  };
  const empty = () => new Map(kinds.map(({ name }) => [name, []]));
  return {
    contender,
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
async function countAtOnce(contender: Contender, upstream: Upstream): Promise<number> {
  await using served = await startServed(contender.start(upstream.url));
  await using client = createClient(served, HEADERS, AT_ONCE);
  const question = kindOf('Q3').at(FRESH);
  await upstream.tell({ delayMs: SLOW_UPSTREAM_MS });
  const requests = await count(upstream, () => Promise.all(Array.from({ length: AT_ONCE }, () => client.check(question))));
  await upstream.tell({ delayMs: 0 });
  return requests;
}

async function count(upstream: Upstream, act: () => Promise<unknown>): Promise<number> {
  await upstream.tell();
  await act();
  return Object.values(await upstream.tell()).reduce((sum, one) => sum + one, 0);
}

export async function checkAll({ client }: Entry): Promise<void> {
  for (const kind of kinds) for (const number of [0, 1]) await client.check(kind.at(number));
}

/** The same one of those who remember; of the others a different one each time. */
export function questionsFor({ contender }: Entry, kind: OperationKind): readonly Operation[] {
  return Array.from({ length: contender.remembers ? 1 : VARIETY }, (_, number) => kind.at(number));
}

/** One question at a time, over a slow upstream, beside each the same one to the upstream itself. */
export async function measureLatency(
  { client, contender }: Entry,
  upstream: Upstream,
  { cold, warm }: { cold: number; warm: number },
): Promise<Latency> {
  const direct = new Pool(new URL(upstream.url).origin, { connections: 1 });
  const q1 = kindOf('Q1');
  const added: Latency & { cold: number[]; warm: number[] } = { cold: [], warm: [] };
  await upstream.tell({ delayMs: SLOW_UPSTREAM_MS });
  for (let place = 0; place < cold; place += 1) {
    const question = q1.at(FRESH + place);
    await sleep(PAUSE_MS);
    const through = await client.latency(question);
    await sleep(PAUSE_MS);
    added.cold.push(through - (await latencyOf(direct, `/api/call/${question.variables?.id}`)));
  }
  for (let place = 0; contender.remembers && place < warm; place += 1) {
    await sleep(PAUSE_MS);
    added.warm.push(await client.latency(q1.at(FRESH)));
  }
  await upstream.tell({ delayMs: 0 });
  await direct.close();
  return added;
}

async function latencyOf(pool: Pool, path: string): Promise<number> {
  const startedAt = performance.now();
  const { body } = await pool.request({ method: 'GET', path, headers: HEADERS });
  await body.bytes();
  return performance.now() - startedAt;
}
