import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import { createRestClient, type RestClientOptions } from '#rest/client.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createFetchTransport, type Transport } from '#rest/transport/transport.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import type { Budget } from '#rest/upstream-context.ts';
import type { UpstreamRequest } from '#rest/upstream-request.ts';
import {
  createBudget,
  createUpstreamContext,
  NO_UPSTREAM_EVENTS,
} from '../support/upstream-context.ts';
import { createManualTimers, listen, NO_TIMEOUTS } from './real-server.ts';

const TIMEOUT_MS = 10_000;
const MIB = 2 ** 20;
const LONG = JSON.stringify({ call: { id: 'c', transcript: 'x'.repeat(4 * MIB) } });

function createClient(
  baseUrl: string,
  transport: Transport,
  options: Partial<RestClientOptions> = {},
) {
  const timers = createManualTimers();
  const client = createRestClient({
    transport,
    userAgent: 'a-gateway/1',
    baseUrl,
    timeoutMs: TIMEOUT_MS,
    maxConcurrency: 1,
    maxConcurrencyTotal: 100,
    maxQueued: 100,
    retries: 2,
    breaker: { failures: 1, openMs: 1_000 },
    events: NO_UPSTREAM_EVENTS,
    monotonicNow: () => 0,
    random: () => 0,
    maxResponseBytes: 32 * MIB,
    keyHolder: 'gateway',
    acceptedCredentials: createAcceptedCredentials({ keyHolder: 'gateway', monotonicNow: () => 0 }),
    now: () => 0,
    ...timers,
    ...options,
  });
  const send = (
    path: string,
    budget: Budget = createBudget(),
    signal: AbortSignal = new AbortController().signal,
  ) => {
    const pending = client.send(createUpstreamContext({ budget, signal }), upstreamRequest(path));
    pending.catch(() => {});
    return pending;
  };
  return { send, timers, client };
}

function upstreamRequest(path: string): UpstreamRequest<unknown> {
  return { endpoint: '/call/{id}', path, query: '', parse: (body) => body };
}

function createSocketTransport(bodyMs = 0) {
  const sockets = createUndiciTransport({ ...NO_TIMEOUTS, bodyMs });
  onTestFinished(() => sockets.close());
  return sockets.transport;
}

/**
 * A budget that pauses each body at its first chunk, until the test resolves or rejects the pause.
 */
function createPausingBudget() {
  const pause = Promise.withResolvers<void>();
  const paused = Promise.withResolvers<void>();
  pause.promise.catch(() => {});
  let bytes = 0;
  const budget = createBudget({
    consumeBytes(more) {
      bytes += more;
      paused.resolve();
      return pause.promise;
    },
  });
  return {
    budget,
    readOn: pause.resolve,
    giveUp: pause.reject,
    paused: paused.promise,
    bytes: () => bytes,
  };
}

