/**
 * How fast browsers show GraphiQL's pages: `node bench/graphiql.ts http://127.0.0.1:4000/graphql`.
 * Several pages, as those of two releases, are opened in turn. Each is opened five times in a new
 * profile of `/usr/bin/chromium`, and each profile opens its page again. The table has medians, in ms.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { quantile } from './harness/median.ts';
import { print, toTable } from './harness/report.ts';

const ROUNDS = 5;
/** Chromium stores compiled code when a script is loaded again, and uses it the next time. */
const FURTHER_VISITS = 3;
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];

interface Visit {
  readonly paintMs: number;
  /** Until the operation of the first tab is visible in the editor. */
  readonly editorMs: number;
  /** Until a typed word is visible. */
  readonly usableMs: number;
}

const urls = process.argv.slice(2);
const visits = urls.map(() => ({ first: [] as Visit[], again: [] as Visit[] }));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [index, url] of urls.entries()) {
    const [first, ...others] = await visitWithNewProfile(url);
    const again = others.at(-1);
    if (first && again) {
      visits[index]?.first.push(first);
      visits[index]?.again.push(again);
    }
  }
}
print(
  toTable(
    ['page', 'visit', 'first paint', 'operation visible', 'typed word visible'],
    urls.flatMap((url, index) => [
      toRow(url, 'first', visits[index]?.first ?? []),
      toRow(url, 'fourth', visits[index]?.again ?? []),
    ]),
  ),
);

async function visitWithNewProfile(url: string): Promise<Visit[]> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    args: FLAGS,
  });
  try {
    const made: Visit[] = [];
    while (made.length <= FURTHER_VISITS) made.push(await visit(browser, url));
    return made;
  } finally {
    await browser.close();
    await rm(profile, { recursive: true });
  }
}

async function visit(browser: BrowserContext, url: string): Promise<Visit> {
  const page = await browser.newPage();
  const startedAt = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  const line = page.locator('.graphiql-query-editor .view-line');
  await line.filter({ hasText: 'query' }).first().waitFor();
  const editorMs = performance.now() - startedAt;
  await page.locator('.graphiql-query-editor .monaco-editor').first().click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('typed');
  await line.filter({ hasText: 'typed' }).first().waitFor();
  const usableMs = performance.now() - startedAt;
  const paintMs = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
  );
  // A tab that is edited would be restored.
  await page.evaluate(() => localStorage.clear());
  await page.close();
  return { paintMs, editorMs, usableMs };
}

function toRow(url: string, name: string, made: readonly Visit[]): string[] {
  const medianOf = (key: keyof Visit) =>
    quantile(
      made.map((one) => one[key]),
      0.5,
    ).toFixed(0);
  return [url, name, medianOf('paintMs'), medianOf('editorMs'), medianOf('usableMs')];
}
