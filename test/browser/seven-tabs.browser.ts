import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CallStatus } from '#sandbox/api/wire.ts';
import type { createWsClient } from '../clients/snippets/graphql-ws.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from './chromium.ts';
import { type ServedPages, servePages } from './serve-pages.ts';

expectChromium();

/** Connections of a browser to one HTTP/1.1 server, for all of its tabs. */
const CONNECTIONS = 6;
const CALL_IDS = Array.from({ length: CONNECTIONS + 1 }, (_, index) => `c${index + 1}`);
const WATCH = `subscription { callUpdated(id: "c1") { status } }`;

/** The globals that the tests set in a tab. */
interface Tab {
  received: string[];
  createWsClient: typeof createWsClient;
}

/** Not a function: Vite rewrites each dynamic import of this file. */
const LOAD_WS_CLIENT = `import('/graphql-ws.ts').then((snippet) => {
  Object.assign(globalThis, snippet);
})`;

describe.skipIf(!hasChromium)('Seven tabs of a browser, over HTTP/1.1', () => {
  let application: ServedPages;
  let gateway: ServedGateway;
  let chromium: Chromium;
  let tabs: Page[];

  beforeAll(async () => {
    application = await servePages();
    chromium = await startChromium();
  });
  afterAll(async () => {
    await chromium?.close();
    application?.close();
  });

  beforeEach(async () => {
    gateway = await serveTestGateway({
      settings: {
        CORS_ORIGINS: application.origin,
        LIVE_CALL_MS: '1000',
        MAX_SUBSCRIPTIONS: String(CALL_IDS.length),
      },
    });
    for (const id of CALL_IDS) putCall(id, 'calling');
    tabs = [];
    for (const _ of CALL_IDS) {
      const tab = await chromium.browser.newPage();
      await tab.goto(application.origin);
      tabs.push(tab);
    }
  });
  afterEach(async () => {
    for (const tab of tabs) await tab.close();
    await gateway.close();
  });

  const OPEN_STREAM = {
    EventSource: (url: string) => {
      const tab = globalThis as unknown as Tab;
      tab.received = [];
      new EventSource(url).addEventListener('next', ({ data }) => tab.received.push(data));
    },
    fetch: (url: string) => {
      const tab = globalThis as unknown as Tab;
      tab.received = [];
      fetch(url, { headers: { accept: 'text/event-stream' } }).then(async ({ body }) => {
        const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { value = '', done } = await reader.read();
          if (done) break;
          if (value.includes('data: ')) tab.received.push(value);
        }
      });
    },
  };

  test.each(['EventSource', 'fetch'] as const)(
    'with one stream by %s in each tab, the seventh waits without an error, also with a query',
    async (client) => {
      const url = `${gateway.url}?query=${encodeURIComponent(WATCH)}`;
      // A tab connects later than its script ends: the next tab must not come before it.
      for (const [index, tab] of tabs.entries()) {
        await tab.evaluate(OPEN_STREAM[client], url);
        if (index < CONNECTIONS) await expect.poll(() => received(tab)).toHaveLength(1);
      }
      await expect.poll(openStreams).toBe(CONNECTIONS);
      await expect.poll(eventCounts).toEqual([1, 1, 1, 1, 1, 1, 0]);
      putCall('c1', 'queued_for_calling');
      await expect.poll(eventCounts).toEqual([2, 2, 2, 2, 2, 2, 0]);
      expect(await sendQuery(tabs.at(-1)!, 2_000)).toBe('TimeoutError');

      await tabs.shift()!.close();
      await expect.poll(eventCounts).toEqual([2, 2, 2, 2, 2, 1]);
      await expect.poll(openStreams).toBe(CONNECTIONS);
      expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('with a WebSocket in each tab, all seven see each event, and a closed tab frees its slot', async () => {
    for (const tab of tabs) await openWebSocket(tab);
    await expect.poll(eventCounts).toEqual(tabs.map(() => 1));
    expect(await openStreams()).toBe(tabs.length);
    expect(await metric('live_watched')).toBe(1);
    expect(await sendQuery(tabs.at(-1)!)).toBe(200);
    for (const status of ['queued_for_calling', 'calling'] as const) {
      const counts = await eventCounts();
      putCall('c1', status);
      await expect.poll(eventCounts).toEqual(counts.map((count) => count + 1));
    }
    const events = ['CALLING', 'QUEUED_FOR_CALLING', 'CALLING'];
    for (const tab of tabs) expect(await received(tab)).toEqual(events);

    // All slots are taken: the client of an eighth tab tries again until another tab is closed.
    const eighth = await chromium.browser.newPage();
    tabs.push(eighth);
    await eighth.goto(application.origin);
    const triedAt = performance.now();
    await openWebSocket(eighth);
    await expect.poll(() => metric('live_refused_total')).toBeGreaterThan(0);
    await tabs.shift()!.close();
    await expect.poll(() => received(eighth)).toEqual(['CALLING']);
    expect(await openStreams()).toBe(CALL_IDS.length);
    // No more often than once a second.
    const seconds = (performance.now() - triedAt) / 1_000;
    expect(await metric('live_refused_total')).toBeLessThanOrEqual(1 + seconds);

    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
    for (const tab of tabs.splice(0)) await tab.close();
    await expect.poll(openStreams).toBe(0);
    await expect.poll(() => metric('live_watched')).toBe(0);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('one callsUpdated shows seven calls in a tab, over one connection', async () => {
    const ids = JSON.stringify(CALL_IDS);
    const query = `subscription { callsUpdated(ids: ${ids}) { callId call { status } } }`;
    const [tab] = tabs as [Page, ...Page[]];
    await tab.evaluate(
      OPEN_STREAM.EventSource,
      `${gateway.url}?query=${encodeURIComponent(query)}`,
    );
    await expect.poll(async () => (await received(tab)).length).toBe(CALL_IDS.length);
    expect(await openStreams()).toBe(1);
    putCall('c7', 'queued_for_calling');
    await expect.poll(() => received(tab)).toHaveLength(CALL_IDS.length + 1);
    expect(JSON.parse((await received(tab)).at(-1)!)).toEqual({
      data: { callsUpdated: { callId: 'c7', call: { status: 'QUEUED_FOR_CALLING' } } },
    });
    expect(new Set(gateway.traffic())).toEqual(new Set(CALL_IDS.map((id) => `GET /call/${id}`)));
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('with one subscription in a shared worker, each tab gets the end of each call', async () => {
    for (const tab of tabs) await joinWorker(tab);
    await expect.poll(openStreams).toBe(1);
    expect(await sendQuery(tabs.at(-1)!)).toBe(200);

    const [first = '', ...others] = CALL_IDS;
    putCall(first, 'completed');
    await expect.poll(eventCounts).toEqual(tabs.map(() => 1));
    // The worker has what a tab that opens later has missed.
    await tabs.at(-1)!.reload();
    await joinWorker(tabs.at(-1)!);
    await expect.poll(eventCounts).toEqual(tabs.map(() => 1));
    for (const id of others) putCall(id, 'completed');
    await expect.poll(eventCounts).toEqual(tabs.map(() => CALL_IDS.length));
    await expect.poll(openStreams).toBe(0);
    const expected = CALL_IDS.map((id) => `${id} COMPLETED`);
    for (const tab of tabs) expect((await received(tab)).toSorted()).toEqual(expected);

    expect(new Set(gateway.traffic())).toEqual(new Set(CALL_IDS.map((id) => `GET /call/${id}`)));
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  /** Joins a tab to the worker as the documentation says. */
  async function joinWorker(tab: Page): Promise<void> {
    await tab.evaluate(
      ({ url, ids, token }) => {
        const received: string[] = [];
        Object.assign(globalThis, { received });
        const { port } = new SharedWorker('/shared-worker.ts', { type: 'module' });
        port.onmessage = ({ data: { callId, call } }) => received.push(`${callId} ${call.status}`);
        port.postMessage({ url, ids, token });
      },
      { url: gateway.url, ids: CALL_IDS, token: KEY_A },
    );
  }

  /** Follows the call `c1` in a tab with the client of the documentation. */
  async function openWebSocket(tab: Page): Promise<void> {
    await tab.evaluate(LOAD_WS_CLIENT);
    await tab.evaluate(
      ({ url, token, query }) => {
        const tab = globalThis as unknown as Tab;
        const received: string[] = [];
        tab.received = received;
        tab
          .createWsClient(url, () => token)
          .subscribe<{ callUpdated: { status: string } }>(
            { query },
            {
              next: ({ data }) => received.push(data!.callUpdated.status),
              error: (error) => received.push(`error ${error}`),
              complete: () => received.push('complete'),
            },
          );
      },
      { url: gateway.url, token: KEY_A, query: WATCH },
    );
  }

  function putCall(id: string, status: CallStatus): void {
    const { control } = gateway.sandbox;
    const [template] = control.data(KEY_A).calls;
    control.putCall(KEY_A, {
      ...template!,
      id,
      status,
      campaign: null,
      call_attempts: [],
      last_call_attempt: null,
    });
  }

  /** The sum over all labels. */
  async function metric(name: string): Promise<number> {
    const metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
    const values = metrics.matchAll(new RegExp(`^revox_gateway_${name}\\{.*\\} (\\d+)$`, 'gm'));
    return Array.from(values, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
  }

  const openStreams = () => metric('live_subscriptions');

  /** Sends a query in a tab. Returns the status of the response, or the name of the error after the time limit. */
  function sendQuery(tab: Page, timeoutMs = 30_000): Promise<string | number> {
    return tab.evaluate(
      ({ url, timeoutMs }) =>
        fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query: '{ __typename }' }),
          signal: AbortSignal.timeout(timeoutMs),
        }).then(
          ({ status }) => status,
          ({ name }: Error) => name,
        ),
      { url: gateway.url, timeoutMs },
    );
  }

  /** What a tab has received. */
  function received(tab: Page): Promise<string[]> {
    return tab.evaluate(() => (globalThis as unknown as Tab).received);
  }

  async function eventCounts(): Promise<number[]> {
    return Promise.all(tabs.map(async (tab) => (await received(tab)).length));
  }
});
