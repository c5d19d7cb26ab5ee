/**
 * How the cost of one operation grows, of this gateway: with the number of different documents, and of different calls: `npm run bench:growth`, or with
 * `-- --short` to see that it works. Prints what it finds, and puts it into docs/performance.md. It ends by itself within ten minutes.
 */
import { HEADERS, ours } from './contenders.ts';
import { callIdOf } from './fixture/data.ts';
import { kindOf, type Operation } from './fixture/operations.ts';
import { giveUpAfter } from './process/deadline.ts';
import { type Client, createClient, type Load } from './process/load.ts';
import { median } from './process/median.ts';
import { publish, say, tellConditions, toTable } from './process/report.ts';
import { pinOneself, type Served, startServed, startUpstream } from './process/start.ts';

const isShort = process.argv.includes('--short');
const DOCUMENTS = [1, 10, 100, 1_000];
const CALLS = [100, 10_000, 1_000_000];
const ROUNDS = 5;
const ROUND_MS = isShort ? 400 : 2_000;
const WARM_UP_MS = isShort ? 2_000 : 4_000;
/** For asking for all calls once. */
const LONGEST_FILL_MS = isShort ? 10_000 : 240_000;
const LONGEST_MS = 590_000;
const CONNECTIONS = 16;
const CALLS_AN_OPERATION = 100;
/** Operations at a time while all calls are asked for once. */
const FILLING = 4;
/** Of the calls that have been asked for, so many are asked for again one by one, evenly spread. */
const ASKED_AGAIN = 10_000;
/** That end of the list that is asked for last: what is still remembered of many. */
const ASKED_LAST = 1_000;

giveUpAfter(LONGEST_MS);
pinOneself();
await using stack = new AsyncDisposableStack();
const upstream = stack.use(await startUpstream());

const documents = await inTurn(DOCUMENTS, measureDocuments);
const calls = await inTurn(CALLS, measureCalls);
publish('growth', toReport());

interface Steady {
  readonly cpuUs: number;
  readonly perSecond: number;
  /** Upstream requests of one operation. */
  readonly requests: number;
}

