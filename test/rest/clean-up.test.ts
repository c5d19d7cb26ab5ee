import { getEventListeners, once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createBodyLimiter } from '#rest/resilience/body-limiter.ts';
import { abortable } from '#rest/transport/abortable.ts';
import { createJsonFetch } from '#rest/transport/json-fetch.ts';
import type { PendingResponse, TransportResponse } from '#rest/transport/transport.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import {
  connectionLost,
  createScene,
  found,
  idle,
  neverResponds,
  outcomeOf,
  status,
  TIMEOUT_MS,
  type UpstreamAct,
} from './client-scene.ts';
import { listenTcp, NO_TIMEOUTS } from './real-server.ts';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('Request of the client that has ended', () => {
  test.each<[name: string, acts: readonly UpstreamAct[], waits: readonly number[], code: string]>([
    ['a response', [found], [], 'succeeded'],
    ['a 404', [status(404)], [], 'UPSTREAM_REJECTED'],
    ['a 401', [status(401)], [], 'UNAUTHENTICATED'],
    ['a response that is not JSON', [() => new Response('x')], [], 'UPSTREAM_INVALID_RESPONSE'],
    ['a web page', [() => new Response('<html>')], [250, 500], 'UPSTREAM_INVALID_RESPONSE'],
    ['a retry', [connectionLost, found], [250], 'succeeded'],
    ['failed retries', [connectionLost], [250, 500], 'UPSTREAM_UNAVAILABLE'],
    ['its timeout', [neverResponds], [TIMEOUT_MS], 'UPSTREAM_TIMEOUT'],
    // A minute later the cooldown is forgotten, too.
    ['a cooldown', [status(429), found], [1_000], 'succeeded'],
    ['repeated cooldowns', [status(429)], [1_000, 2_000, 4_000, 60_000], 'RATE_LIMITED'],
  ])('after %s no timer and no listener is left', async (_name, acts, waits, code) => {
    const operation = new AbortController();
    const { send, pass, timers, client } = createScene(acts);
    const pending = send('/call/c', { signal: operation.signal });
    for (const ms of waits) await pass(ms);
    expect(await outcomeOf(pending)).toBe(code);
    expect([listenersOf(operation.signal), timers.running]).toEqual([0, []]);
    expect(client.state).toMatchObject({ queued: 0, inFlight: 0, coolingDown: 0 });
  });

  test.each<[name: string, acts: readonly UpstreamAct[], background: readonly number[]]>([
    ['in flight', [neverResponds], [1_000]],
    ['waiting for its retry', [connectionLost, found], []],
    ['waiting for the end of a cooldown', [status(429), found], [1_000, 60_000]],
  ])('a request that is aborted while %s leaves none', async (_name, acts, background) => {
    const operation = new AbortController();
    const { send, sent, pass, timers, client } = createScene(acts);
    const pending = send('/call/c', { signal: operation.signal });
    await idle();
    expect(listenersOf(operation.signal)).toBeGreaterThan(0);
    operation.abort();
    expect(await outcomeOf(pending)).toBe('UPSTREAM_TIMEOUT');
    expect(listenersOf(operation.signal)).toBe(0);
    // The slot of the aborted request, or the cooldown.
    for (const ms of background) {
      expect(timers.running).toEqual([ms]);
      await pass(ms);
    }
    expect(timers.running).toEqual([]);
    expect(client.state).toMatchObject({ queued: 0, inFlight: 0, coolingDown: 0 });
    expect(sent).toEqual(['/call/c']);
  });

  test('a request that waited in the queue leaves no listener', async () => {
    const operation = new AbortController();
    const responses: ((response: Response) => void)[] = [];
    const { send, timers } = createScene(
      [() => new Promise((resolve) => responses.push(resolve))],
      {
        maxConcurrency: 1,
      },
    );
    const pending = [send('/call/a'), send('/call/b', { signal: operation.signal })];
    await idle();
    expect(listenersOf(operation.signal)).toBe(1);
    for (let n = 0; n < 2; n += 1) {
      responses[n]?.(Response.json({}));
      await idle();
    }
    expect(await outcomeOf(Promise.all(pending))).toBe('succeeded');
    expect([listenersOf(operation.signal), timers.running]).toEqual([0, []]);
  });
});

describe('Promise that can be aborted', () => {
  test.each([
    ['fulfilled', () => Promise.resolve(1)],
    ['rejected', () => Promise.reject(new Error('no'))],
  ])('a %s promise leaves no listener', async (_name, create) => {
    const { signal } = new AbortController();
    const pending = abortable(signal, create());
    expect(listenersOf(signal)).toBe(1);
    await Promise.allSettled([pending]);
    await idle();
    expect(listenersOf(signal)).toBe(0);
  });

  test('a promise whose signal has aborted rejects with the reason of the signal', async () => {
    const never = new Promise<void>(() => {});
    await expect(abortable(AbortSignal.abort('too late'), never)).rejects.toBe('too late');
    const operation = new AbortController();
    const pending = abortable(operation.signal, never);
    operation.abort('too late');
    await expect(pending).rejects.toBe('too late');
    expect(listenersOf(operation.signal)).toBe(0);
  });
});

