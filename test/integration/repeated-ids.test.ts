import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, NO_CACHE } from '../support/test-gateway.ts';

/** A list that the upstream serves with repeated ids, and a query of all of it. */
interface Case {
  readonly name: string;
  readonly list: 'assistants' | 'campaigns' | 'attempts' | 'rows';
  // biome-ignore lint/suspicious/noExplicitAny: items of any list
  readonly change: (items: any[]) => any[];
}

const QUERIES = {
  assistants: '{ list: assistants(first: 100) { totalCount nodes { id } } }',
  campaigns: '{ list: campaigns(first: 100) { totalCount nodes { id } } }',
  attempts: '{ list: callAttempts(first: 100) { totalCount nodes { id } } }',
  rows: 'query ($id: ID!) { campaign(id: $id) { list: rows(first: 100) { totalCount nodes { id } } } }',
};

const CASES: readonly Case[] = (['assistants', 'campaigns', 'attempts', 'rows'] as const).flatMap(
  (list) => [
    { name: 'no repeated id', list, change: (items) => items },
    {
      name: 'a repeated id',
      list,
      change: ([first, second, ...rest]) => [first, second, first, ...rest],
    },
    {
      name: 'an id that three items share',
      list,
      change: ([first, ...rest]) => [first, ...rest.slice(0, 3), first, first, ...rest.slice(3)],
    },
    {
      name: 'an id that is a number in one item and text in another',
      list,
      change: ([first, ...rest]) => [{ ...first, id: 7 }, { ...first, id: '7' }, ...rest],
    },
  ],
);

/** The sandbox's own list, changed in place. */
function createScene({ list, change }: Case, length: number) {
  const gateway = createTestGateway({ settings: NO_CACHE });
  const data = gateway.sandbox.control.data(KEY_A);
  const id = Object.keys(data.rows).find((one) => (data.rows[one]?.length ?? 0) > 100)!;
  const items: unknown[] = list === 'rows' ? data.rows[id]! : data[list];
  const original = items.slice(0, length);
  items.splice(0, items.length, ...change([...original]));
  return { gateway, id, shown: original.length };
}

describe('totalCount of a list with repeated ids', () => {
  test.each(CASES)(
    'the total of $list with $name is the number of nodes',
    async ({ name, list, change }) => {
      const { gateway, id, shown } = createScene({ name, list, change }, 60);
      const { data, errors } = await gateway.execute(QUERIES[list], { id });
      const { totalCount, nodes } = data.list ?? data.campaign.list;
      expect(errors).toBeUndefined();
      expect([nodes.length, totalCount]).toEqual([shown, shown]);
      expect(new Set(nodes.map((node: { id: string }) => node.id)).size).toBe(nodes.length);
      expect(gateway.traffic().length).toBeLessThanOrEqual(3);
    },
  );

  test('an id on two pages counts once', async () => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const { attempts } = gateway.sandbox.control.data(KEY_A);
    attempts.splice(80);
    attempts.splice(70, 0, attempts[10]!);
    const { data } = await gateway.execute(QUERIES.attempts);
    expect([data.list.nodes.length, data.list.totalCount]).toEqual([80, 80]);
  });

  test('repeated ids do not move the end of the list', async () => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const { attempts } = gateway.sandbox.control.data(KEY_A);
    attempts.splice(30);
    attempts.splice(2, 0, attempts[0]!);
    const lastId = attempts.at(-1)?.id;
    const { data } = await gateway.execute(
      '{ callAttempts(last: 5) { totalCount nodes { id } pageInfo { hasNextPage } } }',
    );
    const { nodes, totalCount, pageInfo } = data.callAttempts;
    expect([nodes.at(-1).id, nodes.length, totalCount]).toEqual([lastId, 5, 30]);
    expect(pageInfo.hasNextPage).toBe(false);
  });
});

test('a look-up by id and the list show the same of two assistants with one id', async () => {
  const gateway = createTestGateway({ settings: NO_CACHE });
  const { assistants } = gateway.sandbox.control.data(KEY_A);
  const [first, second] = assistants as [(typeof assistants)[0], (typeof assistants)[0]];
  assistants.push({ ...first, name: 'Another one' });
  const { data } = await gateway.execute(
    'query ($a: ID!, $b: ID!) { a: assistant(id: $a) { name } b: assistant(id: $b) { name } assistants { nodes { id name } } }',
    { a: first.id, b: second.id },
  );
  const listed = data.assistants.nodes.filter((node: { id: string }) => node.id === first.id);
  expect([listed, data.a.name]).toEqual([[{ id: first.id, name: first.name }], first.name]);
  expect(gateway.traffic()).toEqual(['GET /assistants']);
});
