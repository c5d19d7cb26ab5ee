import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTimer } from '#system-clock.ts';
import { createManualTimers } from '../rest/real-server.ts';
import {
  type CallbackExtension,
  type CallbackRouter,
  startCallbackRouter,
} from '../support/callback-router.ts';
import {
  listenOnFreePort,
  type ServedGateway,
  serveTestGateway,
} from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

const QUERY = 'subscription Watch { callUpdated(id: "c1") { status } }';
const SECRET = 'a-router-secret-of-32-characters';
/** As Apollo Router sends it. */
const ACCEPT = 'application/json, application/json;callbackSpec=1.0';

let router: CallbackRouter;
let gateway: ServedGateway;
let logged: [string, unknown][];

beforeEach(async () => {
  router = await startCallbackRouter();
  await start();
});
afterEach(async () => {
  await gateway.close();
  await router.close();
});

async function restart(settings: Record<string, string>, timer?: typeof startTimer): Promise<void> {
  await gateway.close();
  await start(settings, timer);
}

async function start(settings: Record<string, string> = {}, timer = startTimer): Promise<void> {
  logged = [];
  gateway = await serveTestGateway({
    settings: {
      LIVE_CALL_MS: '1000',
      REVOX_RETRIES: '0',
      ROUTER_SECRETS: SECRET,
      SUBSCRIPTION_CALLBACK_URLS: router.url,
      ...settings,
    },
    gateway: {
      startTimer: timer,
      log: {
        info: (message, fields) => logged.push([message, fields]),
        error: () => {},
        unexpected: (error) => logged.push(['unexpected', error]),
      },
    },
  });
  putCall('calling');
}

function putCall(status: 'calling' | 'completed' | 'queued_for_calling'): void {
  const { control } = gateway.sandbox;
  const template = control.data(KEY_A).calls[0]!;
  control.putCall(KEY_A, {
    ...template,
    id: 'c1',
    status,
    call_attempts: [],
    last_call_attempt: null,
  });
}

function subscribe(extension: object, query = QUERY, accept = ACCEPT): Promise<Response> {
  return fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, 'router-authorization': SECRET },
    body: JSON.stringify({ query, extensions: { subscription: extension } }),
  });
}

/** Resolves when the condition holds. Each check is a turn of the event loop. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => void setTimeout(resolve, 10));
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(gateway.url.replace('/graphql', '/metrics'))).text();
  const line = text.split('\n').find((each) => each.startsWith(`revox_gateway_${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const openStreams = () => metric('live_subscriptions{field="callUpdated",transport="callback"}');
const endsBy = (reason: string) =>
  metric(`live_ends_total{transport="callback",reason="${reason}"}`);
const states = () => router.ofAction('next').map(({ payload }) => payload.data.callUpdated.status);

/** Starts real timers, but none for the five seconds after which a message has no response. */
const withoutMessageTimeout: typeof startTimer = (ms, onTime) =>
  ms === 5_000 ? () => {} : startTimer(ms, onTime);

/** Opens a subscription whose first event has arrived. */
async function open(extension: CallbackExtension = router.register('s1')): Promise<void> {
  expect((await subscribe(extension)).status).toBe(200);
  await until(() => states().length === 1);
}

/** The polls stop with the last stream. */
async function expectNoTraffic(): Promise<void> {
  await until(async () => (await openStreams()) === 0);
  gateway.traffic();
  await new Promise((resolve) => void setTimeout(resolve, 1_500));
  expect(gateway.traffic()).toEqual([]);
}

