import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRestClient, type RestClientOptions } from '#rest/client.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createFetchTransport } from '#rest/transport/transport.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { isWebPage } from '#rest/transport/web-page.ts';
import { createUpstreamContext, NO_UPSTREAM_EVENTS } from '../support/upstream-context.ts';
import { createScene, idle, outcomeOf, upstreamRequest } from './client-scene.ts';
import { createManualTimers, listen, NO_TIMEOUTS } from './real-server.ts';

const HTML = '<html><title>Maintenance</title></html>';

/** A client over sockets; the test owns its timers. */
async function connect(respond: (response: ServerResponse, url: string) => void) {
  const server = await listen((response, { url = '' }) => respond(response, url));
  const timers = createManualTimers();
  const sockets = createUndiciTransport({ ...NO_TIMEOUTS, startTimer: timers.startTimer });
  onTestFinished(async () => {
    await sockets.close();
    await server[Symbol.asyncDispose]();
  });
  const options: RestClientOptions = {
    transport: sockets.transport,
    baseUrl: server.origin,
    timeoutMs: 10_000,
    maxConcurrency: 20,
    maxConcurrencyTotal: 100,
    maxQueued: 100,
    maxResponseBytes: 2 ** 20,
    retries: 0,
    breaker: { failures: 100, openMs: 1_000 },
    keyHolder: 'gateway',
    acceptedCredentials: createAcceptedCredentials({ keyHolder: 'gateway', monotonicNow: () => 0 }),
    events: NO_UPSTREAM_EVENTS,
    now: () => 0,
    monotonicNow: () => 0,
    random: () => 0,
    userAgent: 'a-gateway/1',
    ...timers,
  };
  const client = createRestClient(options);
  const send = (path = '/c') => {
    const pending = client.send(createUpstreamContext(), upstreamRequest(path));
    pending.catch(() => {});
    return pending;
  };
  return { send, timers, server };
}

const codeOf = (pending: Promise<unknown>) =>
  pending.then(
    () => 'succeeded',
    ({ code }: { code: string }) => code,
  );

describe('Web page by its body and its declared type', () => {
  const isPage = (body: string | Uint8Array, contentType?: string, contentLength?: string) =>
    isWebPage({
      header: (name) =>
        ({ 'content-type': contentType, 'content-length': contentLength })[name] ?? undefined,
      body: body.length === 0 ? [] : [Buffer.from(body)],
    });

  test.each([
    ['a tab', [0x09]],
    ['a line feed', [0x0a]],
    ['a form feed', [0x0c]],
    ['a carriage return', [0x0d]],
    ['a blank', [0x20]],
    ['a zero byte', [0x00]],
    ['the mark of UTF-8', [0xef, 0xbb, 0xbf]],
    ['the mark of UTF-16, big-endian', [0xfe, 0xff]],
    ['the mark of UTF-16, little-endian', [0xff, 0xfe]],
  ])('the body decides after %s', (_name, bytes) => {
    const follow = (text: string) => Buffer.concat([Buffer.from(bytes), Buffer.from(text)]);
    expect(isPage(follow(HTML), 'application/json')).toBe(true);
    for (const json of ['{}', '[]', '"x"']) expect(isPage(follow(json), 'text/html')).toBe(false);
  });

  test.each(['\u000b', '\u001b', '\u00a0', 'x', '1', '-', 't', '}', '(', '&'])(
    'the declared type decides when the body begins with %j',
    (start) => {
      for (const json of ['<', '{', '[', '"']) {
        expect(isPage(start + json, 'text/html')).toBe(true);
        expect(isPage(start + json, 'application/json')).toBe(false);
      }
    },
  );

  test.each([
    'text/html',
    'text/xml',
    'application/xml',
    'application/xhtml+xml',
    'application/problem+xml',
    'image/svg+xml',
    ' TEXT/HTML',
    'text/html; charset=utf-8',
    'text/html, application/json',
  ])('the type `%s` declares a page', (type) => {
    expect(isPage('Forbidden', type)).toBe(true);
    expect(isPage('', type)).toBe(true);
    expect(isPage('', type, '0')).toBe(false);
    expect(isPage('', type, '9')).toBe(true);
  });

  test.each([
    'text/plain',
    'text/htmlx',
    'application/html',
    'text/json',
    'application/json',
    'application/problem+json',
    'application/xml-dtd',
    'application/json; profile=text/html',
    '+xml',
    'xml',
    '',
    undefined,
  ])('the type `%s` declares no page', (type) => {
    expect(isPage('Forbidden', type)).toBe(false);
    expect(isPage('', type)).toBe(false);
  });
});

