/**
 * The upstream of live calls, a process of its own: `GET /api/call/{id}` with a call that changes
 * with each of its responses, with some of them, or not at all. It responds from prepared buffers.
 * The parent process may send `LiveUpstreamOptions`, and receives `LiveCounts` in return.
 *
 *     node bench/live/upstream.ts 21000 1000
 */
import { createServer } from 'node:http';
import { callIdOf, liveCallOf, REST_STAMP_MARK, STAMP_DIGITS, toStamp } from './calls.ts';

export interface LiveUpstreamOptions {
  /** A call changes with every n-th of its responses; 0: never. */
  readonly changeEvery?: number;
}

/** Requests since the previous report. */
export interface LiveCounts {
  readonly requests: number;
  /** The most requests of one call. */
  readonly mostOfOneCall: number;
  readonly seconds: number;
  /** The shortest time between two requests of one call, in ms. */
  readonly shortestGapMs: number;
}

interface LiveCall {
  readonly body: Buffer;
  readonly stampAt: number;
  requests: number;
  /** Responses; the first ones are made up, so that calls do not change together. */
  responses: number;
  requestedAt: number;
}

const [, , port, count] = process.argv;
const calls = new Map(
  Array.from({ length: Number(count) }, (_, index) => [callIdOf(index), createCall(index)]),
);
let changeEvery = 0;
let startedAt = performance.now();
let shortestGapMs = Number.POSITIVE_INFINITY;

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const call = calls.get((request.url ?? '').slice('/api/call/'.length));
  if (!call || !request.headers.authorization) {
    response.writeHead(call ? 401 : 404).end('{}');
    return;
  }
  const now = performance.now();
  shortestGapMs = Math.min(shortestGapMs, now - call.requestedAt);
  call.requestedAt = now;
  call.requests += 1;
  call.responses += 1;
  if (changeEvery > 0 && call.responses % changeEvery === 0) {
    call.body.write(toStamp(), call.stampAt, 'latin1');
  }
  response
    .writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': call.body.byteLength,
    })
    .end(call.body);
});
process.on('message', (options: LiveUpstreamOptions) => {
  changeEvery = options.changeEvery ?? changeEvery;
  process.send?.(takeCounts());
});
// Without its parent no process would end this one.
process.on('disconnect', () => process.exit());
server.listen(Number(port), '127.0.0.1', () => process.send?.('ready'));

function takeCounts(): LiveCounts {
  const requests = [...calls.values()].map((call) => call.requests);
  const counts = {
    requests: requests.reduce((sum, one) => sum + one, 0),
    mostOfOneCall: Math.max(...requests),
    seconds: (performance.now() - startedAt) / 1_000,
    shortestGapMs,
  };
  for (const call of calls.values()) call.requests = 0;
  startedAt = performance.now();
  shortestGapMs = Number.POSITIVE_INFINITY;
  return counts;
}

function createCall(index: number): LiveCall {
  const body = Buffer.from(JSON.stringify({ call: liveCallOf(index) }));
  const stampAt = body.indexOf(REST_STAMP_MARK) + REST_STAMP_MARK.length;
  body.write('0'.repeat(STAMP_DIGITS), stampAt, 'latin1');
  return {
    body,
    stampAt,
    requests: 0,
    responses: index,
    requestedAt: Number.NEGATIVE_INFINITY,
  };
}