describe('Apollo Router', () => {
  test.each([ACCEPT, 'application/json;callbackSpec=1.0; charset=utf-8'])(
    'with Accept: %s it gets a check, the present state, each change and complete',
    async (accept) => {
      const response = await subscribe(router.register('s1'), QUERY, accept);
      expect([response.status, await response.json()]).toEqual([200, { data: null }]);
      expect(response.headers.get('subscription-protocol')).toBe('callback/1.0');
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      await until(() => states().length === 1);
      expect(await openStreams()).toBe(1);
      putCall('completed');
      await until(() => router.ofAction('complete').length === 1);
      const start = '{"kind":"subscription","id":"s1","verifier":"verifier-of-s1","action":';
      expect(router.messages.map(({ text }) => text)).toEqual([
        `${start}"check"}`,
        `${start}"next","payload":{"data":{"callUpdated":{"status":"CALLING"}}}}`,
        `${start}"next","payload":{"data":{"callUpdated":{"status":"COMPLETED"}}}}`,
        `${start}"complete"}`,
      ]);
      for (const { headers, path } of router.messages) {
        expect(headers['subscription-protocol']).toBe('callback/1.0');
        expect(headers['content-type']).toBe('application/json');
        expect(headers.authorization).toBeUndefined();
        expect(path).toBe('/callback/s1');
      }
      expect(router.overlaps()).toBe(0);
      expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
      await until(async () => (await endsBy('over')) === 1);
      const [line] = logged.filter(([message]) => message === 'subscription');
      expect(line?.[1]).toMatchObject({
        operation: 'Watch',
        field: 'callUpdated',
        transport: 'callback',
        reason: 'over',
        events: 2,
      });
      expect(JSON.stringify(logged)).not.toMatch(/verifier-of|s1|unexpected/);
    },
  );

  test('the check comes before the first poll, and holds a slot of MAX_SUBSCRIPTIONS', async () => {
    await restart({ MAX_SUBSCRIPTIONS: '1' });
    const release = Promise.withResolvers<void>();
    router.override = async ({ action }) => {
      if (action === 'check') await release.promise;
      return false;
    };
    const first = subscribe(router.register('s1'));
    await until(() => router.messages.length === 1);
    const second = await subscribe(router.register('s2'));
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await second.json()).toMatchObject({
      errors: [{ extensions: { code: 'RATE_LIMITED' } }],
    });
    expect(gateway.traffic()).toEqual([]);
    release.resolve();
    expect((await first).status).toBe(200);
    await until(() => states().length === 1);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    expect(router.messages.map(({ path }) => path)).toEqual(['/callback/s1', '/callback/s1']);
  });

  test.each([
    ['200', (response) => response.writeHead(200).end()],
    ['404', (response) => response.writeHead(404).end()],
    ['no response', (response) => response.destroy()],
  ] as [string, (response: import('node:http').ServerResponse) => void][])(
    'a check that gets %s ends the request with 400, without a poll, and holds no slot',
    async (_name, respond) => {
      await restart({ MAX_SUBSCRIPTIONS: '1' });
      router.override = (_message, response) => {
        respond(response);
        return true;
      };
      const response = await subscribe(router.register('s1'));
      expect(response.status).toBe(400);
      const { errors } = (await response.json()) as { errors: unknown };
      expect(errors).toMatchObject([
        {
          message: expect.stringMatching(/must answer a check with 204/),
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ]);
      expect(gateway.traffic()).toEqual([]);
      router.override = undefined;
      await open();
    },
  );

  test('a router that leaves before its check is answered gets no subscription', async () => {
    const release = Promise.withResolvers<void>();
    router.override = async () => {
      await release.promise;
      return false;
    };
    const abort = new AbortController();
    const request = fetch(gateway.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: ACCEPT,
        'router-authorization': SECRET,
      },
      body: JSON.stringify({
        query: QUERY,
        extensions: { subscription: router.register('s1') },
      }),
      signal: abort.signal,
    });
    await until(() => router.messages.length === 1);
    abort.abort();
    await expect(request).rejects.toThrow();
    // A client that has closed its side may still wait: two probes show that it is gone.
    await new Promise((resolve) => void setTimeout(resolve, 2_000));
    release.resolve();
    await until(async () => (await openStreams()) === 0);
    expect([gateway.traffic(), router.messages.length]).toEqual([[], 1]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('checks come at 0.8 of the interval, and none without an interval', async () => {
    const checkTimers = createManualTimers();
    await restart({}, (ms, onTime) =>
      (ms === 800 ? checkTimers.startTimer : startTimer)(ms, onTime),
    );
    await open(router.register('s1', 1_000));
    await open2(router.register('s2'));
    for (const checks of [1, 2, 3]) {
      expect(checksOf('s1')).toHaveLength(checks);
      expect(checkTimers.running).toEqual([800]);
      checkTimers.elapse(800);
      await until(() => checksOf('s1').length > checks);
    }
    expect(checksOf('s1')).toHaveLength(4);
    expect(checksOf('s2')).toHaveLength(1);

    function checksOf(id: string) {
      return router.ofAction('check').filter(({ path }) => path.endsWith(id));
    }
    async function open2(extension: CallbackExtension) {
      expect((await subscribe(extension)).status).toBe(200);
      await until(() => states().length === 2);
    }
  });

  test('one router with two subscriptions to one call: one poll', async () => {
    await open(router.register('s1'));
    gateway.traffic();
    await subscribe(router.register('s2'));
    await until(() => states().length === 2);
    putCall('completed');
    await until(() => router.ofAction('complete').length === 2);
    expect(states()).toEqual(['CALLING', 'CALLING', 'COMPLETED', 'COMPLETED']);
    expect(gateway.traffic().length).toBeLessThanOrEqual(2);
  });
});

describe('End of a callback subscription', () => {
  test('an invalid subscription is a 4xx response, without a check or a poll', async () => {
    const response = await subscribe(router.register('s1'), 'subscription { callUpdated { id } }');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    expect([router.messages, gateway.traffic()]).toEqual([[], []]);
  });

  test('a rejected key: complete with the error', async () => {
    await open();
    gateway.sandbox.control.fail('/call/c1', { status: 401 });
    await until(() => router.ofAction('complete').length === 1);
    expect(router.ofAction('complete')[0]?.errors).toMatchObject([
      { extensions: { code: 'UPSTREAM_REJECTED' } },
    ]);
    await until(async () => (await endsBy('rejected')) === 1);
    await expectNoTraffic();
  });

  test('a lifetime that is over: complete with SUBSCRIPTION_INTERRUPTED', async () => {
    await restart({ LIVE_LIFETIME_MS: '1000' });
    await open();
    await until(() => router.ofAction('complete').length === 1);
    expect(router.ofAction('complete')[0]?.errors).toEqual([
      {
        message: 'The subscription was interrupted: subscribe again.',
        extensions: { code: 'SUBSCRIPTION_INTERRUPTED', retryAfter: expect.any(Number) },
      },
    ]);
    await until(async () => (await endsBy('lifetime')) === 1);
    await expectNoTraffic();
  });

  test('an outage of LIVE_GIVE_UP_MS: complete with UPSTREAM_UNAVAILABLE', async () => {
    await restart({ LIVE_GIVE_UP_MS: '500' });
    await open();
    gateway.sandbox.control.fail('/call/c1', { status: 503 });
    await until(() => router.ofAction('complete').length === 1);
    expect(router.ofAction('complete')[0]?.errors).toMatchObject([
      { extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
    ]);
  });

  test('a drain waits until the router has answered complete', async () => {
    await restart({ DRAIN_DELAY_MS: '100', DRAIN_TIMEOUT_MS: '5000' });
    await open();
    let isAnswered = false;
    router.override = async ({ action }) => {
      if (action !== 'complete') return false;
      await new Promise((resolve) => void setTimeout(resolve, 500));
      isAnswered = true;
      return false;
    };
    expect(await gateway.drain()).toBe(0);
    expect(isAnswered).toBe(true);
    expect(router.ofAction('complete')[0]?.errors).toMatchObject([
      { extensions: { code: 'SUBSCRIPTION_INTERRUPTED' } },
    ]);
  });

  test('a drain ends in time even if the router answers nothing', async () => {
    await restart({ DRAIN_DELAY_MS: '100', DRAIN_TIMEOUT_MS: '1000' });
    await open();
    router.override = ({ action }) => action === 'complete';
    const startedAt = performance.now();
    await gateway.drain();
    // A message without a response ends after five seconds.
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    expect(router.ofAction('complete')).toHaveLength(1);
  });

  test.each([404, 401, 400])(
    'a message that gets %i ends the subscription at once, without another message',
    async (status) => {
      await open();
      router.override = (_message, response) => {
        response.writeHead(status).end();
        return true;
      };
      putCall('queued_for_calling');
      await until(async () => (await endsBy('client')) === 1);
      expect(states()).toEqual(['CALLING', 'QUEUED_FOR_CALLING']);
      await expectNoTraffic();
      expect(router.ofAction('complete')).toEqual([]);
    },
  );

  test('a router that forgets a quiet subscription ends it with the next check', async () => {
    await open(router.register('s1', 1_000));
    router.forget('s1');
    await until(async () => (await endsBy('client')) === 1);
    await expectNoTraffic();
    expect(router.ofAction('complete')).toEqual([]);
  });
});

describe('Router that fails', () => {
  test.each([500, 503, 429, 408])(
    'a message that gets %i once is sent again, and the stream goes on',
    async (status) => {
      await open();
      let failures = 1;
      router.override = (_message, response) => {
        if (failures === 0) return false;
        failures -= 1;
        response.writeHead(status).end();
        return true;
      };
      putCall('completed');
      await until(() => router.ofAction('complete').length === 1);
      expect(states()).toEqual(['CALLING', 'COMPLETED', 'COMPLETED']);
      await until(async () => (await endsBy('over')) === 1);
    },
  );

  test('three failures in a row end the stream as slow, with one last complete', async () => {
    await open();
    router.override = ({ action }, response) => {
      if (action !== 'next') return false;
      response.writeHead(500).end();
      return true;
    };
    putCall('queued_for_calling');
    await until(() => router.ofAction('complete').length === 1);
    expect(states()).toEqual(['CALLING', ...Array(3).fill('QUEUED_FOR_CALLING')]);
    expect(router.ofAction('complete')[0]?.errors).toMatchObject([
      { extensions: { code: 'SUBSCRIPTION_INTERRUPTED', retryAfter: 5 } },
    ]);
    expect(await endsBy('slow')).toBe(1);
    await expectNoTraffic();
  });

  test('a router that is killed ends the stream, and its call is polled no more', async () => {
    await open();
    await router.close();
    putCall('queued_for_calling');
    await until(async () => (await endsBy('slow')) === 1);
    await expectNoTraffic();
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('a slow router has one message in flight, and the newest state comes next', async () => {
    await restart({}, withoutMessageTimeout);
    await open();
    const release = Promise.withResolvers<void>();
    router.override = async () => {
      await release.promise;
      return false;
    };
    putCall('queued_for_calling');
    await until(() => states().length === 2);
    gateway.traffic();
    putCall('calling');
    await until(() => gateway.traffic().length > 0);
    putCall('completed');
    await new Promise((resolve) => void setTimeout(resolve, 2_500));
    expect(router.messages).toHaveLength(3);
    release.resolve();
    await until(() => router.ofAction('complete').length === 1);
    expect(states()).toEqual(['CALLING', 'QUEUED_FOR_CALLING', 'COMPLETED']);
    expect(router.overlaps()).toBe(0);
  });

  test('a redirect is not followed, neither at the check nor later', async () => {
    const elsewhere: string[] = [];
    const other = createServer((request, response) => {
      elsewhere.push(request.url ?? '');
      response.writeHead(204).end();
    });
    const port = await listenOnFreePort(
      (free) =>
        new Promise<number>((resolve, reject) => {
          other.once('error', reject);
          other.listen(free, '127.0.0.1', () => resolve(free));
        }),
    );
    const redirect = (_message: unknown, response: import('node:http').ServerResponse) => {
      response.writeHead(307, { location: `http://127.0.0.1:${port}/secret` }).end();
      return true;
    };
    router.override = redirect;
    expect((await subscribe(router.register('s1'))).status).toBe(400);
    router.override = undefined;
    await open(router.register('s2'));
    router.override = redirect;
    putCall('queued_for_calling');
    await until(async () => (await endsBy('slow')) === 1);
    expect(elsewhere).toEqual([]);
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });

  test('the body of a response is not kept, however long it is', async () => {
    const chunk = Buffer.alloc(65_536);
    let written = 0;
    router.override = ({ action }, response) => {
      if (action !== 'next') return false;
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && written < 2 ** 28 && response.write(chunk))
          written += chunk.byteLength;
      };
      response.on('drain', pour);
      pour();
      return true;
    };
    await open();
    putCall('completed');
    await until(() => router.ofAction('complete').length === 1);
    expect(states()).toEqual(['CALLING', 'COMPLETED']);
    expect(written).toBeLessThan(2 ** 25);
  });
});
