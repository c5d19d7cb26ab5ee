import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleOperations } from '#sandbox/example-operations.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { type Demo, startDemo } from '../sockets/demo-process.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from './chromium.ts';

expectChromium();

/** The titles of the tabs: the names of the welcome operation and of the example operations. */
const examples = exampleOperations(sampleIds(createSandbox({ live: true })));
const TITLES = ['LatestAttempts', ...examples.map(({ query }) => nameOf(query))];

const SUBSCRIPTIONS: Readonly<Record<string, { readonly field: string; readonly texts: RegExp }>> =
  {
    WatchCall: { field: 'callUpdated', texts: /"status": "(CALLING|COMPLETED)"/ },
    LiveCalls: { field: 'callAttemptAdded', texts: /"status": "(RINGING|ONGOING)"/ },
  };
const QUERIES = TITLES.filter((title) => !(title in SUBSCRIPTIONS));

/** The picture of the README. `UPDATE_SCREENSHOT=on npm run test:browser` writes it. */
const SCREENSHOT = join(import.meta.dirname, '../../docs/images/graphiql.png');

/** Texts of the page in the screenshot. A page without them requires a new screenshot. */
const SCREENSHOT_TEXTS = {
  '.graphiql-tab-active': ['LatestAttempts'],
  '.graphiql-query-editor': [
    'query LatestAttempts',
    'callAttempts(first: 5, statuses: $statuses)',
    'status',
    'hasNextPage',
  ],
  '.result-window': ['"callAttempts"', '"status": "COMPLETED"', '"phoneNumber": "+', '"startedAt"'],
};

