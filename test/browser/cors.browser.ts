import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from './chromium.ts';
import { type ServedPages, servePages } from './serve-pages.ts';

expectChromium();

const DATA = '{ assistants { totalCount } }';

describe.skipIf(!hasChromium)(
  'Cross-origin requests of a browser to a gateway that requires no credential',
  () => {
    let allowed: ServedPages;
    let foreign: ServedPages;
    let gateway: ServedGateway;
    let chromium: Chromium;
    let page: Page;

    beforeAll(async () => {
      [allowed, foreign] = [await servePages(), await servePages()];
      gateway = await serveTestGateway({ settings: { CORS_ORIGINS: allowed.origin } });
      chromium = await startChromium();
      page = await chromium.browser.newPage();
    });
    afterAll(async () => {
      await chromium?.close();
      await gateway?.close();
      for (const pages of [allowed, foreign]) pages?.close();
    });

    /** The response text that a page of an origin can read, or the name of the error. */
    async function request(
      origin: string,
      method: 'GET' | 'POST',
      init: object = {},
    ): Promise<string> {
      await page.goto(origin);
      return page.evaluate(
        async ({ url, init, method, query }) => {
          const isGet = method === 'GET';
          const body = isGet
            ? {}
            : { body: JSON.stringify({ query }), headers: { 'content-type': 'application/json' } };
          return fetch(isGet ? `${url}?query=${query}` : url, { method, ...body, ...init }).then(
            (response) => response.text(),
            ({ name }: Error) => name,
          );
        },
        { url: gateway.url, init, method, query: DATA },
      );
    }

    test.each(['GET', 'POST'] as const)(
      'a page of an allowed origin can read the response to its %s',
      async (method) => {
        expect(JSON.parse(await request(allowed.origin, method))).toMatchObject({
          data: { assistants: { totalCount: expect.any(Number) } },
        });
        gateway.traffic();
      },
    );

    test.each(['GET', 'POST'] as const)(
      'a page of another origin cannot read the response to its %s, and causes no upstream request',
      async (method) => {
        expect(await request(foreign.origin, method)).toBe('TypeError');
        expect(gateway.traffic()).toEqual([]);
      },
    );

    test.each([
      ['in no-cors mode', { mode: 'no-cors' }],
      ['of text in no-cors mode', { mode: 'no-cors', headers: { 'content-type': 'text/plain' } }],
      [
        'of form data in no-cors mode',
        { mode: 'no-cors', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      ],
    ])('a page of another origin causes no upstream request by a POST %s', async (_name, init) => {
      expect(await request(foreign.origin, 'POST', init)).toMatch(/^(TypeError)?$/);
      expect(gateway.traffic()).toEqual([]);
    });

    test.each([
      ['img', 'error'],
      ['script', 'error'],
      // A frame fires `load` even if its content is blocked.
      ['iframe', 'load'],
    ])(
      'a page of another origin causes no upstream request by an element <%s>',
      async (tag, event) => {
        await page.goto(foreign.origin);
        const sent = page.waitForRequest((request) => request.url().startsWith(gateway.url));
        const happened = page.evaluate(
          ({ tag, src }) =>
            new Promise((resolve) => {
              const element = Object.assign(document.createElement(tag), { src });
              for (const type of ['load', 'error'])
                element.addEventListener(type, () => resolve(type));
              document.body.append(element);
            }),
          { tag, src: `${gateway.url}?query=${encodeURIComponent(DATA)}` },
        );
        await sent;
        expect(await happened).toBe(event);
        // The response is the GraphiQL page, which forbids framing.
        expect(
          page
            .frames()
            .slice(1)
            .map((frame) => frame.url()),
        ).toEqual(tag === 'iframe' ? ['chrome-error://chromewebdata/'] : []);
        expect(gateway.traffic()).toEqual([]);
      },
    );

    test('a page of another origin causes no upstream request by a form whose body looks like JSON', async () => {
      await page.goto(foreign.origin);
      const [before, after] = JSON.stringify({ query: DATA, x: '=' }).split('=') as [
        string,
        string,
      ];
      await page.setContent(
        `<form method="post" enctype="text/plain" action="${gateway.url}"><input name='${before}' value='${after}'><button>send</button></form>`,
      );
      await page.getByRole('button').click();
      await page.getByText('"code":"FORBIDDEN"').waitFor();
      expect(gateway.traffic()).toEqual([]);
    });

    test('a link of another origin opens GraphiQL, which sends no operation without a click', async () => {
      await page.goto(foreign.origin);
      await page.setContent(
        `<a href="${gateway.url}?query=${encodeURIComponent(DATA)}">a link</a>`,
      );
      await page.getByText('a link').click();
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    });
  },
);
