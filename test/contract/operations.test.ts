import { describe, expect, test } from 'vitest';
import { landmarks } from '#sandbox/landmarks.ts';
import { readyOperations } from '#sandbox/ready-operations.ts';
import { namedOperations } from '../kit/named-operations.ts';
import { createTimedWorld } from '../kit/timed-world.ts';
import { createWorld, FORGETFUL, KEY_A } from '../kit/world.ts';

describe('each named operation costs exactly what it says', () => {
  test.each(namedOperations)('$name: $requests', async ({ query, variables, requests }) => {
    const world = createTimedWorld();
    const given = variables?.(landmarks(world.sandbox));
    const { data, errors } = await world.ask(query, given);
    expect(errors).toBeUndefined();
    expect(nullFields(data)).toEqual([]);
    expect(world.traffic()).toHaveLength(requests.first);

    expect(await world.ask(query, given)).toEqual({ data });
    expect(world.traffic()).toHaveLength(requests.again);
    expect(world.bugs).toEqual([]);
  });

  test.each(namedOperations)('$name, by a hundred clients at once', async ({ query, variables, requests }) => {
    const world = createTimedWorld();
    const given = variables?.(landmarks(world.sandbox));
    const answers = await Promise.all(Array.from({ length: 100 }, () => world.ask(query, given)));
    expect(world.traffic()).toHaveLength(requests.hundredAtOnce);
    const [first] = answers;
    expect(nullFields(first?.data)).toEqual([]);
    for (const answer of answers) expect(answer).toEqual(first);
    expect(world.bugs).toEqual([]);
  });
});

test('finding out that pages are numbered from 1 costs two requests more, once', async () => {
  const world = createWorld({ settings: { ...FORGETFUL, REVOX_FIRST_PAGE: 'auto' } });
  await world.ask('{ callAttempts { nodes { id } } }');
  expect(world.traffic()).toEqual([0, 1, 0].map((page) => `GET /call?page=${page}&page_size=50`));
  await world.ask('{ callAttempts { nodes { id } } }');
  expect(world.traffic()).toEqual(['GET /call?page=1&page_size=50']);
});

test('the length of the attempts is found by about 2·log₂ of the pages, and is right', async () => {
  const world = createWorld();
  const length = world.sandbox.control.data(KEY_A).attempts.length;
  const { data } = await world.ask('{ callAttempts { totalCount } }');
  expect(data.callAttempts.totalCount).toBe(length);
  expect(world.traffic().length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(length / 50)) + 2);
});

test('a walk through all attempts, 20 at a time, forward and backward, repeats and skips none and takes at most two requests a page', async () => {
  const world = createWorld();
  const ids = world.sandbox.control.data(KEY_A).attempts.map(({ id }) => id);
  for (const [size, cursor, edge, more] of [
    ['first', 'after', 'endCursor', 'hasNextPage'],
    ['last', 'before', 'startCursor', 'hasPreviousPage'],
  ] as const) {
    const seen: string[] = [];
    for (let at: string | null = null, goesOn = true, pages = 0; goesOn; pages += 1) {
      const answer = await world.ask(
        `query ($at: String) { callAttempts(${size}: 20, ${cursor}: $at) { nodes { id } pageInfo { ${edge} ${more} } } }`,
        { at },
      );
      const page = answer.data.callAttempts;
      const found = page.nodes.map(({ id }: { id: string }) => id);
      if (size === 'first') seen.push(...found);
      else seen.unshift(...found);
      at = page.pageInfo[edge];
      goesOn = page.pageInfo[more];
      // The very first page from the end has to find the end.
      if (size === 'first' || pages > 0) expect(world.traffic().length).toBeLessThanOrEqual(2);
      else world.traffic();
    }
    expect(seen).toEqual(ids);
  }
});

describe('walking 2,000 attempts by `first: 7`, one client page after the other', () => {
  test.each(['pageInfo { endCursor hasNextPage }', 'pageInfo { endCursor }'])('asking for %s', async (pageInfo) => {
    const world = createTimedWorld();
    const { attempts } = world.sandbox.control.data(KEY_A);
    world.sandbox.control.removeAttempts(
      KEY_A,
      attempts.slice(2000).map(({ id }) => id),
    );
    const ids = attempts.map(({ id }) => id);
    expect(ids).toHaveLength(2000);
    const seen: string[] = [];
    for (let after: string | null = null; ; ) {
      const { data } = await world.ask(
        `query ($after: String) { callAttempts(first: 7, after: $after) { nodes { id } ${pageInfo} } }`,
        {
          after,
        },
      );
      const { nodes, pageInfo: told } = data.callAttempts;
      seen.push(...nodes.map(({ id }: { id: string }) => id));
      after = told.endCursor;
      if (told.hasNextPage === false || nodes.length === 0) break;
    }
    expect(seen).toEqual(ids);
    // 40 pages, and one to see the end.
    expect(world.traffic()).toHaveLength(41);
  });
});

describe('each ready operation of the demo answers', () => {
  const operations = readyOperations(landmarks(createWorld().sandbox));
  test.each(operations)('$about', async ({ query, variables }) => {
    const world = createWorld();
    const { data, errors } = await world.ask(query, variables);
    expect(errors).toBeUndefined();
    expect(Object.values(data)).not.toContain(null);
    expect(world.traffic().length).toBeGreaterThan(0);
  });
});

test('a damaged cursor is refused by every list before anything is asked upstream', async () => {
  const world = createWorld();
  const { largeCampaignId } = landmarks(world.sandbox);
  const { errors } = await world.ask(
    '{ callAttempts(after: "x") { nodes { id } } assistants(before: "x") { nodes { id } } campaigns(after: "") { nodes { id } } }',
  );
  expect(errors?.map(({ path, extensions }) => [path, extensions.code]).sort()).toEqual([
    [['assistants'], 'BAD_USER_INPUT'],
    [['callAttempts'], 'BAD_USER_INPUT'],
    [['campaigns'], 'BAD_USER_INPUT'],
  ]);
  expect(world.traffic()).toEqual([]);
  await world.ask('query ($id: ID!) { campaign(id: $id) { rows(after: "x") { nodes { id } } } }', { id: largeCampaignId });
  expect(world.traffic()).toEqual([`GET /campaigns/${largeCampaignId}`]);
});

/** The paths of root and object fields that came out null: a price is right only for a whole answer. */
function nullFields(value: unknown, path = ''): string[] {
  if (value === null)
    return /\.(assistant|campaign|call|rows)$|^\.\w+$/.test(path.replace(/\.\d+/g, '')) && !path.endsWith('.call') ? [path] : [];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => nullFields(inner, `${path}.${key}`));
}
