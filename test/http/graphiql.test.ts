import { describe, expect, test } from 'vitest';
import { toGraphiQLOptions } from '#http/yoga/graphiql.ts';

const KEY_HINT = 'First enter your API key under Headers';

describe('The first tab of GraphiQL', () => {
  test.each([true, false])(
    'explains where to enter a key only if one is required: %s',
    (requiresApiKey) => {
      const { defaultQuery, defaultTabs } = toGraphiQLOptions({
        operations: [],
        requiresApiKey,
        tracing: false,
      });
      for (const text of [defaultQuery, defaultTabs?.[0]?.query]) {
        const sentence = text?.replaceAll(/\n# /g, ' ').replaceAll('  ', ' ');
        expect(sentence?.includes(KEY_HINT)).toBe(requiresApiKey);
      }
    },
  );
});