describe('Web page as an error body, over a socket', () => {
  test.each([
    ['a compressed page', { 'content-encoding': 'gzip' }, gzipSync(HTML)],
    [
      'a page in an unknown encoding',
      { 'content-type': 'text/html', 'content-encoding': 'x' },
      'x',
    ],
    ['a page after a kilobyte of white space', { 'content-type': 'text/html' }, ' '.repeat(2_000)],
    ['XHTML', { 'content-type': 'application/xhtml+xml' }, 'x'],
  ])('%s is recognized', async (_name, headers, body) => {
    const { send, server } = await connect((response) =>
      response.writeHead(404, headers).end(body),
    );
    expect(await codeOf(send())).toBe('UPSTREAM_INVALID_RESPONSE');
    expect(server.requests).toHaveLength(1);
  });

  test('a page that arrives byte by byte is recognized, and its connection is reused', async () => {
    const { send, server, timers } = await connect((response) => {
      response.writeHead(404).write('\n');
      setImmediate(() => {
        response.write(' ');
        setImmediate(() => response.end(HTML));
      });
    });
    expect(await codeOf(send())).toBe('UPSTREAM_INVALID_RESPONSE');
    while (timers.running.length > 0) await new Promise(setImmediate);
    await idle();
    expect(await codeOf(send())).toBe('UPSTREAM_INVALID_RESPONSE');
    expect([server.requests.length, server.connections]).toEqual([2, 1]);
  });

  test.each([
    ['declared as HTML', { 'content-type': 'text/html' }, 'UPSTREAM_INVALID_RESPONSE'],
    ['without a type', {}, 'UPSTREAM_REJECTED'],
  ])(
    'an error body %s that never arrives is awaited for a second',
    async (_name, headers, code) => {
      const { send, server, timers } = await connect((response) => {
        response.writeHead(404, headers);
        response.flushHeaders();
      });
      const pending = send();
      while (!timers.running.includes(1_000)) await new Promise(setImmediate);
      expect(await outcomeOf(pending)).toBe('waits');
      timers.elapse(1_000);
      expect(await codeOf(pending)).toBe(code);
      expect([server.requests.length, timers.running]).toEqual([1, []]);
    },
  );

  test('a connection that breaks after the head of an error leaves the status as it is', async () => {
    const { send, server } = await connect((response) => {
      response.writeHead(404, { 'content-length': 10 });
      response.flushHeaders();
      setImmediate(() => response.destroy());
    });
    expect(await codeOf(send())).toBe('UPSTREAM_REJECTED');
    expect(server.requests).toHaveLength(1);
  });
});

describe('Web page through a custom fetch', () => {
  test('the start of an error body is awaited for a second', async () => {
    const timers = createManualTimers();
    const fetch = async () => new Response(new ReadableStream(), { status: 404 });
    const scene = createScene([], {
      ...timers,
      transport: createFetchTransport(fetch, timers.startTimer),
    });
    const pending = scene.send();
    await idle();
    expect([timers.running.includes(1_000), await outcomeOf(pending)]).toEqual([true, 'waits']);
    timers.elapse(1_000);
    expect(await outcomeOf(pending)).toBe('UPSTREAM_REJECTED');
    expect(timers.running).toEqual([]);
  });
});

describe('Web page as a failure of the upstream', () => {
  const page =
    (status: number, headers: Record<string, string> = {}) =>
    () =>
      new Response(HTML, { status, headers });

  test.each([200, 302, 403, 404])(
    'web pages with status %i open the circuit of their endpoint',
    async (status) => {
      const scene = createScene([page(status)], {
        retries: 0,
        breaker: { failures: 2, openMs: 1_000 },
      });
      await outcomeOf(scene.send('/call/a'));
      await outcomeOf(scene.send('/call/b'));
      expect(await outcomeOf(scene.send('/call/c'))).toBe('UPSTREAM_UNAVAILABLE');
      expect(scene.sent).toEqual(['/call/a', '/call/b']);
    },
  );

  test('`Retry-After` and `x-should-retry` of a web page are obeyed', async () => {
    const scene = createScene([
      page(403, { 'retry-after': '3' }),
      page(403, { 'x-should-retry': 'false' }),
    ]);
    const pending = scene.send('/call/a');
    await idle();
    // `Retry-After` plus the jitter.
    expect([scene.sent.length, scene.timers.running]).toEqual([1, [3_250]]);
    await scene.pass(3_250);
    expect(await outcomeOf(pending)).toBe('UPSTREAM_INVALID_RESPONSE');
    expect(scene.sent).toEqual(['/call/a', '/call/a']);
  });

  test('a web page with status 401 is retried, and does not stop later requests of the key', async () => {
    const scene = createScene([page(401), page(401), page(401), () => Response.json({ id: 'c' })]);
    const pending = scene.send('/call/a');
    await scene.pass(250);
    await scene.pass(500);
    expect(await outcomeOf(pending)).toBe('UPSTREAM_INVALID_RESPONSE');
    expect(await outcomeOf(scene.send('/call/b'))).toBe('succeeded');
    expect(scene.sent).toEqual(['/call/a', '/call/a', '/call/a', '/call/b']);
  });
});
