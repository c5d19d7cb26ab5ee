import { parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createSubgraphSchema } from '#federation/schema.ts';
import { type BrowserPage, createGraphiQLPage, toGraphiQLOptions } from '#http/yoga/graphiql.ts';
import { fileURLsOf } from '../support/page-files.ts';

const KEY_HINT = 'First enter your API key under Headers';

describe('The first tab of GraphiQL', () => {
  test.each([true, false])(
    'explains where to enter a key only if one is required: %s',
    (requiresApiKey) => {
      const { defaultQuery, defaultTabs } = toGraphiQLOptions({
        operations: [],
        hasSubscriptions: true,
        requiresApiKey,
        tracing: false,
      });
      for (const text of [defaultQuery, defaultTabs?.[0]?.query]) {
        // A window of 1,280 pixels cuts off what is longer.
        for (const line of text?.split('\n') ?? []) expect(line.length).toBeLessThan(49);
        const sentence = text?.replaceAll(/\n# /g, ' ').replaceAll('  ', ' ');
        expect(sentence?.startsWith(`# ${KEY_HINT}`)).toBe(requiresApiKey);
      }
    },
  );
});

describe('The files of the GraphiQL page', () => {
  const pageOptions = { operations: [], hasSubscriptions: true, requiresApiKey: true };
  const URL_PREFIX = 'http://localhost/graphql';
  const getFile = (page: BrowserPage, url: string, method = 'GET') =>
    page.respondWithFile(new Request(`${URL_PREFIX}${url}`, { method }));

  test('the script has the history, which Yoga leaves out, and names three workers', async () => {
    const page = createGraphiQLPage({ ...pageOptions, tracing: false });
    const [url = '', ...others] = fileURLsOf(await page.render());
    expect(others).toHaveLength(1);
    const script = (await (await getFile(page, url))?.text()) ?? '';
    const [, explorer, history] = /plugins:\[(\w+),(\w+)\],schemaDescription/.exec(script) ?? [];
    expect(explorer).toBeDefined();
    expect(script).toContain(`${history}={title:"History",icon:`);
    expect(fileURLsOf(script)).toHaveLength(3);
  });

  test('a browser may store a file for ever, because its URL changes with its content', async () => {
    const page = createGraphiQLPage({ ...pageOptions, tracing: false });
    const traced = createGraphiQLPage({ ...pageOptions, tracing: true });
    const [script = '', style = ''] = fileURLsOf(await page.render());
    const [tracedScript = '', tracedStyle] = fileURLsOf(await traced.render());
    expect([tracedScript === script, tracedStyle]).toEqual([false, style]);
    for (const [url, type] of [
      [script, 'text/javascript; charset=utf-8'],
      [style, 'text/css; charset=utf-8'],
    ] as const) {
      const headers = (await getFile(page, url))?.headers;
      expect(headers?.get('content-type')).toBe(type);
      expect(headers?.get('cache-control')).toBe('public, max-age=31536000, immutable');
    }
    // During a rolling update another instance has served the page.
    const other = await getFile(page, tracedScript);
    expect(other?.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(await other?.text()).toBe(await (await getFile(page, script))?.text());
  });

  test.each([
    ['?graphiql-file=unknown.0123456789abcdef', 'GET'],
    ['?graphiql-file=toString.0123456789abcdef', 'GET'],
    ['?graphiql-file=script', 'GET'],
    ['?query=?graphiql-file=script.0123456789abcdef', 'GET'],
    ['?graphiql-file=script.0123456789abcdef', 'POST'],
  ])('%s with %s is no file', async (url, method) => {
    const page = createGraphiQLPage({ ...pageOptions, tracing: false });
    expect(await getFile(page, url, method)).toBeUndefined();
  });
});

test.each([true, false])(
  'without operations of its own, the page offers operations that need no id; subscriptions: %s',
  (hasSubscriptions) => {
    const { defaultTabs = [] } = toGraphiQLOptions({
      operations: [],
      hasSubscriptions,
      requiresApiKey: true,
      tracing: false,
    });
    const schema = createSubgraphSchema(hasSubscriptions);
    const errors = defaultTabs.flatMap(({ query }) => validate(schema, parse(query ?? '')));
    expect(errors).toEqual([]);
    expect(
      defaultTabs.map(({ query }) => /(?:query|subscription) (\w+)/.exec(query ?? '')?.[1]),
    ).toEqual([
      'LatestAttempts',
      'WalkAttempts',
      'Campaigns',
      'Assistants',
      ...(hasSubscriptions ? ['LiveCalls'] : []),
    ]);
  },
);