describe.each([
  { encoding: 'no encoding', headers: {}, body: Buffer.from(LONG) },
  { encoding: 'gzip', headers: { 'content-encoding': 'gzip' }, body: gzipSync(LONG, { level: 0 }) },
])('Paused response body ($encoding)', ({ headers, body }) => {
  const sendLong = (response: ServerResponse) => void response.writeHead(200, headers).end(body);

  test('a paused body is not read, has no time limit, frees its slot for another request, and is read to its end afterwards', async () => {
    await using server = await listen((response, { url }) => {
      if (url === '/long') sendLong(response);
      else if (url === '/stalled') response.writeHead(200).write('{');
      else response.end('{}');
    });
    const breaker = { failures: 100, openMs: 1_000 };
    const { send, timers, client } = createClient(server.origin, createSocketTransport(1), {
      breaker,
    });
    const { budget, readOn, paused, bytes } = createPausingBudget();

    const pending = send('/long', budget);
    await paused;
    // A body that is not paused runs into the transport's time limit of one millisecond.
    await expect(send('/stalled')).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    expect([timers.running, bytes() < MIB, client.state.inFlight]).toEqual([[], true, 0]);
    expect((await send('/short')).status).toBe(200);

    readOn();
    expect(JSON.stringify((await pending).value) === LONG).toBe(true);
    expect([bytes(), timers.running, client.state.inFlight]).toEqual([LONG.length, [], 0]);
  });

  test('a body that resumes gets its whole timeout again', async () => {
    await using server = await listen((response) => {
      response.writeHead(200, headers).write(body.subarray(0, MIB));
    });
    const { send, timers } = createClient(server.origin, createSocketTransport(), { retries: 0 });
    const { budget, readOn, paused } = createPausingBudget();
    const pending = send('/long', budget);
    await paused;
    expect(timers.running).toEqual([]);
    readOn();
    await new Promise(setImmediate);
    expect(timers.running).toEqual([TIMEOUT_MS]);
    timers.elapse(TIMEOUT_MS);
    await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  test.each(['its operation ends', 'its budget says so'])(
    'a paused body is abandoned when %s, and its connection is closed',
    async (why) => {
      const disconnected = Promise.withResolvers<void>();
      await using server = await listen((response) => {
        response.on('close', disconnected.resolve);
        sendLong(response);
      });
      const { send, timers } = createClient(server.origin, createSocketTransport());
      const { budget, giveUp, paused, bytes } = createPausingBudget();
      const ending = new AbortController();
      const pending = send('/long', budget, ending.signal);
      await paused;
      if (why === 'its operation ends') {
        ending.abort();
        await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
      } else {
        giveUp(new BudgetExceededError('bytes', 1));
        await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_BUDGET_EXCEEDED' });
      }
      await disconnected.promise;
      expect(bytes()).toBeLessThan(MIB);
      expect(server.requests).toHaveLength(1);
      expect(timers.running).not.toContain(TIMEOUT_MS);
    },
  );
});

describe('Byte budget of a response body', () => {
  test('a body over the byte budget is abandoned while it arrives, is not requested again and is not a failure of the upstream', async () => {
    const disconnected = Promise.withResolvers<void>();
    await using server = await listen((response, { url }) => {
      if (url !== '/endless') return response.end('{}');
      response.on('close', disconnected.resolve);
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
      };
      response.writeHead(200).on('drain', write);
      return write();
    });
    const { send } = createClient(server.origin, createSocketTransport(), { maxConcurrency: 2 });
    let bytes = 0;
    const budget = createBudget({
      consumeBytes(more) {
        bytes += more;
        if (bytes > MIB) throw new BudgetExceededError('bytes', MIB);
        return undefined;
      },
    });
    await expect(send('/endless', budget)).rejects.toBeInstanceOf(BudgetExceededError);
    await disconnected.promise;
    expect(bytes).toBeLessThan(2 * MIB);
    // The breaker would open at the first failure.
    expect((await send('/c')).status).toBe(200);
    expect(server.requests.map(({ url }) => url)).toEqual(['/endless', '/c']);
  });
});

describe('Aborted operation', () => {
  test('after an abort the client neither parses the received bodies nor sends the queued requests', async () => {
    const clock = { now: 0 };
    const arrived: ((response: Response) => void)[] = [];
    const sent: string[] = [];
    const transport = createFetchTransport(({ url }) => {
      sent.push(new URL(url).pathname);
      return new Promise((resolve) => arrived.push(resolve));
    });
    const { send } = createClient('http://revox.test', transport, {
      maxConcurrency: 2,
      monotonicNow: () => clock.now,
    });
    const { parse } = JSON;
    let parsed = 0;
    const spy = vi.spyOn(JSON, 'parse').mockImplementation((text, reviver) => {
      if (text.length === 100_000) {
        parsed += 1;
        clock.now += 5;
      }
      return parse(text, reviver);
    });
    onTestFinished(() => spy.mockRestore());
    const ending = new AbortController();
    const pending = ['/a', '/b', '/c'].map((path) => send(path, createBudget(), ending.signal));
    while (arrived.length < 2) await new Promise(setImmediate);
    // The parse of the first body uses up its time slice.
    pending[0]?.then(() => ending.abort());
    for (const respond of arrived) respond(new Response('1'.padEnd(100_000)));

    const outcomes = await Promise.allSettled(pending);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await new Promise(setImmediate);
    expect(parsed).toBe(1);
    expect(sent).toEqual(['/a', '/b']);
  });
});

test('a Fetch transport pauses response bodies like a socket transport', async () => {
  let pulled = 0;
  const body = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(Buffer.from(pulled === 1 ? '{"call":' : `{"id":"c"}}${' '.repeat(10)}`));
      if (pulled === 2) controller.close();
    },
  });
  const { send } = createClient(
    'http://revox.test',
    createFetchTransport(async () => new Response(body)),
  );
  const { budget, readOn, paused } = createPausingBudget();
  const pending = send('/c', budget);
  await paused;
  await new Promise(setImmediate);
  expect(pulled).toBe(2);
  readOn();
  expect((await pending).value).toEqual({ call: { id: 'c' } });
});
