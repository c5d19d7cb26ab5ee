import { once } from 'node:events';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createRecording, RECORDINGS_URL } from '#sandbox/data/recordings.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from '../browser/chromium.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { findViolations } from './accessibility.ts';
import { exampleApp, expectInstalled, type ServedApp } from './example-app.ts';

const app = exampleApp('dashboard');
expectChromium();
expectInstalled(app);

describe.skipIf(!hasChromium || !app.isInstalled)('The example dashboard in Chromium', () => {
  let chromium: Chromium;
  let gateway: ServedGateway;
  let dashboard: ServedApp;
  let page: Page;
  let problems: string[];
  /** How far the clock of the sandbox and of the gateway is ahead, in ms. */
  let skippedMs: number;
  /** By how much the gateway's clock is ahead, in ms. */
  let aheadMs: number;

  beforeAll(async () => {
    await app.build();
    chromium = await startChromium();
  });
  afterAll(() => chromium?.close());

  beforeEach(async () => {
    skippedMs = 0;
    aheadMs = 0;
    const now = () => Date.now() + skippedMs;
    gateway = await serveTestGateway({
      sandbox: { now },
      gateway: { now, monotonicNow: () => performance.now() + aheadMs },
      settings: {
        LIVE_CALL_MS: '1000',
        LIVE_WAITING_CALL_MS: '1000',
        LIVE_FEED_MS: '1000',
        REQUEST_DEADLINE_MS: '5000',
      },
    });
    dashboard = await app.serve(gateway.url);
    page = await chromium.browser.newPage();
    problems = [];
    page.on('pageerror', ({ message }) => problems.push(message));
  });
  afterEach(async () => {
    await page.close();
    await dashboard[Symbol.asyncDispose]();
    await gateway.close();
    expect(problems).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('the proxy of the page forwards a WebSocket, whose origin the gateway accepts', async () => {
    const url = `${dashboard.url.replace(/^http/, 'ws')}/graphql`;
    const socket = new WebSocket(url, 'graphql-transport-ws', { origin: dashboard.url });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    const [message] = await once(socket, 'message');
    expect(JSON.parse(String(message))).toMatchObject({ type: 'connection_ack' });
    socket.close();
    await once(socket, 'close');
    expect(gateway.traffic()).toEqual([]);
  });

  test('a reader opens a campaign, filters and searches its rows, and reads the transcript of a call', async () => {
    const { campaigns, rows } = gateway.sandbox.control.data(KEY_A);
    const campaign = campaigns.find(({ id }) => id === sampleIds(gateway.sandbox).largeCampaignId)!;
    const all = rows[campaign.id]!;
    const completed = all.filter(({ call }) => call?.status === 'completed').length;

    await page.goto(dashboard.url);
    const card = page.locator('.card', { hasText: campaign.name });
    await expect.poll(() => card.innerText()).toContain(`${completed} of ${all.length}`);
    expect(gateway.traffic().filter((line) => line === 'GET /campaigns')).toHaveLength(1);
    expect(await findViolations(page, app)).toEqual([]);

    await card.getByRole('link').click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(50);
    expect(await findViolations(page, app)).toEqual([]);
    const humans = all.filter(({ call }) =>
      call?.call_attempts.some(({ result }) => result === 'human'),
    );
    await page.getByLabel('Result').selectOption('HUMAN');
    await expect.poll(() => page.locator('output').innerText()).toBe(`${humans.length} people`);

    const row = humans.find(({ call }) => call!.call_attempts[0]?.transcript?.length)!;
    await page.getByLabel('Search').fill(row.phone_number);
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    await page.getByRole('link', { name: /^Open the call of/ }).click();
    const words = row.call!.call_attempts[0]!.transcript!.find(({ content }) => content)!.content!;
    await expect.poll(() => page.locator('.transcript').first().innerText()).toContain(words);
    expect(await findViolations(page, app)).toEqual([]);
  });

  test('the attempts scroll without end, can be filtered, and new ones appear on top', async () => {
    const { attempts } = gateway.sandbox.control.data(KEY_A);
    await page.goto(`${dashboard.url}/attempts`);
    await expect.poll(() => page.locator('tbody tr').count()).toBeGreaterThanOrEqual(50);
    await page.getByRole('button', { name: 'Load more' }).scrollIntoViewIfNeeded();
    await expect.poll(() => page.locator('tbody tr').count()).toBeGreaterThanOrEqual(100);
    const before = await page.locator('tbody tr').count();
    expect(await findViolations(page, app)).toEqual([]);

    await expect.poll(openStreams).toBe(1);
    const [inserted] = gateway.sandbox.control.insertAttempts(KEY_A, { at: 0 });
    await expect
      .poll(() => page.locator('tbody tr').first().innerText())
      .toContain(inserted!.phone_number!);
    expect(await page.locator('tbody tr').count()).toBe(before + 1);
    expect(attempts[0]).toBe(inserted);

    await page.getByLabel('Status of the call').selectOption('CANCELLED');
    await expect
      .poll(() => gateway.traffic().some((line) => line.includes('statuses=cancelled')))
      .toBe(true);
    await expect.poll(() => page.locator('tbody tr').count()).toBeLessThan(50);
  });

  test('a live call changes on the screen until it is completed', async () => {
    const { control } = gateway.sandbox;
    const stageMs = 600_000;
    const times = { queueMs: stageMs, ringMs: stageMs, talkMs: stageMs };
    const id = control.startCall(KEY_A, times);
    await page.goto(`${dashboard.url}/calls/${id}`);
    const attempt = page.locator('.attempt h2');
    for (const status of ['Queued', 'Ringing', 'Ongoing', 'Completed']) {
      await expect.poll(() => attempt.innerText()).toContain(status);
      skippedMs += stageMs;
    }
    await expect.poll(() => page.locator('.facts').first().innerText()).toContain('Completed');
    await expect.poll(() => page.locator('.transcript li').count()).toBeGreaterThan(0);
    expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
  });

  test('a live call whose state is old says so until the upstream responds again', async () => {
    const { control } = gateway.sandbox;
    const id = control.startCall(KEY_A, { queueMs: 1, ringMs: 1, talkMs: 600_000 });
    await page.goto(`${dashboard.url}/calls/${id}`);
    const attempt = page.locator('.attempt h2');
    await expect.poll(() => attempt.innerText()).toContain('Ongoing');
    const notice = page.locator('.notice.stale');
    expect(await notice.count()).toBe(0);

    control.fail('/call/', { status: 503 });
    await expect.poll(() => sumOf('live_watched', 'state="failing"')).toBe(1);
    aheadMs = 31_000;
    await expect.poll(() => notice.count()).toBe(1);
    expect(await notice.innerText()).toContain('Not updated since');
    expect(await attempt.innerText()).toContain('Ongoing');
    expect(await findViolations(page, app)).toEqual([]);

    control.heal();
    await expect.poll(() => notice.count()).toBe(0);
    expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
  });

  test('a recording plays', async () => {
    const { richCallId: id } = sampleIds(gateway.sandbox);
    const requested: string[] = [];
    await page.route(`${RECORDINGS_URL}**`, async (route) => {
      requested.push(route.request().url());
      await route.fulfill({ contentType: 'audio/wav', body: Buffer.from(createRecording()) });
    });
    await page.goto(`${dashboard.url}/calls/${id}`);
    const audio = page.locator('audio').first();
    await audio.waitFor();
    // The page loads no recording that is not played.
    expect(requested).toEqual([]);
    await audio.evaluate((element) => (element as HTMLAudioElement).play());
    const state = () =>
      audio.evaluate((element) => {
        const { readyState, currentTime, error } = element as HTMLAudioElement;
        return { canPlay: readyState >= 2, hasAdvanced: currentTime > 0, error };
      });
    await expect.poll(state).toEqual({ canPlay: true, hasAdvanced: true, error: null });
    const { calls } = gateway.sandbox.control.data(KEY_A);
    const recordings = calls
      .find((call) => call.id === id)!
      .call_attempts.flatMap(({ recording_url: url }) => url ?? []);
    expect(new Set(requested)).toEqual(new Set([recordings[0]]));
    expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
  });

  test('an outage is announced, and the page recovers by itself', async () => {
    gateway.sandbox.control.fail('/campaigns', { status: 503 });
    await page.goto(dashboard.url);
    const alert = page.getByRole('alert');
    await expect.poll(() => alert.innerText()).toContain('not available right now');
    // The list has failed: it is not empty, and has no next page.
    expect(await page.getByText('There is no campaign').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Load more' }).count()).toBe(0);
    expect(await findViolations(page, app)).toEqual([]);
    gateway.sandbox.control.heal();
    await expect.poll(() => page.locator('.card').count()).toBeGreaterThan(0);
    expect(await alert.count()).toBe(0);
  });

  test('a 429 shows the pause, and the page tries again after it', async () => {
    gateway.sandbox.control.fail('/campaigns', {
      status: 429,
      // Longer than the deadline, so the gateway does not wait for it.
      headers: { 'retry-after': '7' },
      times: 1,
    });
    await page.goto(dashboard.url);
    const alert = page.getByRole('alert');
    await expect
      .poll(() => alert.innerText())
      .toMatch(/Too many requests[\s\S]*Next attempt in [1-8] s/);
    expect(gateway.traffic()).toEqual(['GET /campaigns']);
    await expect.poll(() => page.locator('.card').count()).toBeGreaterThan(0);
    expect(await alert.count()).toBe(0);
    expect(gateway.traffic().filter((line) => line === 'GET /campaigns')).toHaveLength(1);
  });

  test('an enum value that is newer than the schema is shown as the upstream sent it', async () => {
    const { richCallId: id } = sampleIds(gateway.sandbox);
    gateway.sandbox.control.transform('/call/', ({ call }) => ({
      call: { ...call, status: 'on-hold' },
    }));
    await page.goto(`${dashboard.url}/calls/${id}`);
    await expect.poll(() => page.locator('.facts').first().innerText()).toContain('On hold');
    expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
  });

  function openStreams(): Promise<number> {
    return sumOf('live_subscriptions');
  }

  /** The sum of a metric of the gateway over all series with this label. */
  async function sumOf(name: string, label = ''): Promise<number> {
    const text = await (await fetch(new URL('/metrics', gateway.url))).text();
    return Array.from(
      text.matchAll(new RegExp(`^revox_gateway_${name}\\{.*${label}.*\\} (\\d+)$`, 'gm')),
      ([, count]) => Number(count),
    ).reduce((sum, count) => sum + count, 0);
  }
});
