import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from '../browser/chromium.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';
import { findViolations } from './accessibility.ts';
import { exampleApp, expectInstalled, type ServedApp } from './example-app.ts';

const app = exampleApp('relay');
expectChromium();
expectInstalled(app);

const WAIT = { timeout: 15_000 };

/** Nothing is read twice, however long a test takes. */
const LONG_FRESHNESS = Object.fromEntries(Object.keys(NO_CACHE).map((name) => [name, '600000']));

describe.skipIf(!hasChromium || !app.isInstalled)('The Relay example in Chromium', () => {
  let chromium: Chromium;
  let gateway: ServedGateway;
  let served: ServedApp;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    await app.build();
    chromium = await startChromium();
  });
  afterAll(() => chromium?.close());

  beforeEach(async () => {
    gateway = await serveTestGateway({
      settings: {
        ...NO_RETRIES,
        ...LONG_FRESHNESS,
        // The build has no texts of operations, only their ids.
        TRUSTED_DOCUMENTS: app.pathOf('persisted-queries.json'),
        TRUSTED_DOCUMENTS_ONLY: 'on',
      },
    });
    served = await app.serve(gateway.url);
    page = await chromium.browser.newPage();
    problems = [];
    page.on('pageerror', ({ message }) => problems.push(message));
  });
  afterEach(async () => {
    await page.close();
    await served[Symbol.asyncDispose]();
    await gateway.close();
    expect(problems).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('a reader scrolls and filters the list, opens a call, and finds the list again', async () => {
    const { largeCampaignId: id } = sampleIds(gateway.sandbox);
    const { control } = gateway.sandbox;
    await page.goto(`${served.url}/?campaign=${id}`);
    await expect.poll(countRows, WAIT).toBe(50);
    expect(await findViolations(page, app)).toEqual([]);
    expect(gateway.traffic()).toEqual(['GET /campaigns', pageOfRows(id, 1)]);

    await scrollToEnd();
    await expect.poll(countRows, WAIT).toBe(100);
    expect(gateway.traffic()).toEqual([pageOfRows(id, 2)]);

    await page.getByLabel('Status').selectOption('COMPLETED');
    const completed = control
      .data(KEY_A)
      .rows[id]!.filter(({ call }) => call?.status === 'completed');
    await expect.poll(countRows, WAIT).toBe(50);
    await scrollToEnd();
    await expect.poll(countRows, WAIT).toBe(100);
    expect(gateway.traffic()).toEqual([
      pageOfRows(id, 1, '&statuses=completed'),
      pageOfRows(id, 2, '&statuses=completed'),
    ]);

    const { call } = completed[70]!;
    await page.locator('tbody tr').nth(70).getByRole('link').click();
    await expect.poll(() => page.locator('h1').innerText(), WAIT).toContain(call!.to_phone_number);
    const { content } = call!.call_attempts
      .flatMap(({ transcript }) => transcript ?? [])
      .find(({ content }) => content)!;
    await expect.poll(() => page.locator('main').innerText(), WAIT).toContain(content);
    expect(await findViolations(page, app)).toEqual([]);
    // The row that the gateway has read contains the call.
    expect(gateway.traffic()).toEqual([]);

    await page.goBack();
    await expect.poll(countRows, WAIT).toBe(100);
    await expect.poll(() => page.evaluate(() => globalThis.scrollY), WAIT).toBeGreaterThan(1_000);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a page that fails does not remove the pages before it', async () => {
    const { control } = gateway.sandbox;
    const { largeCampaignId: id } = sampleIds(gateway.sandbox);
    control.fail('/campaigns', { status: 503, times: 1 });
    await page.goto(`${served.url}/?campaign=${id}`);
    const alert = page.getByRole('alert');
    await expect.poll(() => alert.innerText(), WAIT).toContain('not available right now');
    expect(await findViolations(page, app)).toEqual([]);
    expect(gateway.traffic()).toEqual(['GET /campaigns']);

    const retry = page.getByRole('button', { name: 'Try again' });
    await retry.click();
    await expect.poll(countRows, WAIT).toBe(50);
    expect(await alert.count()).toBe(0);
    expect(gateway.traffic()).toEqual(['GET /campaigns', pageOfRows(id, 1)]);

    control.fail(/rows/, { status: 429, headers: { 'retry-after': '60' } });
    await scrollToEnd();
    await expect.poll(() => alert.innerText(), WAIT).toMatch(/asks for a pause\. Wait \d+ s/);
    expect(await countRows()).toBe(50);
    expect(gateway.traffic()).toEqual([pageOfRows(id, 2)]);
  });

  test('an enum value that is newer than the schema is shown as the upstream sent it', async () => {
    const { control } = gateway.sandbox;
    const { largeCampaignId: id } = sampleIds(gateway.sandbox);
    const { call } = control.data(KEY_A).rows[id]!.find(({ call }) => call)!;
    control.putCall(KEY_A, { ...call!, status: 'on-hold' as 'completed' });
    await page.goto(`${served.url}/?campaign=${id}`);
    const row = page.locator('tbody tr', { hasText: 'On hold' });
    await expect.poll(() => row.count(), WAIT).toBe(1);
    await row.getByRole('link').click();
    await expect.poll(() => page.locator('dl').first().innerText(), WAIT).toContain('On hold');
    expect(gateway.traffic()).toEqual(['GET /campaigns', pageOfRows(id, 1)]);
  });

  test('a call that does not exist, and a list without a call, say so', async () => {
    await page.goto(`${served.url}/calls/none`);
    await expect.poll(() => page.locator('h1').innerText(), WAIT).toBe('Call not found');
    expect(await findViolations(page, app)).toEqual([]);
    expect(gateway.traffic().sort()).toEqual([
      'GET /assistants/none',
      'GET /call/none',
      'GET /campaigns/none',
    ]);

    const { finishedCampaignId: id } = sampleIds(gateway.sandbox);
    await page.goto(`${served.url}/?campaign=${id}&status=CALLING`);
    await expect
      .poll(() => page.locator('main').innerText(), WAIT)
      .toContain('No call has this status');
    expect(await findViolations(page, app)).toEqual([]);
    expect(gateway.traffic()).toEqual(['GET /campaigns', pageOfRows(id, 1, '&statuses=calling')]);
  });

  function pageOfRows(id: string, number: number, filter = '') {
    return `GET /campaigns/${id}/rows?page=${number}&page_size=50${filter}`;
  }

  async function countRows() {
    return page.locator('tbody tr').count();
  }

  async function scrollToEnd() {
    await page.getByRole('button', { name: 'Load more' }).scrollIntoViewIfNeeded();
  }
});
