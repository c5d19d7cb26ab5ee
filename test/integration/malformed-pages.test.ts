import { expect, test } from 'vitest';
import { createTestGateway, KEY_A, NO_CACHE, type TestGateway } from '../support/test-gateway.ts';

interface Drift {
  readonly kind: string;
  readonly type: string;
  readonly field: string;
  readonly count: number;
}

function createGatewayWithAttempts(count: number) {
  const gateway = createTestGateway({ settings: NO_CACHE });
  const { attempts } = gateway.sandbox.control.data(KEY_A);
  const ids = attempts.map(({ id }) => id);
  gateway.sandbox.control.removeAttempts(KEY_A, ids.slice(count));
  return { gateway, ids: ids.slice(0, count) };
}

/** Reads all attempts, seven per page; returns their ids and all drift that was reported. */
async function walk(gateway: TestGateway) {
  const seen: string[] = [];
  const drift: Drift[] = [];
  for (let after: string | null = null, hasMore = true; hasMore; ) {
    const { data, errors, extensions } = await gateway.execute(
      'query ($after: String) { callAttempts(first: 7, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }',
      { after },
      { 'x-revox-trace': '1' },
    );
    expect(errors).toBeUndefined();
    seen.push(...data.callAttempts.nodes.map(({ id }: { id: string }) => id));
    drift.push(...(extensions.upstream.drift ?? []));
    ({ endCursor: after, hasNextPage: hasMore } = data.callAttempts.pageInfo);
  }
  expect(gateway.unexpectedErrors).toEqual([]);
  return { seen, drift };
}

test('a walk over pages with malformed items returns every other item once and reports the dropped items as drift', async () => {
  const { gateway, ids } = createGatewayWithAttempts(120);
  const junk: Readonly<Record<number, unknown>> = {
    0: null,
    7: 'attempt',
    13: {},
    20: { id: '' },
    49: [],
  };
  gateway.sandbox.control.transform('/call?', ({ calls }) => ({
    calls: calls.map((attempt: unknown, index: number) => (index in junk ? junk[index] : attempt)),
  }));
  const { seen, drift } = await walk(gateway);
  expect(seen).toEqual(ids.filter((_, index) => !(index % 50 in junk)));
  expect(drift[0]).toEqual({
    kind: 'dropped',
    type: 'CallAttemptConnection',
    field: 'nodes',
    count: Object.keys(junk).length,
  });
  expect(new Set(drift.map(({ kind, type, field }) => `${kind} ${type}.${field}`)).size).toBe(1);
});

test('an item that occurs twice on its page is returned once', async () => {
  const { gateway, ids } = createGatewayWithAttempts(60);
  gateway.sandbox.control.transform('/call?', ({ calls }) => ({
    calls: calls.map((attempt: unknown, index: number) => (index === 3 ? calls[2] : attempt)),
  }));
  const { seen, drift } = await walk(gateway);
  expect(seen).toEqual(ids.filter((_, index) => index % 50 !== 3));
  expect(drift).toEqual([]);
});

test('a walk over items with numeric ids is complete, and the coerced ids are reported as drift', async () => {
  const { gateway, ids } = createGatewayWithAttempts(60);
  gateway.sandbox.control.transform('/call?', ({ calls }) => ({
    calls: calls.map((attempt: { id: string }) => ({ ...attempt, id: ids.indexOf(attempt.id) })),
  }));
  const { seen, drift } = await walk(gateway);
  expect(seen).toEqual(ids.map((_, index) => String(index)));
  expect(drift[0]).toMatchObject({ type: 'CallAttempt', field: 'id', kind: 'coerced' });
});

test('a walk over an upstream that returns all rows for every page is complete', async () => {
  const gateway = createTestGateway({ settings: NO_CACHE });
  const { campaigns, rows } = gateway.sandbox.control.data(KEY_A);
  const { id } = campaigns.find(
    (campaign) => rows[campaign.id]!.length > 100 && rows[campaign.id]!.length < 500,
  )!;
  const all = rows[id]!;
  gateway.sandbox.control.transform(`/campaigns/${id}/rows`, () => ({ rows: all }));
  const seen: string[] = [];
  for (
    let after: string | null = null, hasMore = true, pages = 0;
    hasMore && pages < 20;
    pages += 1
  ) {
    const { data, errors } = await gateway.execute(
      'query ($id: ID!, $after: String) { campaign(id: $id) { rows(first: 50, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } } }',
      { id, after },
    );
    expect(errors).toBeUndefined();
    seen.push(...data.campaign.rows.nodes.map((row: { id: string }) => row.id));
    ({ endCursor: after, hasNextPage: hasMore } = data.campaign.rows.pageInfo);
  }
  expect(seen).toEqual(all.map((row) => row.id));
});
