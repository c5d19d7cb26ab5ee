import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from './chromium.ts';

expectChromium();

describe.skipIf(!hasChromium)('GraphiQL of a gateway in pass-through mode', () => {
  let gateway: ServedGateway;
  let chromium: Chromium;
  let page: Page;

  beforeAll(async () => {
    gateway = await serveTestGateway({ settings: { REVOX_API_KEY: '', GRAPHIQL: 'on' } });
    chromium = await startChromium();
    page = await chromium.browser.newPage();
    await page.goto(gateway.url);
    await page.getByRole('button', { name: 'Execute query' }).waitFor();
  });

  afterAll(async () => {
    await chromium?.close();
    await gateway?.close();
  });

  test('the page begins with what to enter, and offers each operation that needs no id', async () => {
    const editor = page.locator('.graphiql-query-editor .view-lines');
    await expect
      .poll(async () => toOneLine(await editor.innerText()))
      .toMatch(
        /^# First enter your API key under Headers below, # and press the reload icon .*Each tab has headers/,
      );
    await page.screenshot({ path: join(tmpdir(), 'graphiql-pass-through.png') });
    expect(await page.locator('.graphiql-tab-button').allInnerTexts()).toEqual([
      'LatestAttempts',
      'WalkAttempts',
      'Campaigns',
      'Assistants',
      'LiveCalls',
    ]);
    expect(gateway.traffic()).toEqual([]);
  });

  test('an operation without a key costs no upstream request, and one with a key has data', async () => {
    const result = async () => toOneLine(await page.locator('.result-window').innerText());
    const run = page.getByRole('button', { name: 'Execute query' });
    await run.click();
    await expect.poll(result).toContain('"code": "UNAUTHENTICATED"');
    expect(gateway.traffic()).toEqual([]);

    // The editor of the headers is open, with a header without a key.
    await page.locator('.graphiql-editor-tool .view-lines:visible').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(JSON.stringify({ Authorization: `Bearer ${KEY_A}` }));
    await run.click();
    await expect.poll(result).toContain('"phoneNumber": "+');
    expect(new Set(gateway.traffic().map((line) => line.split('?')[0]))).toEqual(
      new Set(['GET /call']),
    );
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

/** The editor has non-breaking spaces. */
function toOneLine(text: string): string {
  return text.replace(/[\s\u00A0]+/g, ' ');
}