interface Grown {
  readonly count: number;
  readonly load: Steady;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

async function measureDocuments(count: number): Promise<Grown> {
  say(`${count} documents`);
  await using served = await startServed(ours.start(upstream.url));
  await using client = createClient(served, HEADERS, CONNECTIONS);
  const questions = Array.from({ length: count }, (_, number) => toDocument(number));
  await client.check(questions[0] as Operation);
  await client.check(questions.at(-1) as Operation);
  const load = await loadSteadily(client, questions);
  await client.check(questions.at(-1) as Operation);
  return { count, load, ...(await served.measure()) };
}

/** Q1 of the same call, in a document of its own. */
function toDocument(number: number): Operation {
  const { query, ...rest } = kindOf('Q1').at(0);
  return { ...rest, query: query.replace('query One', `query One${number}`) };
}

interface GrownCalls extends Grown {
  readonly asked: number;
  readonly fillSeconds: number;
  /** Of those asked for last. */
  readonly loadOfLast: Steady;
}

async function measureCalls(count: number): Promise<GrownCalls> {
  say(`${count} calls`);
  await using served = await startServed(ours.start(upstream.url));
  await using client = createClient(served, HEADERS, CONNECTIONS);
  const { asked, fillSeconds } = await fill(served, count);
  say(`asked for ${asked} calls in ${fillSeconds.toFixed(0)} s`);
  const q1 = kindOf('Q1');
  const last = Math.min(asked, ASKED_LAST);
  const again = Math.min(asked, ASKED_AGAIN);
  const lastOnes = Array.from({ length: last }, (_, place) => q1.at(asked - 1 - place));
  const spread = Array.from({ length: again }, (_, place) => q1.at(Math.floor((place * asked) / again)));
  const loadOfLast = await loadSteadily(client, lastOnes);
  const load = await loadSteadily(client, spread);
  await client.check(q1.at(asked - 1));
  await client.check(q1.at(0));
  return { count, asked, fillSeconds, load, loadOfLast, ...(await served.measure()) };
}

/** Asks for all calls once, a hundred an operation, as long as there is time. */
async function fill(served: Served, count: number): Promise<{ asked: number; fillSeconds: number }> {
  await using client = createClient(served, HEADERS, FILLING);
  const startedAt = performance.now();
  let asked = 0;
  const askOn = async () => {
    while (asked < count && performance.now() - startedAt < LONGEST_FILL_MS) {
      const first = asked;
      asked += CALLS_AN_OPERATION;
      await client.check(toCallsQuestion(first));
    }
  };
  await Promise.all(Array.from({ length: FILLING }, askOn));
  return { asked, fillSeconds: (performance.now() - startedAt) / 1000 };
}

function toCallsQuestion(first: number): Operation {
  const ids = Array.from({ length: CALLS_AN_OPERATION }, (_, place) => callIdOf(first + place));
  return {
    name: 'Q3',
    query: 'query Calls($ids: [ID!]!) { calls(ids: $ids) { id } }',
    variables: { ids },
    data: { calls: ids.map((id) => ({ id })) },
  };
}

/** After a while, the median of some rounds. */
async function loadSteadily(client: Client, questions: readonly Operation[]): Promise<Steady> {
  await client.load(questions, WARM_UP_MS);
  await upstream.tell();
  const loads: Load[] = [];
  for (let round = 0; round < ROUNDS; round += 1) loads.push(await client.load(questions, ROUND_MS));
  const requests = Object.values(await upstream.tell()).reduce((sum, one) => sum + one, 0);
  return {
    cpuUs: median(loads.map(({ cpuUs }) => cpuUs)),
    perSecond: median(loads.map(({ perSecond }) => perSecond)),
    requests: requests / loads.reduce((sum, { operations }) => sum + operations, 0),
  };
}

function toReport(): string {
  const how = `Each count in a process of its own; the median of ${ROUNDS} rounds of ${ROUND_MS} ms. Processor time and operations a second as a multiple of the first line's.`;
  const [firstOfDocuments, firstOfCalls] = [documents[0]?.load, calls[0]?.loadOfLast];
  return [
    tellConditions(how),
    'Q1 of one call, remembered, in so many different documents:',
    toTable(
      ['documents', 'processor time', 'operations a second', 'memory, MB', 'heap, MB'],
      documents.map((one) => [toCount(one.count), ...toMultiples(one.load, firstOfDocuments), ...toMemory(one)]),
    ),
    `So many different calls, asked for once by \`calls(ids:)\`, ${CALLS_AN_OPERATION} an operation, ${FILLING} operations at a time, and for no longer than ${LONGEST_FILL_MS / 1000} s; ` +
      `then Q1 of the ${toCount(ASKED_LAST)} asked for last, and of ${toCount(ASKED_AGAIN)} of all, in turn, again and again (the worst for a memory that holds fewer: what comes next is what it has just let go):`,
    toTable(
      [
        'calls',
        'reached',
        'calls a second',
        'of the last: processor time',
        'operations a second',
        'requests an operation',
        'of all: processor time',
        'operations a second',
        'requests an operation',
        'memory, MB',
        'heap, MB',
      ],
      calls.map((one) => [
        toCount(one.count),
        toCount(one.asked),
        (one.asked / one.fillSeconds).toFixed(0),
        ...toMultiples(one.loadOfLast, firstOfCalls),
        one.loadOfLast.requests.toFixed(2),
        ...toMultiples(one.load, firstOfCalls),
        one.load.requests.toFixed(2),
        ...toMemory(one),
      ]),
    ),
  ].join('\n\n');
}

function toMultiples({ cpuUs, perSecond }: Steady, first: Steady | undefined): string[] {
  if (!first) return [];
  return [(cpuUs / first.cpuUs).toFixed(2), (perSecond / first.perSecond).toFixed(2)];
}

function toMemory({ rssBytes, heapBytes }: Grown): string[] {
  return [rssBytes, heapBytes].map((bytes) => (bytes / 1e6).toFixed(0));
}

function toCount(count: number): string {
  return count.toLocaleString('en-US');
}

async function inTurn<T>(counts: readonly number[], measure: (count: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  for (const count of counts) results.push(await measure(count));
  return results;
}
