import { parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createSubgraphSchema } from '#federation/schema.ts';
import { renderGraphiQLPage, toGraphiQLOptions } from '#http/yoga/graphiql.ts';

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
        const sentence = text?.replaceAll(/\n# /g, ' ').replaceAll('  ', ' ');
        expect(sentence?.startsWith(`# ${KEY_HINT}`)).toBe(requiresApiKey);
      }
    },
  );
});

test('the page of GraphiQL has the history, which Yoga leaves out', async () => {
  const page = await renderGraphiQLPage();
  const [, explorer, history] = /plugins:\[(\w+),(\w+)\],schemaDescription/.exec(page) ?? [];
  expect(explorer).toBeDefined();
  expect(page).toContain(`${history}={title:"History",icon:`);
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
