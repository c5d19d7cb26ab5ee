import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import type { Sandbox, SandboxOptions } from '#sandbox/sandbox.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { fetchJson, STARTED_AT, toRequest } from './sandbox-requests.ts';

const createSandboxScene = (options: SandboxOptions = {}) => {
  const sandbox = createSandbox({ startedAt: STARTED_AT, ...options });
  return {
    sandbox,
    control: sandbox.control,
    statuses: () => sandbox.log.map(({ status }) => status),
  };
};

/** Whether a promise has settled once everything that can run now has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

const send = (sandbox: Sandbox, path: string, init: RequestInit = {}) =>
  sandbox.fetch(toRequest(sandbox, path, init));

describe('Matching of sandbox faults', () => {
  it('a fault applies to the given number of requests', async () => {
    const { sandbox, control, statuses } = createSandboxScene();
    control.fail('/assistants', { status: 503, times: 2 });
    for (let count = 0; count < 3; count++) await fetchJson(sandbox, '/assistants');
    expect(statuses()).toEqual([503, 503, 200]);
  });

  it.each([
    ['a prefix', '/campaigns/'],
    ['a pattern', /rows\?/],
    ['a pattern with the global flag', /rows\?/g],
    ['a predicate', ({ path }: { path: string }) => path.includes('rows')],
  ])('a fault applies to the requests that match %s', async (_name, match) => {
    const { sandbox, control } = createSandboxScene();
    control.fail(match, { status: 500 });
    const rows = `/campaigns/${control.data('sk_demo_a').campaigns[0]!.id}/rows?page=1&page_size=1`;
    expect((await fetchJson(sandbox, rows)).status).toBe(500);
    expect((await fetchJson(sandbox, rows)).status).toBe(500);
    expect((await fetchJson(sandbox, '/campaigns')).status).toBe(200);
    expect((await fetchJson(sandbox, '/assistants')).status).toBe(200);
  });

  it('a fault can apply to the requests of one organization', async () => {
    const { sandbox, control } = createSandboxScene();
    control.fail(({ organizationId }) => organizationId === sandbox.organizations[1]!.id, {
      status: 429,
      headers: { 'retry-after': '7' },
    });
    const rejected = await fetchJson(sandbox, '/assistants', { key: 'sk_demo_b' });
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await fetchJson(sandbox, '/assistants')).status).toBe(200);
  });

  it('faults apply in the order in which they were added, and only the requests that reach a fault use it up', async () => {
    const { sandbox, control, statuses } = createSandboxScene();
    control.fail('/assistants', { status: 500, times: 1 });
    control.fail('/assistants', { status: 502, times: 1 });
    for (let count = 0; count < 3; count++) await fetchJson(sandbox, '/assistants');
    expect(statuses()).toEqual([500, 502, 200]);
  });

  it('heal removes all faults', async () => {
    const { sandbox, control } = createSandboxScene();
    control.fail('/', { status: 500 });
    control.heal();
    expect((await fetchJson(sandbox, '/assistants')).status).toBe(200);
  });
});

describe('fail', () => {
  it('fail responds with any status and body', async () => {
    const { sandbox, control } = createSandboxScene();
    control.fail('/assistants', { status: 422, body: { error: ['odd'] }, times: 1 });
    control.fail('/assistants', {
      status: 502,
      body: '<html>Bad gateway</html>',
      headers: { 'content-type': 'text/html' },
      times: 1,
    });
    control.fail('/assistants', { status: 204, times: 1 });
    expect((await fetchJson(sandbox, '/assistants')).json).toEqual({ error: ['odd'] });
    const page = await send(sandbox, '/assistants');
    expect([await page.text(), page.headers.get('content-type')]).toEqual([
      '<html>Bad gateway</html>',
      'text/html',
    ]);
    expect(await (await send(sandbox, '/assistants')).text()).toBe('');
  });
});

describe('delay', () => {
  it('a delayed response is sent when the promise settles', async () => {
    const { sandbox, control, statuses } = createSandboxScene();
    const gate = Promise.withResolvers<void>();
    control.delay('/assistants', gate.promise);
    const pending = [send(sandbox, '/assistants'), send(sandbox, '/assistants')];
    expect(await isSettled(Promise.race(pending))).toBe(false);
    expect([statuses(), control.inFlight()]).toEqual([[null, null], 2]);
    gate.resolve();
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual([200, 200]);
    expect([control.inFlight(), control.maxInFlight()]).toEqual([0, 2]);
  });

  it('a delayed response is sent when its timer fires, and an aborted request stops the timer', async () => {
    const stop = vi.fn();
    const startTimer = vi.fn((_run: () => void, _ms: number) => stop);
    const { sandbox, control } = createSandboxScene({ startTimer });
    control.delay('/assistants', 250);
    const pending = send(sandbox, '/assistants');
    expect(await isSettled(pending)).toBe(false);
    expect(startTimer.mock.calls[0]![1]).toBe(250);
    startTimer.mock.calls[0]![0]();
    expect((await pending).status).toBe(200);

    stop.mockClear();
    const leaving = new AbortController();
    const left = send(sandbox, '/assistants', { signal: leaving.signal });
    expect(await isSettled(left)).toBe(false);
    leaving.abort();
    await expect(left).rejects.toThrow('aborted');
    expect(stop).toHaveBeenCalledTimes(1);
  });

  it('a delay applies before a fault that was added later', async () => {
    const { sandbox, control } = createSandboxScene();
    const gate = Promise.withResolvers<void>();
    control.delay('/assistants', gate.promise, 1);
    control.fail('/assistants', { status: 500, times: 1 });
    const pending = send(sandbox, '/assistants');
    expect(await isSettled(pending)).toBe(false);
    gate.resolve();
    expect((await pending).status).toBe(500);
  });
});

describe('hang', () => {
  it('a hanging request gets no response until it is aborted, which is logged', async () => {
    const { sandbox, control } = createSandboxScene();
    control.hang('/assistants', 1);
    control.fail('/assistants', { status: 500, times: 1 });
    const leaving = new AbortController();
    const pending = send(sandbox, '/assistants', { signal: leaving.signal });
    expect(await isSettled(pending)).toBe(false);
    expect(sandbox.log[0]).toMatchObject({ status: null, aborted: false });
    leaving.abort(new Error('I am leaving'));
    await expect(pending).rejects.toThrow('I am leaving');
    expect(sandbox.log[0]).toMatchObject({ status: null, aborted: true });
    expect(control.inFlight()).toBe(0);
    // The request that was aborted did not use up the fault behind it.
    expect((await fetchJson(sandbox, '/assistants')).status).toBe(500);
  });

  it('release lets a hanging request continue, and the next request hangs again', async () => {
    const { sandbox, control } = createSandboxScene();
    control.hang('/assistants');
    const first = send(sandbox, '/assistants');
    expect(await isSettled(first)).toBe(false);
    control.release();
    expect((await first).status).toBe(200);
    const second = send(sandbox, '/assistants');
    expect(await isSettled(second)).toBe(false);
    control.heal();
    expect((await second).status).toBe(200);
    expect((await fetchJson(sandbox, '/assistants')).status).toBe(200);
  });
});

describe('Every sandbox fault', () => {
  type Control = ReturnType<typeof createSandboxScene>['control'];
  const FAULTS: readonly (readonly [
    name: string,
    add: (control: Control, times?: number) => void,
  ])[] = [
    [
      'fail',
      (control, times = Number.POSITIVE_INFINITY) =>
        control.fail('/assistants', { status: 503, times }),
    ],
    ['reset', (control, times) => control.reset('/assistants', times)],
    ['truncate', (control, times) => control.truncate('/assistants', times)],
    ['corrupt', (control, times) => control.corrupt('/assistants', 'x', {}, times)],
    ['transform', (control, times) => control.transform('/assistants', () => 1, times)],
    ['rewrite', (control, times) => control.rewrite('/assistants', () => 'x', times)],
    ['respondAs', (control, times) => control.respondAs('oldest', '/assistants', times)],
    ['respondAs for all requests', (control, times) => control.respondAs('oldest', '', times)],
  ];

  it.each(FAULTS)(
    '%s applies to as many requests as it should, or until heal',
    async (_name, add) => {
      const { sandbox, control } = createSandboxScene();
      const respond = () =>
        send(sandbox, '/assistants').then(
          async (response) => `${response.status} ${await response.text()}`,
          (error: Error) => error.message,
        );
      const usual = await respond();
      const isUsual = async (count: number) => {
        const responses = [];
        for (let request = 0; request < count; request += 1) responses.push(await respond());
        return responses.map((response) => response === usual);
      };
      add(control, 2);
      expect(await isUsual(3)).toEqual([false, false, true]);
      add(control);
      expect(await isUsual(3)).toEqual([false, false, false]);
      control.heal();
      expect(await isUsual(1)).toEqual([true]);
    },
  );

  it.each([
    ['hang', (control: Control) => control.hang('/assistants')],
    [
      'delay until a promise',
      (control: Control) => control.delay('/assistants', new Promise(() => {})),
    ],
    ['delay for a time', (control: Control) => control.delay('/assistants', 250)],
  ])('%s leaves no timer and no listener, however it ends', async (_name, add) => {
    const timers = new Set<() => void>();
    const startTimer = (run: () => void) => {
      timers.add(run);
      return () => void timers.delete(run);
    };
    const { sandbox, control } = createSandboxScene({ startTimer });
    add(control);
    for (const end of [control.release, (client: AbortController) => client.abort()]) {
      const client = new AbortController();
      const request = toRequest(sandbox, '/assistants', { signal: client.signal });
      const pending = sandbox.fetch(request);
      expect(await isSettled(pending)).toBe(false);
      end(client);
      await Promise.allSettled([pending]);
      await new Promise(setImmediate);
      expect([timers.size, control.inFlight()]).toEqual([0, 0]);
      expect(getEventListeners(request.signal, 'abort')).toEqual([]);
    }
  });
});

describe('Other sandbox faults', () => {
  it('reset breaks the connection', async () => {
    const { sandbox, control } = createSandboxScene();
    control.reset('/assistants', 1);
    const error = await send(sandbox, '/assistants').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNRESET' } });
    expect(sandbox.log[0]).toMatchObject({ status: null, aborted: false });
    expect((await fetchJson(sandbox, '/assistants')).status).toBe(200);
  });

  it('truncate cuts the JSON in the middle', async () => {
    const { sandbox, control } = createSandboxScene();
    const whole = await (await send(sandbox, '/assistants')).text();
    control.truncate('/assistants', 1);
    const cut = await send(sandbox, '/assistants');
    expect([cut.status, cut.headers.get('content-type')]).toEqual([200, 'application/json']);
    const text = await cut.text();
    expect(whole.startsWith(text)).toBe(true);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
  });

  it('corrupt responds with any content', async () => {
    const { sandbox, control } = createSandboxScene();
    control.corrupt('/assistants', '<!doctype html>', { contentType: 'text/html', status: 203 }, 1);
    control.corrupt('/assistants', new Uint8Array([0xff, 0xfe, 0x00]), {}, 1);
    const page = await send(sandbox, '/assistants');
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      203,
      'text/html',
      '<!doctype html>',
    ]);
    const bytes = await send(sandbox, '/assistants');
    expect([bytes.status, new Uint8Array(await bytes.arrayBuffer())]).toEqual([
      200,
      new Uint8Array([0xff, 0xfe, 0x00]),
    ]);
  });

  it('transform changes the JSON of the response and not the data', async () => {
    const { sandbox, control } = createSandboxScene();
    const call = control.data('sk_demo_a').calls[0]!;
    const before = structuredClone(call);
    control.transform(
      '/call/',
      (json) => {
        json.call.status = 'paused';
        delete json.call.assistant;
        return json;
      },
      1,
    );
    const { json } = await fetchJson(sandbox, `/call/${call.id}`);
    expect(json.call.status).toBe('paused');
    expect(json.call).not.toHaveProperty('assistant');
    expect(call).toEqual(before);
    expect((await fetchJson(sandbox, `/call/${call.id}`)).json.call).toEqual(before);
  });
});

describe('Requests of the sandbox', () => {
  it('requests are counted by path until the log is cleared', async () => {
    const { sandbox, control } = createSandboxScene();
    for (const path of ['/assistants', '/campaigns', '/assistants']) await fetchJson(sandbox, path);
    expect([...control.requestCounts()]).toEqual([
      ['/assistants', 2],
      ['/campaigns', 1],
    ]);
    control.clearLog();
    expect(control.requestCounts().size).toBe(0);
  });
});

describe('In-flight requests of the sandbox', () => {
  it('the maximum of concurrent requests counts from the last clearing of the log', async () => {
    const { sandbox, control } = createSandboxScene();
    await Promise.all([
      fetchJson(sandbox, '/assistants'),
      fetchJson(sandbox, '/campaigns'),
      fetchJson(sandbox, '/nothing'),
    ]);
    expect(control.maxInFlight()).toBe(3);
    control.clearLog();
    expect(control.maxInFlight()).toBe(0);
    await fetchJson(sandbox, '/assistants');
    expect(control.maxInFlight()).toBe(1);
  });
});
