/**
 * The subscribers, a process of its own: there is no library between the bytes of a socket and the
 * clock. The parent process sends a `SubscribersRequest`, and receives a `SubscribersReport`.
 */
import { connect, type Socket } from 'node:net';
import { quantile } from '../harness/median.ts';
import { HEADERS } from '../targets.ts';
import { callIdOf, DOCUMENT, STAMP_DIGITS, STAMP_MARK, sinceStamp } from './calls.ts';
import { openWebSocket } from './websocket-client.ts';

export type LiveTransport = 'SSE' | 'WebSocket';

export type SubscribersRequest =
  | {
      readonly kind: 'open';
      readonly port: number;
      readonly transport: LiveTransport;
      readonly subscribers: number;
      readonly calls: number;
      /** Subscriptions of one socket; over SSE 1. */
      readonly perSocket: number;
    }
  | { readonly kind: 'report' }
  /** Opens and closes subscriptions of `calls` at this rate. */
  | {
      readonly kind: 'churn';
      readonly port: number;
      readonly perSecond: number;
      readonly seconds: number;
      readonly calls: number;
    }
  | { readonly kind: 'close' };

/** What has arrived since the previous report. */
export interface SubscribersReport {
  readonly open: number;
  readonly events: number;
  readonly seconds: number;
  /** From the response of the upstream to the bytes at the client, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Processor time of the subscribers' process, in ms. */
  readonly cpuMs: number;
  /** Streams that have ended, and how. */
  readonly ends: { readonly asked: number; readonly withRetry: number; readonly other: number };
  /** The most clients that would connect again in one second, if each obeys its `retry`. */
  readonly mostReconnects: number;
  /** From the first end to the last one, in ms. */
  readonly endedWithinMs: number;
}

/** Subscriptions that wait for their first event at the same time. */
const CONCURRENT_OPENS = 50;
const MARK = Buffer.from(STAMP_MARK);
/** A mark and its stamp. */
const MARKED_BYTES = MARK.byteLength + STAMP_DIGITS;
const RETRY_MARK = Buffer.from('retry: ');

const open = new Set<Socket>();
let latencies: number[] = [];
let events = 0;
let since = performance.now();
let cpuSince = process.cpuUsage();
let asked = 0;
let retries: number[] = [];
let endTimes: number[] = [];

if (process.send) {
  process.on('message', (request: SubscribersRequest) => {
    void handle(request).then((report) => process.send?.(report));
  });
  // Without its parent no process would end this one.
  process.on('disconnect', () => process.exit());
  process.send('ready');
}

async function handle(request: SubscribersRequest): Promise<SubscribersReport> {
  switch (request.kind) {
    case 'open':
      await openAll(request);
      break;
    case 'churn':
      await churn(request);
      break;
    case 'close':
      await closeAll([...open]);
      break;
    case 'report':
  }
  return takeReport();
}

async function openAll(request: SubscribersRequest & { kind: 'open' }): Promise<void> {
  const { port, transport, subscribers, calls, perSocket } = request;
  let next = 0;
  const openNext = async () => {
    while (next < subscribers) {
      const first = next;
      next += perSocket;
      const ids = Array.from({ length: perSocket }, (_, index) =>
        callIdOf((first + index) % calls),
      );
      if (transport === 'WebSocket') await follow(await openWebSocket(port, ids), perSocket);
      else await openStream(port, callIdOf(first % calls));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_OPENS }, openNext));
}

/** Resolves with its first event. */
function openStream(port: number, id: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  const body = JSON.stringify({ query: DOCUMENT, variables: { id } });
  socket.write(
    [
      'POST /graphql HTTP/1.1',
      `host: 127.0.0.1:${port}`,
      `authorization: ${HEADERS.authorization}`,
      'accept: text/event-stream',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
  return follow(socket);
}

/**
 * Counts the events of a connection. Resolves when each of its subscriptions has its first one.
 * @param subscriptions their number, as long as no call changes while they open
 */
function follow(socket: Socket, subscriptions = 1): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let firstEvents = 0;
    let retryMs: number | undefined;
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      const bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
      let next = 0;
      for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, next)) {
        const from = at + MARK.byteLength;
        if (from + STAMP_DIGITS > bytes.byteLength) break;
        next = from + STAMP_DIGITS;
        if (firstEvents === subscriptions) {
          events += 1;
          latencies.push(sinceStamp(bytes.toString('latin1', from, next)));
          continue;
        }
        firstEvents += 1;
        if (firstEvents < subscriptions) continue;
        open.add(socket);
        resolve(socket);
      }
      // Events of many subscriptions fill chunks, which end anywhere.
      rest = bytes.subarray(Math.max(next, bytes.byteLength - MARKED_BYTES + 1));
      const retryAt = chunk.indexOf(RETRY_MARK);
      if (retryAt !== -1)
        retryMs = Number.parseInt(chunk.toString('latin1', retryAt + RETRY_MARK.byteLength), 10);
      else if (!open.has(socket) && /^HTTP\/1.1 [^2]/.test(chunk.toString('latin1', 0, 12)))
        reject(new Error(chunk.toString('latin1', 0, 1_000)));
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (!open.delete(socket)) return;
      endTimes.push(performance.now());
      if (retryMs !== undefined) retries.push(performance.now() + retryMs);
    });
    socket.on('end', () => socket.end());
  });
}

async function closeAll(sockets: readonly Socket[]): Promise<void> {
  asked += sockets.length;
  await Promise.all(
    sockets.map((socket) => {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy();
      return closed;
    }),
  );
}

async function churn(request: SubscribersRequest & { kind: 'churn' }): Promise<void> {
  const { port, perSecond, seconds, calls } = request;
  const startedAt = performance.now();
  const opening: Promise<void>[] = [];
  for (let opened = 0; opened < perSecond * seconds; opened += 1) {
    const waitMs = startedAt + (opened * 1_000) / perSecond - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    opening.push(openStream(port, callIdOf(opened % calls)).then((socket) => closeAll([socket])));
  }
  await Promise.all(opening);
}

function takeReport(): SubscribersReport {
  const { user, system } = process.cpuUsage(cpuSince);
  const report: SubscribersReport = {
    open: open.size,
    events,
    seconds: (performance.now() - since) / 1_000,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    maxMs: quantile(latencies, 1),
    cpuMs: (user + system) / 1_000,
    ends: { asked, withRetry: retries.length, other: endTimes.length - asked - retries.length },
    mostReconnects: mostInOneSecond(retries),
    endedWithinMs: (endTimes.at(-1) ?? 0) - (endTimes[0] ?? 0),
  };
  [latencies, retries, endTimes] = [[], [], []];
  events = 0;
  asked = 0;
  since = performance.now();
  cpuSince = process.cpuUsage();
  return report;
}

/** The most of these times, in ms, that lie within one second. */
function mostInOneSecond(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other);
  let from = 0;
  return sorted.reduce((most, time, index) => {
    while ((sorted[from] ?? time) < time - 1_000) from += 1;
    return Math.max(most, index - from + 1);
  }, 0);
}
