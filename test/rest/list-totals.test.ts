import { describe, expect, test } from 'vitest';
import { createRevoxApiFactory } from '#rest/revox-api.ts';
import { parseJson } from '#rest/transport/parse-json.ts';
import { createUpstreamContext } from '../support/upstream-context.ts';

const PAGE = { page: 1, pageSize: 50 };

/** An API of which every response has this body. */
function createApi(json: string) {
  const readVersion = { instance: 'one', sequence: 1, isCached: false };
  const createRevoxApi = createRevoxApiFactory(
    async (_context, request) => ({
      value: request.parse(parseJson([Buffer.from(json)])),
      status: 200,
      readVersion,
    }),
    { arrayFormat: 'comma', monotonicNow: () => 0 },
  );
  return createRevoxApi(createUpstreamContext());
}

/** The total of each list whose response has this `total`, in its JSON text. */
async function totalsOf(total: string): Promise<(number | undefined)[]> {
  const api = createApi(
    `{"total":${total},"calls":[{"id":"a"}],"rows":[{"id":"b"}],"assistants":[],"campaigns":[]}`,
  );
  const lists = await Promise.all([
    api.listCallAttempts(PAGE, []),
    api.listCampaignRows('c', PAGE, {}),
    api.listAssistants(),
    api.listCampaigns(),
  ]);
  expect(lists.map(({ items }) => items.length)).toEqual([1, 1, 0, 0]);
  return lists.map((list) => list.total);
}

describe('Total of a list response', () => {
  test.each([
    ['0', 0],
    ['1', 1],
    ['500', 500],
    ['5e2', 500],
    ['500.0', 500],
    ['2147483647', 2_147_483_647],
    ['"0"', 0],
    ['"500"', 500],
    ['"2147483647"', 2_147_483_647],
  ])('the total %s is the count %i', async (text, total) => {
    expect(await totalsOf(text)).toEqual(Array(4).fill(total));
  });

  test.each([
    '-1',
    '-0',
    '-0.5',
    '0.5',
    '2.5',
    '2147483648',
    '1e21',
    '1e400',
    '9007199254740993',
    '"-1"',
    '"0.5"',
    '"2147483648"',
    '"1e21"',
    '"Infinity"',
    '"NaN"',
    '"500 rows"',
    '"many"',
    '""',
    '" "',
    '"\\n"',
    'null',
    'true',
    'false',
    '[]',
    '[500]',
    '{}',
    '{"value":500}',
  ])('the total %s is no count, and counts as missing', async (text) => {
    expect(await totalsOf(text)).toEqual(Array(4).fill(undefined));
  });
});
