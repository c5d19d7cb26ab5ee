import { describe, expect, test } from 'vitest';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { type GraphQLResult, KEY_A, NO_CACHE } from '../support/test-gateway.ts';

// Routers drop extensions: the same fact is a field.

interface ListCase {
  readonly name: string;
  /** The field with its arguments and selection. */
  readonly query: (sandbox: Sandbox, list: string, selection: string) => string;
  readonly path: readonly string[];
  /** Removes the first twenty items, or all: more than a cursor has neighbours. */
  remove(sandbox: Sandbox): void;
  /** The upstream requests of one page. */
  readonly traffic: (sandbox: Sandbox) => readonly string[];
}

function largeCampaign({ control }: Sandbox): string {
  const { campaigns, rows } = control.data(KEY_A);
  return campaigns.toSorted((one, other) => rows[other.id]!.length - rows[one.id]!.length)[0]!.id;
}
const idsOf = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id);

const LISTS: readonly ListCase[] = [
  {
    name: 'callAttempts',
    query: (_, list, selection) => `{ callAttempts(${list}) { ${selection} } }`,
    path: ['callAttempts'],
    remove: ({ control }) =>
      control.removeAttempts(KEY_A, idsOf(control.data(KEY_A).attempts.slice(0, 20))),
    traffic: () => ['GET /call?page=1&page_size=50'],
  },
  {
    name: 'Campaign.rows',
    query: (sandbox, list, selection) =>
      `{ campaign(id: "${largeCampaign(sandbox)}") { rows(${list}) { ${selection} } } }`,
    path: ['campaign', 'rows'],
    remove: (sandbox) => {
      const id = largeCampaign(sandbox);
      const rows = sandbox.control.data(KEY_A).rows[id]!;
      sandbox.control.removeRows(KEY_A, id, idsOf(rows.slice(0, 20)));
    },
    traffic: (sandbox) => {
      const path = `GET /campaigns/${largeCampaign(sandbox)}`;
      return [path, `${path}/rows?page=1&page_size=50`];
    },
  },
  {
    name: 'assistants',
    query: (_, list, selection) => `{ assistants(${list}) { ${selection} } }`,
    path: ['assistants'],
    remove: ({ control }) => {
      control.data(KEY_A).assistants.splice(0);
    },
    traffic: () => ['GET /assistants'],
  },
  {
    name: 'campaigns',
    query: (_, list, selection) => `{ campaigns(${list}) { ${selection} } }`,
    path: ['campaigns'],
    remove: ({ control }) => {
      control.data(KEY_A).campaigns.splice(0);
    },
    traffic: () => ['GET /campaigns'],
  },
];

async function execute({ url }: ServedGateway, query: string): Promise<GraphQLResult> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query }),
  });
  const result = (await response.json()) as GraphQLResult;
  expect(result.errors).toBeUndefined();
  return result;
}

describe.each(LISTS)('cursorItemGone of $name', ({ name, query, path, remove, traffic }) => {
  // biome-ignore lint/suspicious/noExplicitAny: a GraphQL result
  const at = ({ data }: GraphQLResult) => path.reduce<any>((value, key) => value[key], data);
  async function openAtSecondItem() {
    const gateway = await serveTestGateway({ settings: NO_CACHE });
    const run = (list: string, selection: string) =>
      execute(gateway, query(gateway.sandbox, list, selection));
    const first = at(await run('first: 2', 'cursorItemGone pageInfo { endCursor }'));
    expect(first.cursorItemGone).toBe(false);
    gateway.traffic();
    return { gateway, run, cursor: `"${first.pageInfo.endCursor}"` };
  }

  test(`${name} reports false while the item of the cursor, or a neighbour, is in the list`, async () => {
    const { gateway, run, cursor } = await openAtSecondItem();
    await using _ = gateway;
    for (const list of [`first: 1, after: ${cursor}`, `last: 1, before: ${cursor}`]) {
      const result = await run(list, 'cursorItemGone nodes { id }');
      expect(at(result).cursorItemGone).toBe(false);
      expect(result.extensions).toBeUndefined();
    }
  });

  test.each(['first: 1, after', 'last: 1, before'])(
    `${name} reports true where extensions.pagination does, once the item and its neighbours are gone (%s)`,
    async (list) => {
      const { gateway, run, cursor } = await openAtSecondItem();
      await using _ = gateway;
      remove(gateway.sandbox);
      const result = await run(`${list}: ${cursor}`, 'cursorItemGone nodes { id }');
      expect(at(result).cursorItemGone).toBe(true);
      expect(result.extensions).toEqual({ pagination: [{ path, reason: 'CURSOR_ITEM_GONE' }] });
      expect(gateway.traffic()).toEqual(expect.arrayContaining([...traffic(gateway.sandbox)]));
    },
  );

  test(`${name} reports the same if the operation selects nothing else, or selects it in a fragment`, async () => {
    const { gateway, run, cursor } = await openAtSecondItem();
    await using _ = gateway;
    remove(gateway.sandbox);
    for (const selection of ['gone: cursorItemGone', '... { gone: cursorItemGone } totalCount'])
      expect(at(await run(`first: 1, after: ${cursor}`, selection)).gone).toBe(true);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test(`${name} costs no page for cursorItemGone without a cursor`, async () => {
    const { gateway, run } = await openAtSecondItem();
    await using _ = gateway;
    expect(at(await run('first: 5', 'cursorItemGone'))).toEqual({ cursorItemGone: false });
    expect(gateway.traffic()).toEqual(traffic(gateway.sandbox).slice(0, -1));
  });
});

test('a walk through pages with cursorItemGone costs the same upstream requests as without', async () => {
  const walk = async (field: string) => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const costs: string[][] = [];
    for (let after: string | null = null, page = 0; page < 5; page += 1) {
      const { data } = await execute(
        gateway,
        `{ callAttempts(first: 45, after: ${JSON.stringify(after)}) { ${field} nodes { id } pageInfo { endCursor hasNextPage } } }`,
      );
      after = data.callAttempts.pageInfo.endCursor;
      costs.push(gateway.traffic());
    }
    return costs;
  };
  expect(await walk('cursorItemGone')).toEqual(await walk(''));
});
