import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import {
  type APIRequestContext,
  type Locator,
  type Page,
  request as playwrightRequest,
} from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Demo, startDemo } from '../sockets/demo-process.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from './chromium.ts';

expectChromium();

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/embedding.md'), 'utf8');
/** The configuration and the test of the guide. */
const SNIPPETS = Array.from(GUIDE.matchAll(/```ts\n(.*?)```/gs), ([, code = '']) => code).filter(
  (code) => code.includes("from '@playwright/test'"),
);
const [CONFIGURATION = '', TEST = ''] = SNIPPETS;

interface Configuration {
  readonly workers: number;
  readonly use: { readonly baseURL: string };
  readonly webServer: readonly { readonly command: string; readonly url: string }[];
}

interface Fixtures {
  readonly page: Page;
  readonly request: APIRequestContext;
}

type Body = (fixtures: Fixtures) => Promise<unknown>;

/** What the snippets import of `@playwright/test`, as far as they use it: it runs only in its runner. */
function createRunner() {
  const tests = new Map<string, Body>();
  const beforeEach: Body[] = [];
  const register = (title: string, body: Body) => void tests.set(title, body);
  return {
    tests,
    beforeEach,
    playwright: {
      defineConfig: (configuration: Configuration) => configuration,
      test: Object.assign(register, { beforeEach: (body: Body) => void beforeEach.push(body) }),
      expect: (value: unknown) => ({
        toBe: (expected: unknown) => expect(value).toBe(expected),
        toBeVisible: () => (value as Locator).waitFor({ state: 'visible', timeout: 30_000 }),
      }),
    },
  };
}

/** Runs a snippet with these exports of `@playwright/test`. Returns its default export. */
function run(code: string, exports: Readonly<Record<string, unknown>>): unknown {
  const body = code.replace(/^import .*;$/m, '').replace('export default', 'return');
  return new Function(...Object.keys(exports), body)(...Object.values(exports));
}

const configuration = run(CONFIGURATION, createRunner().playwright) as Configuration;

/** The application of the reader: it shows the number of campaigns, or that it has none. */
const toApplication = (url: string) => `<!doctype html><title>Campaigns</title><main></main><script>
  const show = (role, text) => {
    document.querySelector('main').innerHTML = \`<p role="\${role}">\${text}</p>\`;
  };
  fetch(${JSON.stringify(url)}, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ campaigns(first: 1) { totalCount } }' }),
  })
    .then((response) => response.json())
    .then(({ data, errors }) =>
      errors ? show('alert', 'Not available.') : show('status', data.campaigns.totalCount),
    );
</script>`;

describe.skipIf(!hasChromium)('The Playwright test of the guide', () => {
  let demo: Demo;
  let chromium: Chromium;
  let page: Page;
  let request: APIRequestContext;
  let origin: string;
  const application = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end(toApplication(demo.url)),
  );

  beforeAll(async () => {
    const port = await listenOnFreePort(
      (free) =>
        new Promise<number>((resolve, reject) => {
          application.once('error', reject);
          application.listen(free, '127.0.0.1', () => resolve(free));
        }),
    );
    origin = `http://127.0.0.1:${port}`;
    demo = await startDemo({ CORS_ORIGINS: origin });
    chromium = await startChromium();
    const { browser } = chromium;
    page = await browser.newPage();
    request = await playwrightRequest.newContext();
  });

  afterAll(async () => {
    await request?.dispose();
    await chromium?.close();
    application.close();
    await demo?.[Symbol.asyncDispose]();
  });

  test('the configuration starts the demo and the application, and waits until both respond', async () => {
    expect(SNIPPETS).toHaveLength(2);
    const [first, second] = configuration.webServer;
    expect(first?.command).toBe('npx revox-graphql-gateway demo');
    const ready = new URL(first?.url ?? '');
    expect(ready.port).toBe('4000');
    expect((await fetch(new URL(ready.pathname, demo.url))).status).toBe(200);
    expect(configuration.use.baseURL).toBe(second?.url);
  });

  test('the test of the guide passes although the gateway had a cache, and the next test has a new gateway', async () => {
    const { tests, beforeEach, playwright } = createRunner();
    run(TEST.replace('http://127.0.0.1:4001', demo.sandboxOrigin), playwright);
    const status = page.getByRole('status');
    await page.goto(origin);
    await status.waitFor();

    const goto = (path: string) => page.goto(new URL(path, origin).href);
    const fixtures = { request, page: withGoto(page, goto) };
    expect(tests.size).toBe(1);
    for (const body of [...beforeEach, ...tests.values()]) await body(fixtures);
    expect(await page.getByRole('alert').textContent()).toBe('Not available.');

    for (const body of beforeEach) await body(fixtures);
    await page.goto(origin);
    await status.waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });
});

/** The page of the runner resolves paths against the URL of the application. */
function withGoto(page: Page, goto: (path: string) => unknown): Page {
  return new Proxy(page, {
    get: (target, name) => {
      if (name === 'goto') return goto;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
