import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { exampleQueries } from '../support/example-queries.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { createTestGateway, KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';

describe('Upstream cost table', () => {
  test.each(operationCosts)(
    'the operation "$name" costs exactly the upstream requests $requests',
    async ({ query, variables, requests }) => {
      const gateway = createTimedGateway();
      const given = variables?.(sampleIds(gateway.sandbox));
      const { data, errors } = await gateway.execute(query, given);
      expect(errors).toBeUndefined();
      expect(nullFields(data)).toEqual([]);
      expect(gateway.traffic()).toHaveLength(requests.first);

      expect(await gateway.execute(query, given)).toEqual({ data });
      expect(gateway.traffic()).toHaveLength(requests.again);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test.each(operationCosts)(
    'the operation "$name" of a hundred concurrent clients costs exactly its documented upstream requests',
    async ({ query, variables, requests }) => {
      const gateway = createTimedGateway();
      const given = variables?.(sampleIds(gateway.sandbox));
      const results = await Promise.all(
        Array.from({ length: 100 }, () => gateway.execute(query, given)),
      );
      expect(gateway.traffic()).toHaveLength(requests.hundredConcurrent);
      const [first] = results;
      expect(nullFields(first?.data)).toEqual([]);
      for (const result of results) expect(result).toEqual(first);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );
});

test('first-page discovery for an upstream that numbers pages from 1 costs two additional requests, once', async () => {
  const gateway = createTestGateway({ settings: { ...NO_CACHE, REVOX_FIRST_PAGE: 'auto' } });
  await gateway.execute('{ callAttempts { nodes { id } } }');
  expect(gateway.traffic()).toEqual([0, 1, 0].map((page) => `GET /call?page=${page}&page_size=50`));
  await gateway.execute('{ callAttempts { nodes { id } } }');
  expect(gateway.traffic()).toEqual(['GET /call?page=1&page_size=50']);
});

test('the total of the attempts is found with about 2·log₂ of the pages in requests, and is correct', async () => {
  const gateway = createTestGateway();
  const length = gateway.sandbox.control.data(KEY_A).attempts.length;
  const { data } = await gateway.execute('{ callAttempts { totalCount } }');
  expect(data.callAttempts.totalCount).toBe(length);
  expect(gateway.traffic().length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(length / 50)) + 2);
});

test('a walk through all attempts, 20 per page, forward and backward, repeats and skips none and costs at most two requests per page', async () => {
  const gateway = createTestGateway();
  const ids = gateway.sandbox.control.data(KEY_A).attempts.map(({ id }) => id);
  for (const [size, cursor, edge, more] of [
    ['first', 'after', 'endCursor', 'hasNextPage'],
    ['last', 'before', 'startCursor', 'hasPreviousPage'],
  ] as const) {
    const seen: string[] = [];
    for (let at: string | null = null, hasMore = true, pages = 0; hasMore; pages += 1) {
      const result = await gateway.execute(
        `query ($at: String) { callAttempts(${size}: 20, ${cursor}: $at) { nodes { id } pageInfo { ${edge} ${more} } } }`,
        { at },
      );
      const page = result.data.callAttempts;
      const found = page.nodes.map(({ id }: { id: string }) => id);
      if (size === 'first') seen.push(...found);
      else seen.unshift(...found);
      at = page.pageInfo[edge];
      hasMore = page.pageInfo[more];
      // The first page from the end must find the end of the list.
      if (size === 'first' || pages > 0) expect(gateway.traffic().length).toBeLessThanOrEqual(2);
      else gateway.traffic();
    }
    expect(seen).toEqual(ids);
  }
});

describe('Walk over 2,000 attempts by `first: 7`', () => {
  test.each(['pageInfo { endCursor hasNextPage }', 'pageInfo { endCursor }'])(
    'a walk over 2,000 attempts by `first: 7` with %s costs one upstream request per upstream page',
    async (pageInfo) => {
      const gateway = createTimedGateway();
      const { attempts } = gateway.sandbox.control.data(KEY_A);
      gateway.sandbox.control.removeAttempts(
        KEY_A,
        attempts.slice(2000).map(({ id }) => id),
      );
      const ids = attempts.map(({ id }) => id);
      expect(ids).toHaveLength(2000);
      const seen: string[] = [];
      for (let after: string | null = null; ; ) {
        const { data } = await gateway.execute(
          `query ($after: String) { callAttempts(first: 7, after: $after) { nodes { id } ${pageInfo} } }`,
          {
            after,
          },
        );
        const { nodes, pageInfo: info } = data.callAttempts;
        seen.push(...nodes.map(({ id }: { id: string }) => id));
        after = info.endCursor;
        if (info.hasNextPage === false || nodes.length === 0) break;
      }
      expect(seen).toEqual(ids);
      // 40 pages, and one request to detect the end.
      expect(gateway.traffic()).toHaveLength(41);
    },
  );
});

describe('Example queries of the demo', () => {
  const operations = exampleQueries(sampleIds(createTestGateway().sandbox));
  test.each(operations)(
    'the example query "$description" succeeds',
    async ({ query, variables }) => {
      const gateway = createTestGateway();
      const { data, errors } = await gateway.execute(query, variables);
      expect(errors).toBeUndefined();
      expect(Object.values(data)).not.toContain(null);
      expect(gateway.traffic().length).toBeGreaterThan(0);
    },
  );
});

test('every list rejects a damaged cursor before any upstream request', async () => {
  const gateway = createTestGateway();
  const { largeCampaignId } = sampleIds(gateway.sandbox);
  const { errors } = await gateway.execute(
    '{ callAttempts(after: "x") { nodes { id } } assistants(before: "x") { nodes { id } } campaigns(after: "") { nodes { id } } }',
  );
  expect(errors?.map(({ path, extensions }) => [path, extensions.code]).sort()).toEqual([
    [['assistants'], 'BAD_USER_INPUT'],
    [['callAttempts'], 'BAD_USER_INPUT'],
    [['campaigns'], 'BAD_USER_INPUT'],
  ]);
  expect(gateway.traffic()).toEqual([]);
  await gateway.execute(
    'query ($id: ID!) { campaign(id: $id) { rows(after: "x") { nodes { id } } } }',
    { id: largeCampaignId },
  );
  expect(gateway.traffic()).toEqual([`GET /campaigns/${largeCampaignId}`]);
});

/**
 * The paths of root and object fields that are null: a measured cost is valid only for a complete
 * response.
 */
function nullFields(value: unknown, path = ''): string[] {
  if (value === null)
    return /\.(assistant|campaign|call|rows)$|^\.\w+$/.test(path.replace(/\.\d+/g, '')) &&
      !path.endsWith('.call')
      ? [path]
      : [];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => nullFields(inner, `${path}.${key}`));
}