describe.skipIf(!hasChromium)(
  'GraphiQL of the demo, in a browser that reaches only the gateway',
  () => {
    let demo: Demo;
    let chromium: Chromium;
    let page: Page;
    /** Requests of the page to other hosts, and errors of the page. */
    const strayRequests: string[] = [];
    const pageErrors: string[] = [];

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
      page.on('pageerror', ({ message }) => pageErrors.push(message));
      page.on('console', (message) => {
        if (message.type() === 'error') pageErrors.push(message.text());
      });
      await page.goto(demo.url);
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
    });

    afterAll(async () => {
      await chromium?.close();
      await demo?.[Symbol.asyncDispose]();
    });

    test('the documentation explorer shows the descriptions of the schema', async () => {
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

    test('the explorer shows the fields of clients, and the variables of enums', async () => {
      await page.getByRole('button', { name: 'Show GraphiQL Explorer' }).click();
      const explorer = page.locator('.graphiql-plugin');
      await explorer.getByText('campaigns', { exact: true }).waitFor();
      const shown = await explorer.innerText();
      expect(shown).toContain('$statuses');
      expect(shown).toContain('callAttempts');
      expect(shown).not.toMatch(/_entities|_service/);
      await page.screenshot({ path: join(tmpdir(), 'graphiql-explorer.png') });
      await page.getByRole('button', { name: 'Hide GraphiQL Explorer' }).click();
    });

    test('the tabs are the welcome operation and the example operations', async () => {
      expect(await page.locator('.graphiql-tab-button').allTextContents()).toEqual(TITLES);
    });

    test('the tabs are the same after the page is reloaded', async () => {
      await page.reload();
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
      await page.locator('.graphiql-tab-active', { hasText: 'LatestAttempts' }).waitFor();
      expect(await page.locator('.graphiql-tab-button').allTextContents()).toEqual(TITLES);
    });

    test('the first tab is open, and one click shows the data of the screenshot', async () => {
      await expectData('LatestAttempts');
      await page.mouse.move(0, 0);
      for (const [selector, texts] of Object.entries(SCREENSHOT_TEXTS)) {
        const shown = async () => toPlainSpaces(await page.locator(selector).innerText());
        for (const text of texts) await expect.poll(shown, { message: selector }).toContain(text);
      }
      if (process.env.UPDATE_SCREENSHOT !== 'on') return;
      await mkdir(dirname(SCREENSHOT), { recursive: true });
      await page.screenshot({ path: SCREENSHOT, animations: 'disabled' });
    });

    test.each(Object.entries(SUBSCRIPTIONS))(
      'the tab %s shows events until the button stops the subscription',
      async (title, { field, texts }) => {
        await openTab(title);
        const [request] = await Promise.all([
          page.waitForRequest((one) => isOperation(title, one.url())),
          page.getByRole('button', { name: 'Execute query' }).click(),
        ]);
        expect(request.headers().accept).toBe('text/event-stream');
        await expect.poll(readResult).toMatch(texts);
        expect(await readResult()).toContain(`"${field}"`);
        expect(await readResult()).not.toContain('"errors"');
        expect(await openStreams()).toEqual({ [field]: 1 });
        await page.screenshot({ path: join(tmpdir(), `graphiql-${title}.png`) });

        await page.getByRole('button', { name: 'Stop query' }).click();
        await page.getByRole('button', { name: 'Execute query' }).waitFor();
        await expect.poll(openStreams).toEqual({});
        expect(await readResult()).toContain(`"${field}"`);
      },
    );

    test('a subscription shows a call in progress, and its end', async () => {
      const times = { queueMs: 0, ringMs: 0, talkMs: 600_000 };
      const { id } = await sendToSandbox({ action: 'start-call', ...times });
      const url = new URL(demo.url);
      url.searchParams.set(
        'query',
        `subscription One { callUpdated(id: "${id}") { status lastCallAttempt { status } } }`,
      );
      await page.goto(url.href);
      await page.getByRole('button', { name: 'Execute query' }).click();
      await expect.poll(readResult).toContain('"status": "ONGOING"');
      await sendToSandbox({ action: 'end-call', id });
      await expect.poll(readResult).toContain('"status": "COMPLETED"');
      // The gateway completes the stream.
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
      expect(await openStreams()).toEqual({});
      await page.goto(demo.url);
    });

    test.each(QUERIES)('a click on the tab %s and one on the button show data', async (title) => {
      await openTab(title);
      await expectData(title);
    });

    test('the history shows the operations that have run', async () => {
      await openTab('OneAssistant');
      await expectData('OneAssistant');
      await page.getByRole('button', { name: 'Show History' }).click();
      const history = page.locator('.graphiql-history');
      // The newest one is the first, and the test of its tab has run it before.
      const newest = history.locator('.graphiql-history-item-label').first();
      await expect.poll(() => newest.innerText()).toBe('OneAssistant');
      await page.screenshot({ path: join(tmpdir(), 'graphiql-history.png') });
      await page.getByRole('button', { name: 'Hide History' }).click();
    });

    test('the upstream cost of a response is shown below the data', async () => {
      await openTab('OneAssistant');
      await expectData('OneAssistant');
      const upstream = await expectData('OneAssistant');
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

    test('a new tab is in view, and its empty editor gets an error without a stack', async () => {
      await page.getByRole('button', { name: 'New tab' }).click();
      const tab = page.locator('.graphiql-tab-active');
      await expect
        .poll(() =>
          tab.evaluate((element) => {
            const bar = element.parentElement!.getBoundingClientRect();
            return element.getBoundingClientRect().right <= Math.ceil(bar.right);
          }),
        )
        .toBe(true);
      await page.getByRole('button', { name: 'Execute query' }).click();
      const result = page.locator('.result-window');
      await expect.poll(() => result.textContent()).toMatch(/Unexpected\s<EOF>/);
      expect(await result.textContent()).not.toContain('stack');
    });

    test('a key that the user enters as a header is sent, and not stored in the browser', async () => {
      await page.getByRole('button', { name: 'New tab' }).click();
      await page.locator('.graphiql-tab-active', { hasText: '<untitled>' }).waitFor();
      await page.locator('.graphiql-query-editor .view-lines').click();
      await page.keyboard.insertText('query WithKey { __typename }');
      await page.getByRole('button', { name: 'Headers', exact: true }).click();
      await page.locator('.graphiql-editor-tool .view-lines:visible').click();
      await page.keyboard.insertText('{"Authorization": "Bearer sk_typed"}');
      const [request] = await Promise.all([
        page.waitForRequest((one) => isOperation('WithKey', one.url(), one.postData())),
        page.getByRole('button', { name: 'Execute query' }).click(),
      ]);
      expect(request.headers().authorization).toBe('Bearer sk_typed');
      await page.reload();
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
      const stored = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
      expect(stored).toContain('WithKey');
      expect(stored).toContain('graphiql:queries');
      expect(stored).not.toContain('sk_typed');
    });

    test('the editor completes fields of the schema and formats the operation', async () => {
      await page.getByRole('button', { name: 'New tab' }).click();
      await page.locator('.graphiql-tab-active', { hasText: '<untitled>' }).waitFor();
      await page.locator('.graphiql-query-editor .view-lines').click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('{assistants{total');
      const suggested = page.locator('.suggest-widget .monaco-list-row', { hasText: 'totalCount' });
      // The editor loads the schema asynchronously.
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

    test('the page sends no request to another host and reports no error', () => {
      expect(strayRequests).toEqual([]);
      expect(pageErrors).toEqual([]);
    });

    async function openTab(title: string): Promise<void> {
      await page.locator('.graphiql-tab-button', { hasText: new RegExp(`^${title}$`) }).click();
      await page.locator('.graphiql-tab-active', { hasText: title }).waitFor();
      // GraphiQL selects the operation a tenth of a second later, when it updates the URL.
      await page.waitForURL(({ href }) => isOperation(title, href));
    }

    async function readResult(): Promise<string> {
      return toPlainSpaces(await page.locator('.result-window').innerText());
    }

    async function sendToSandbox(command: object): Promise<{ readonly id?: string }> {
      const response = await fetch(`${demo.sandboxOrigin}/control`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(command),
      });
      expect(response.status).toBe(200);
      return (await response.json()) as { id?: string };
    }

    /** Open streams of the gateway, by field. */
    async function openStreams(): Promise<Record<string, number>> {
      const metrics = await (await fetch(new URL('/metrics', demo.url))).text();
      return Object.fromEntries(
        Array.from(
          metrics.matchAll(/^revox_gateway_live_subscriptions\{field="(\w+)",.*\} (\d+)$/gm),
          ([, field, count]) => [field, Number(count)] as const,
        ).filter(([, count]) => count > 0),
      );
    }

    /** Runs the operation of the open tab, waits until its result is visible, and returns its upstream cost. */
    async function expectData(title: string): Promise<unknown> {
      const [response] = await Promise.all([
        page.waitForResponse((one) => isOperation(title, one.url(), one.request().postData())),
        page.getByRole('button', { name: 'Execute query' }).click(),
      ]);
      const { data, errors, extensions } = (await response.json()) as TracedResult;
      expect(errors).toBeUndefined();
      expect(Object.values(data)).not.toContain(null);

      const field = Object.keys(data)[0];
      await page.locator('.result-window .view-line', { hasText: `"${field}"` }).waitFor();
      await page.screenshot({ path: join(tmpdir(), `graphiql-${title}.png`) });
      return extensions?.upstream;
    }
  },
);

interface TracedResult {
  readonly data: Record<string, unknown>;
  readonly errors?: unknown;
  readonly extensions?: { readonly upstream?: unknown };
}

/** Monaco renders spaces as no-break spaces. */
function toPlainSpaces(text: string): string {
  return text.replaceAll('\u00a0', ' ');
}

function nameOf(query: string): string {
  return /^(?:query|subscription) (\w+)/m.exec(query)?.[1] ?? '';
}

/** Distinguishes the operation from GraphiQL's own introspection. A subscription is in the URL. */
function isOperation(title: string, url: string, body: string | null = null): boolean {
  const query =
    body === null
      ? new URL(url).searchParams.get('query')
      : (JSON.parse(body) as { query: string }).query;
  return nameOf(query ?? '') === title;
}