describe('JSON fetch that has ended', () => {
  const respond = (body: string): Promise<TransportResponse> =>
    Promise.resolve({ status: 200, header: () => undefined, body: [Buffer.from(body)] });

  test.each([
    ['a document', () => respond('{}')],
    ['a response that is not JSON', () => respond('oops')],
    ['a broken connection', () => Promise.reject(new Error('broken'))],
  ])('after %s no listener is left', async (_name, act) => {
    const { promise: response, resolve } = Promise.withResolvers<TransportResponse>();
    const transport = (): PendingResponse => ({ response, abort: () => {} });
    const request = new Request('http://id.test/keys');
    const pending = createJsonFetch(transport, 'a-gateway/1')(request);
    expect(listenersOf(request.signal)).toBe(1);
    resolve(act());
    await Promise.allSettled([pending]);
    expect(listenersOf(request.signal)).toBe(0);
  });
});

describe('Body limiter after its operations', () => {
  const MIB = 2 ** 20;

  test('an operation has one listener, and none after its end; the limiter keeps no credential and no caller', async () => {
    const set = vi.spyOn(Map.prototype, 'set');
    onTestFinished(() => set.mockRestore());
    const limiter = createBodyLimiter({ maxBytes: 2 * MIB });
    const open = (caller: string) => {
      const operation = new AbortController();
      const { signal } = operation;
      const budget = limiter.openBudget({
        credential: 'a key of its own',
        caller,
        signal,
        maxRequests: 10,
        maxBytes: 100 * MIB,
      });
      return { operation, budget, signal };
    };
    const [first, second] = [open('one caller'), open('another caller')];
    for (let chunk = 0; chunk < 20; chunk += 1) first.budget.consumeBytes(MIB / 10);
    const waiting = [1, 2].map(() => second.budget.consumeBytes(2 * MIB));
    const mapOf = (key: string) =>
      set.mock.contexts[set.mock.calls.findIndex(([name]) => name === key)] as Map<string, unknown>;
    const [credentials, callers] = [mapOf('a key of its own'), mapOf('one caller')];
    set.mockRestore();
    expect([listenersOf(first.signal), listenersOf(second.signal)]).toEqual([1, 1]);
    expect([credentials.size, callers.size]).toEqual([1, 2]);

    first.operation.abort();
    await Promise.all(waiting);
    expect([listenersOf(first.signal), listenersOf(second.signal)]).toEqual([0, 1]);
    expect([credentials.size, [...callers.keys()]]).toEqual([1, ['another caller']]);
    second.operation.abort();
    expect(listenersOf(second.signal)).toBe(0);
    expect([credentials.size, callers.size, limiter.reservedBytes]).toEqual([0, 0, 0]);
  });
});

describe('Transport that is closed', () => {
  const RESPONSE = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

  test.each(['directly', 'through a proxy'])(
    'the transport closes its connections %s: a kept one, one in use, and one for a request that was sent again',
    async (way) => {
      const acts: ((socket: Socket) => void)[] = [
        (socket) => socket.write(RESPONSE),
        (socket) => socket.resetAndDestroy(),
      ];
      const open = new Set<Socket>();
      const requested: string[] = [];
      await using server = await listenTcp((socket) => {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
        socket.on('data', (data) => {
          requested.push(/ \S*(\/\w*) /.exec(data.toString('latin1'))?.[1] ?? '');
          acts.shift()?.(socket);
        });
      });
      const isProxied = way === 'through a proxy';
      const { transport, close } = createUndiciTransport({
        ...NO_TIMEOUTS,
        proxies: isProxied ? { http: server.origin, https: undefined } : undefined,
      });
      const request = {
        origin: isProxied ? 'http://revox.test' : server.origin,
        headers: {},
        maxBytes: 1_000,
      };
      const untilRequested = async (count: number) => {
        while (requested.length < count) await new Promise(setImmediate);
      };
      await transport({ ...request, path: '/kept' }).response;
      await new Promise(setImmediate);
      const again = transport({ ...request, path: '/again' });
      await untilRequested(3);
      acts.push((socket) => socket.write(RESPONSE));
      await transport({ ...request, path: '/idle' }).response;
      await new Promise(setImmediate);
      const pending = transport({ ...request, path: '/pending' });
      await untilRequested(5);
      expect(requested).toEqual(['/kept', '/again', '/again', '/idle', '/pending']);
      const closed = Array.from(open, (socket) => once(socket, 'close'));
      const rejections = [again, pending].map(({ response }) => expect(response).rejects.toThrow());
      await close();
      await Promise.all([...closed, ...rejections]);
      expect(open.size).toBe(0);
    },
  );
});
