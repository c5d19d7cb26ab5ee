import { createServer, type Server } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  listenOnFreePort,
  type ServedGateway,
  serveTestGateway,
} from '../support/served-gateway.ts';
import { type Chromium, expectChromium, hasChromium, startChromium } from './chromium.ts';

expectChromium();

const DATA = '{ assistants { totalCount } }';

/** Serves an empty page on a port of this machine. */
async function servePage(): Promise<{ readonly server: Server; readonly origin: string }> {
  const server = createServer((_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>Elsewhere</title>');
  });
  const port = await listenOnFreePort(
    (free) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(free, '127.0.0.1', () => resolve(free));
      }),
  );
  return { server, origin: `http://127.0.0.1:${port}` };
}

describe.skipIf(!hasChromium)(
  'In a browser, on a machine where the gateway asks nobody for a key',
  () => {
    let friend: { readonly server: Server; readonly origin: string };
    let stranger: { readonly server: Server; readonly origin: string };
    let world: ServedGateway;
    let chromium: Chromium;
    let page: Page;

    beforeAll(async () => {
      [friend, stranger] = [await servePage(), await servePage()];
      world = await serveTestGateway({ settings: { CORS_ORIGINS: friend.origin } });
      chromium = await startChromium();
      page = await chromium.browser.newPage();
    });
    afterAll(async () => {
      await chromium?.close();
      await world?.close();
      for (const { server } of [friend, stranger]) server?.close();
    });

    /** What a page of an origin reads of an answer; where it reads none, the name of the error. */
    async function ask(origin: string, method: 'GET' | 'POST', init: object = {}): Promise<string> {
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
        { url: world.url, init, method, query: DATA },
      );
    }

    test.each(['GET', 'POST'] as const)(
      'a page of an allowed origin reads the answer to its %s',
      async (method) => {
        expect(JSON.parse(await ask(friend.origin, method))).toMatchObject({
          data: { assistants: { totalCount: expect.any(Number) } },
        });
        world.traffic();
      },
    );

    test.each(['GET', 'POST'] as const)(
      'a page of another origin reads nothing by %s, and nothing is asked for it',
      async (method) => {
        expect(await ask(stranger.origin, method)).toBe('TypeError');
        expect(world.traffic()).toEqual([]);
      },
    );

    test.each([
      ['without asking to read', { mode: 'no-cors' }],
      ['of text', { mode: 'no-cors', headers: { 'content-type': 'text/plain' } }],
      [
        'as a form',
        { mode: 'no-cors', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      ],
    ])('nor by a POST %s', async (_name, init) => {
      expect(await ask(stranger.origin, 'POST', init)).toMatch(/^(TypeError)?$/);
      expect(world.traffic()).toEqual([]);
    });

    test.each([
      ['img', 'error'],
      ['script', 'error'],
      // A frame is loaded, whatever is in it.
      ['iframe', 'load'],
    ])('nor by its %s', async (tag, event) => {
      await page.goto(stranger.origin);
      const asked = page.waitForRequest((request) => request.url().startsWith(world.url));
      const happened = page.evaluate(
        ({ tag, src }) =>
          new Promise((resolve) => {
            const element = Object.assign(document.createElement(tag), { src });
            for (const type of ['load', 'error'])
              element.addEventListener(type, () => resolve(type));
            document.body.append(element);
          }),
        { tag, src: `${world.url}?query=${encodeURIComponent(DATA)}` },
      );
      await asked;
      expect(await happened).toBe(event);
      // It would be GraphiQL’s page, which stands in no frame.
      expect(
        page
          .frames()
          .slice(1)
          .map((frame) => frame.url()),
      ).toEqual(tag === 'iframe' ? ['chrome-error://chromewebdata/'] : []);
      expect(world.traffic()).toEqual([]);
    });

    test('nor by a form that looks like JSON', async () => {
      await page.goto(stranger.origin);
      const [before, after] = JSON.stringify({ query: DATA, x: '=' }).split('=') as [
        string,
        string,
      ];
      await page.setContent(
        `<form method="post" enctype="text/plain" action="${world.url}"><input name='${before}' value='${after}'><button>send</button></form>`,
      );
      await page.getByRole('button').click();
      await page.getByText('"code":"FORBIDDEN"').waitFor();
      expect(world.traffic()).toEqual([]);
    });

    test('nor by a link: that leads to GraphiQL, which waits for a click', async () => {
      await page.goto(stranger.origin);
      await page.setContent(`<a href="${world.url}?query=${encodeURIComponent(DATA)}">a link</a>`);
      await page.getByText('a link').click();
      await page.getByRole('button', { name: 'Execute query' }).waitFor();
      expect(world.traffic()).toEqual([]);
      expect(world.unexpectedErrors).toEqual([]);
    });
  },
);
