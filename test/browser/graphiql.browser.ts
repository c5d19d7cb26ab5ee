import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleOperations } from '#sandbox/example-operations.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { type Demo, startDemo } from '../sockets/demo-process.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from './chromium.ts';

expectChromium();

/** The tab that greets, and those of the ready operations. The titles are the names of the operations. */
const TITLES = [
  'LatestAttempts',
  ...exampleOperations(sampleIds(createSandbox({ live: true }))).map(({ query }) => nameOf(query)),
];

describe.skipIf(!hasChromium)(
  'GraphiQL of the demo, in a browser that reaches nothing but the gateway',
  () => {
    let demo: Demo;
    let chromium: Chromium;
    let page: Page;
    /** What the page asked of others, and what went wrong in it. */
    const strayRequests: string[] = [];
    const complaints: string[] = [];

    beforeAll(async () => {
      demo = await startDemo();
      chromium = await startChromium();
      const { browser } = chromium;
      const { origin } = new URL(demo.url);
      await browser.route('**/*', (route) => {
        const url = route.request().url();
        if (new URL(url).origin === origin) return route.continue();
        strayRequests.push(url);
        return route.abort();
      });
      page = await browser.newPage();
      page.on('pageerror', ({ message }) => complaints.push(message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.setDefaultTimeout(10_000);
      await page.goto(demo.url);
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
    });

    afterAll(async () => {
      await chromium?.close();
      await demo?.[Symbol.asyncDispose]();
    });

    test('the documentation of the schema is there', async () => {
      await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
      await page
        .getByRole('button', { name: 'Query', exact: true })
        .or(page.getByRole('link', { name: 'Query', exact: true }))
        .click();
      const docs = page.locator('.graphiql-plugin');
      await docs.getByText('callAttempts', { exact: true }).waitFor();
      expect(await docs.textContent()).toContain('The attempts of all calls');
      await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();
    });

    test('the tabs are those of the ready operations', async () => {
      expect(await page.locator('.graphiql-tab-button').allTextContents()).toEqual(TITLES);
    });

    test('and are the same when the page is opened again', async () => {
      await page.reload();
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
      await page.locator('.graphiql-tab-active', { hasText: 'LatestAttempts' }).waitFor();
      expect(await page.locator('.graphiql-tab-button').allTextContents()).toEqual(TITLES);
    });

    test('the first tab is open, and one click shows data', () => expectData('LatestAttempts'));

    test.each(TITLES)('%s: a click on the tab and one on the button show data', async (title) => {
      await page.locator('.graphiql-tab-button', { hasText: new RegExp(`^${title}$`) }).click();
      await page.locator('.graphiql-tab-active', { hasText: title }).waitFor();
      // GraphiQL knows the operation a tenth of a second later, and tells the address bar in the same breath.
      await page.waitForURL(
        ({ searchParams }) => nameOf(searchParams.get('query') ?? '') === title,
      );
      await expectData(title);
    });

    test('what an answer cost upstream stands below it', async () => {
      await page.locator('.graphiql-tab-button', { hasText: /^OneAssistant$/ }).click();
      await page.locator('.graphiql-tab-active', { hasText: 'OneAssistant' }).waitFor();
      await page.waitForURL(
        ({ searchParams }) => nameOf(searchParams.get('query') ?? '') === 'OneAssistant',
      );
      const upstream = await expectData('OneAssistant');
      // It has been asked for before: by its tab.
      expect(upstream).toMatchObject({
        requests: 0,
        cacheHits: 1,
        calls: [{ status: 200, source: 'cache' }],
      });
      await page.locator('.result-window .view-lines').click();
      await page.keyboard.press('Control+End');
      await page.locator('.result-window .view-line', { hasText: /"cacheHits":\s1/ }).waitFor();
      await page.screenshot({ path: join(tmpdir(), 'graphiql-cost.png') });
    });

    test('a key that is typed as a header is sent, and not kept in the browser', async () => {
      await page.getByRole('button', { name: 'New tab' }).click();
      await page.locator('.graphiql-tab-active', { hasText: '<untitled>' }).waitFor();
      await page.locator('.graphiql-query-editor .view-lines').click();
      await page.keyboard.insertText('query WithKey { __typename }');
      await page.getByRole('button', { name: 'Headers', exact: true }).click();
      await page.locator('.graphiql-editor-tool .view-lines:visible').click();
      await page.keyboard.insertText('{"Authorization": "Bearer sk_typed"}');
      const [request] = await Promise.all([
        page.waitForRequest((one) => isAnswerTo('WithKey', one.postData())),
        page.getByRole('button', { name: 'Execute query' }).click(),
      ]);
      expect(request.headers().authorization).toBe('Bearer sk_typed');
      await page.reload();
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
      const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
      expect(kept).toContain('WithKey');
      expect(kept).not.toContain('sk_typed');
    });

    test('the editor knows the schema, and sets in order what is typed', async () => {
      await page.getByRole('button', { name: 'New tab' }).click();
      await page.locator('.graphiql-tab-active', { hasText: '<untitled>' }).waitFor();
      await page.locator('.graphiql-query-editor .view-lines').click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('{assistants{total');
      const suggested = page.locator('.suggest-widget .monaco-list-row', { hasText: 'totalCount' });
      // The editor learns the schema in its own time.
      await expect
        .poll(
          async () => {
            await page.keyboard.press('Escape');
            await page.keyboard.press('Control+Space');
            return suggested.waitFor({ timeout: 1_000 }).then(
              () => true,
              () => false,
            );
          },
          { timeout: 20_000 },
        )
        .toBe(true);
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Prettify query' }).click();
      await page
        .locator('.graphiql-query-editor .view-line', { hasText: /^\s+totalCount$/ })
        .waitFor();
      await page.screenshot({ path: join(tmpdir(), 'graphiql-editor.png') });
    });

    test('nothing was asked of anybody else, and nothing went wrong', () => {
      expect(strayRequests).toEqual([]);
      expect(complaints).toEqual([]);
    });

    /** Runs the operation of the tab that is open, waits until its answer can be seen, and tells what it cost upstream. */
    async function expectData(title: string): Promise<unknown> {
      const [response] = await Promise.all([
        page.waitForResponse((one) => isAnswerTo(title, one.request().postData())),
        page.getByRole('button', { name: 'Execute query' }).click(),
      ]);
      const { data, errors, extensions } = (await response.json()) as TracedAnswer;
      expect(errors).toBeUndefined();
      expect(Object.values(data)).not.toContain(null);

      const field = Object.keys(data)[0];
      await page.locator('.result-window .view-line', { hasText: `"${field}"` }).waitFor();
      await page.screenshot({ path: join(tmpdir(), `graphiql-${title}.png`) });
      return extensions?.upstream;
    }
  },
);

interface TracedAnswer {
  readonly data: Record<string, unknown>;
  readonly errors?: unknown;
  readonly extensions?: { readonly upstream?: unknown };
}

function nameOf(query: string): string {
  return /^query (\w+)/m.exec(query)?.[1] ?? '';
}

/** GraphiQL asks for the schema, too. */
function isAnswerTo(title: string, body: string | null): boolean {
  return body !== null && nameOf((JSON.parse(body) as { query: string }).query) === title;
}
