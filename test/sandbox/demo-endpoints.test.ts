import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDemoEndpoints } from '#sandbox/demo-endpoints.ts';
import { createSandbox, type Sandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';

const headers = { authorization: 'Bearer sk_demo_a' };

describe('Endpoints of the demo', () => {
  let sandbox: Sandbox;
  let served: Awaited<ReturnType<typeof serveSandbox>>;
  let origin: string;

  beforeEach(async () => {
    sandbox = createSandbox();
    served = await listenOnFreePort((port) =>
      serveSandbox(sandbox, { host: '127.0.0.1', port, demo: createDemoEndpoints(sandbox) }),
    );
    origin = new URL(served.url).origin;
  });
  afterEach(() => served.close());

  async function send(command: unknown, contentType = 'application/json') {
    const body = typeof command === 'string' ? command : JSON.stringify(command);
    const response = await fetch(`${origin}/control`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    const json = (await response.json()) as { message?: string; id?: string };
    return { status: response.status, ...json };
  }

  const get = (path: string) => fetch(`${served.url}${path}`, { headers });
  const readCall = async (id: string) => (await (await get(`/call/${id}`)).json()).call;

  test('a recording of the data plays', async () => {
    const { calls } = await (await get('/call?page=1&page_size=50')).json();
    const { recording_url: url } = calls.find((attempt: { recording_url: string }) =>
      Boolean(attempt.recording_url),
    );
    expect(url.startsWith(`${origin}/recordings/`)).toBe(true);
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('audio/wav');
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.toString('latin1', 0, 4) + bytes.toString('latin1', 8, 12)).toBe('RIFFWAVE');
    expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
    expect(new Set(bytes.subarray(44)).size).toBeGreaterThan(50);
  });

  test('a failure ends after its times, and heal removes one without', async () => {
    const fail = { action: 'fail', path: '/campaigns', status: 429 };
    const retryAfter = { 'retry-after': '40' };
    expect(await send({ ...fail, headers: retryAfter, times: 1 })).toEqual({ status: 200 });
    const failed = await get('/campaigns');
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([429, '40']);
    expect((await get('/campaigns')).status).toBe(200);

    await send({ ...fail, status: 503 });
    expect((await get('/campaigns')).status).toBe(503);
    expect((await get('/assistants')).status).toBe(200);
    await send({ action: 'heal' });
    expect((await get('/campaigns')).status).toBe(200);
  });

  test('a value is replaced by one that the schema lacks', async () => {
    const id = sandbox.control.data('sk_demo_a').calls[0]!.id;
    await send({ action: 'replace', path: '/call/', property: 'status', value: 'on-hold' });
    expect(await readCall(id)).toMatchObject({ id, status: 'on-hold' });
  });

  test('a connection breaks', async () => {
    await send({ action: 'reset', path: '/campaigns', times: 1 });
    await expect(get('/campaigns')).rejects.toThrow('fetch failed');
    expect((await get('/campaigns')).status).toBe(200);
  });

  test('a started call rings, and ends on command', async () => {
    const times = { queueMs: 0, ringMs: 60_000, talkMs: 60_000 };
    const { id } = await send({ action: 'start-call', ...times });
    expect(await readCall(id!)).toMatchObject({
      status: 'calling',
      last_call_attempt: { status: 'ringing' },
    });
    expect(await send({ action: 'end-call', id })).toEqual({ status: 200 });
    expect(await readCall(id!)).toMatchObject({
      status: 'completed',
      last_call_attempt: { status: 'error', dial_error: 'no_answer' },
    });
    expect(await send({ action: 'end-call', id })).toEqual({
      status: 400,
      message: `No call in progress has the id "${id}".`,
    });
  });

  test('a call that was answered ends with what was said', async () => {
    const { id } = await send({ action: 'start-call', queueMs: 0, ringMs: 0, talkMs: 60_000 });
    await expect.poll(async () => (await readCall(id!)).last_call_attempt.status).toBe('ongoing');
    const { transcript } = (await readCall(id!)).last_call_attempt;
    await send({ action: 'end-call', id });
    expect((await readCall(id!)).last_call_attempt).toMatchObject({
      status: 'completed',
      result: 'human',
      transcript,
    });
  });

  test.each([
    ['{', 'The body must be a JSON object, such as {"action":"heal"}.'],
    ['[]', 'The body must be a JSON object, such as {"action":"heal"}.'],
    [{}, 'The property `action` is missing.'],
    [
      { action: 'toString' },
      'There is no action "toString". The actions are fail, delay, reset, replace, start-call, end-call, restart, heal.',
    ],
    [{ action: 'restart' }, 'This sandbox has no gateway. `npm run demo` has one.'],
    [{ action: 'heal', path: '/' }, 'This action has no property "path".'],
    [
      { action: 'fail', path: 'call', status: 503 },
      '`path` must begin with a slash, for example /call/.',
    ],
    [
      { action: 'fail', path: '/call', status: 200 },
      '`status` must be a whole number from 400 to 599.',
    ],
    [
      { action: 'fail', path: '/call', status: 429, headers: { 'retry-after': 3 } },
      '`headers` must be an object of names and values that HTTP permits, such as {"retry-after":"40"}.',
    ],
    [
      { action: 'fail', path: '/call', status: 429, headers: { 'retry after': '3' } },
      '`headers` must be an object of names and values that HTTP permits, such as {"retry-after":"40"}.',
    ],
    [{ action: 'reset', path: '/api/call/' }, '`path` must be without /api, for example /call/.'],
    [{ action: 'start-call', apiKey: 'sk_other' }, '`apiKey` must be one of sk_demo_a, sk_demo_b.'],
    ['x'.repeat(65_537), 'The body must have at most 65536 bytes.'],
  ])('a wrong command is refused with what would be right: %j', async (command, message) => {
    expect(await send(command)).toEqual({ status: 400, message });
    expect((await get('/campaigns')).status).toBe(200);
  });

  test('a page of another origin cannot send a command', async () => {
    expect(await send({ action: 'reset', path: '/' }, 'text/plain')).toEqual({
      status: 415,
      message: 'The Content-Type must be application/json.',
    });
    expect((await get('/campaigns')).status).toBe(200);
  });

  test('a command with another method is refused', async () => {
    const response = await fetch(`${origin}/control`, { method: 'PUT', body: '{}' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
    expect(await response.json()).toEqual({ message: 'The method of a command must be POST.' });
  });

  test('GET lists the actions, and each example is a valid command', async () => {
    const text = await (await fetch(`${origin}/control`)).text();
    for (const path of ['/control/', '/control?x=1'])
      expect(await (await fetch(`${origin}${path}`)).text()).toBe(text);
    expect(text).toContain('delay: delays the responses; optional: times\n');
    const examples = Array.from(text.matchAll(/^ {2}(\{.*\})$/gm), ([, json = '']) => json);
    expect(examples).toHaveLength(8);
    // No call has the id of the example, and this sandbox has no gateway to restart.
    for (const example of examples.filter((json) => !/"(end-call|restart)"/.test(json)))
      expect(await send(example)).toMatchObject({ status: 200 });
  });

  test('a sandbox without the demo has no such endpoints', async () => {
    const plain = await listenOnFreePort((port) =>
      serveSandbox(sandbox, { host: '127.0.0.1', port }),
    );
    const response = await fetch(`${new URL(plain.url).origin}/control`);
    expect(response.status).toBe(404);
    await plain.close();
  });
});
