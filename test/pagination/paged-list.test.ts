import { describe, expect, test } from 'vitest';
import { UpstreamRejectedError, UpstreamUnavailableError } from '#errors/upstream-error.ts';
import { createSimulatedList, type PagingBehavior } from '../support/simulated-list.ts';
import { createListReader } from './list-reader.ts';

const REQUEST_LINE = { method: 'GET', path: '/list' } as const;

describe('Page size', () => {
  for (const offsetBy of ['served', 'requested'] as const) {
    test(`the page size is learned from an upstream that caps it and counts offsets by the ${offsetBy} size`, async () => {
      const upstream = createSimulatedList(37, { cap: 4, offsetBy });
      const reader = createListReader(upstream, { pageSize: 10 });

      const first = await reader.read({ first: 6 });
      expect(first.ids).toEqual(upstream.ids.slice(0, 6));
      // The short page, the next one, which is not empty, the short one again to prove that it did
      // not grow, and the second one by the real size; then all pages by the real size except the
      // first: it is requested by the full size, which reveals when the cap is gone.
      expect(first.requested).toEqual([0, 1, 0, 1, 0, 1]);
      expect(upstream.log.map(({ pageSize }) => pageSize)).toEqual([10, 10, 10, 4, 10, 4]);
      expect(reader.facts.pageSize).toBe(4);

      const second = await reader.read({ first: 6, after: first.endCursor });
      expect(second.ids).toEqual(upstream.ids.slice(6, 12));
      expect(second.requested).toEqual([1, 2, 3]);
    });
  }

  test.each<PagingBehavior>([
    { offsetBy: 'served' },
    { offsetBy: 'requested' },
    { offsetBy: 'served', past: 'clamped' },
    { offsetBy: 'requested', past: 'clamped' },
    { offsetBy: 'served', hasTotal: true },
    { offsetBy: 'requested', hasTotal: true },
  ])('a capped list loses no row from either end: %o', async (behavior) => {
    for (let length = 0; length <= 45; length += 1) {
      // Without a total, a list longer than the cap and shorter than the page, with offsets by the
      // requested size, looks complete: its second page is empty.
      if (behavior.offsetBy === 'requested' && !behavior.hasTotal && length > 4 && length <= 10)
        continue;
      const upstream = createSimulatedList(length, { cap: 4, ...behavior });
      const forward = await createListReader(upstream, { pageSize: 10 }).read({ first: 100 });
      expect(forward.ids, `${length} items`).toEqual(upstream.ids);
      expect(forward.requested.length).toBeLessThanOrEqual(Math.ceil(length / 4) + 6);
      const backward = await createListReader(upstream, { pageSize: 10 }).read({ last: 100 });
      expect(backward.ids, `${length} items`).toEqual(upstream.ids);
    }
  });

  test('the page size is learned by an operation that starts in the middle of the list', async () => {
    const upstream = createSimulatedList(90, { cap: 4 });
    const elsewhere = createListReader(upstream, { pageSize: 4 });
    const { endCursor } = await elsewhere.read({ first: 54 });

    const reader = createListReader(upstream, { pageSize: 10 });
    expect((await reader.read({ first: 6, after: endCursor })).ids).toEqual(
      upstream.ids.slice(54, 60),
    );
    expect(reader.facts.pageSize).toBe(4);
    expect(upstream.log.length).toBeLessThan(14 + 20);
  });

  test('the page size is larger when the upstream serves more than requested', async () => {
    const upstream = createSimulatedList(60);
    const generous = {
      ...upstream,
      readPage: ({ page }: { page: number }) => upstream.readPage({ page, pageSize: 25 }),
    };
    const reader = createListReader(generous, { pageSize: 10 });
    expect((await reader.read({ first: 60 })).ids).toEqual(upstream.ids);
    expect(reader.facts.pageSize).toBe(25);
    expect(upstream.log.map(({ page }) => page)).toEqual([0, 0, 1, 2]);
  });

  test('the page size is not concluded from a list that grew at its end between two reads', async () => {
    const upstream = createSimulatedList(6);
    const reader = createListReader(upstream, { pageSize: 10 });
    upstream.afterRequests(1, () => upstream.insert(6, 8));

    const page = await reader.read({ first: 6 + 8 });
    expect(page.ids).toEqual(upstream.ids);
    expect(reader.facts.pageSize).toBe(10);
    // The page is short and followed by another, yet longer when read again: the list has moved.
    // Then one generation follows.
    expect(page.requested).toEqual([0, 1, 0, 0, 1]);
  });

  test('the page size stays unknown when its proof fails, because a failure proves nothing', async () => {
    const upstream = createSimulatedList(37, { cap: 4 });
    let isDown = true;
    const flaky = {
      ...upstream,
      readPage: (pageFetch: { page: number; pageSize: number }) => {
        if (isDown && pageFetch.pageSize === 4)
          throw new UpstreamUnavailableError({ method: 'GET', path: '/list' }, { status: 503 });
        return upstream.readPage(pageFetch);
      },
    };
    const reader = createListReader(flaky, { pageSize: 10 });
    await expect(reader.read({ first: 6 })).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(reader.facts).toMatchObject({ pageSize: 10, hasHoles: false });
    isDown = false;
    expect((await reader.read({ first: 6 })).ids).toEqual(upstream.ids.slice(0, 6));
    expect(reader.facts.pageSize).toBe(4);
  });

  test('the page size is not concluded from a list that grew at its start, which one more request reveals', async () => {
    const upstream = createSimulatedList(6);
    const reader = createListReader(upstream, { pageSize: 10 });
    upstream.afterRequests(1, () => upstream.insert(0, 8));
    expect(await reader.read({ first: 6 + 8 })).toMatchObject({
      ids: upstream.ids,
      requested: [0, 1, 0, 1],
    });
    expect(reader.facts.pageSize).toBe(10);
  });

  test('the page size is not concluded from a short page in the middle while a full page was just served', async () => {
    const upstream = createSimulatedList(25);
    const reader = createListReader(
      {
        ...upstream,
        readPage: async (pageFetch) => {
          const page = await upstream.readPage(pageFetch);
          return pageFetch.page === 1 ? { items: page.items.slice(0, 3), served: 3 } : page;
        },
      },
      { pageSize: 10 },
    );
    const { endCursor: before } = await createListReader(upstream, { pageSize: 10 }).read({
      first: 25,
    });
    const source = reader.createSource();
    const end = await reader.read({ last: 3, before }, { source });
    expect(end).toMatchObject({ ids: ['i21', 'i22', 'i23'], requested: [2] });
    const page = await reader.read({ last: 7, before: end.startCursor }, { source });
    expect(page).toMatchObject({
      ids: ['i7', 'i8', 'i9', 'i10', 'i11', 'i12', 'i20'],
      requested: [1, 1, 0],
    });
    expect(reader.facts.pageSize).toBe(10);
  });

  test('a full page of the same read proves that a short one is the last, and a short page alone needs a proof', async () => {
    const upstream = createSimulatedList(17);
    const reader = createListReader(upstream, { pageSize: 10 });
    const start = await reader.read({ first: 8 });
    expect(await reader.read({ first: 10, after: start.endCursor })).toMatchObject({
      hasNextPage: false,
      requested: [0, 1],
    });
    const later = await reader.read({ first: 10 });
    expect(await reader.read({ first: 10, after: later.endCursor })).toMatchObject({
      hasNextPage: false,
      requested: [1, 2],
    });
  });

  test('a short page in the middle ends no walk once the upstream is known to leave holes', async () => {
    const upstream = createSimulatedList(40);
    const withHole = { ...upstream, readPage: holed(upstream) };
    const reader = createListReader(withHole, { pageSize: 10 });
    const seen: string[] = [];
    for (let after: string | null = null, hasMore = true; hasMore; ) {
      const page = await reader.read({ first: 5, after });
      seen.push(...page.ids);
      [after, hasMore] = [page.endCursor, page.hasNextPage];
    }
    expect(seen).toEqual(upstream.ids.filter((id) => id !== 'i19'));
    expect(reader.facts).toMatchObject({ pageSize: 10, hasHoles: true });
    expect((await reader.read({ first: 40 })).ids).toEqual(seen);
  });

  test.each<[string, PagingBehavior, number, number, number]>([
    ['that is cleared after its total was read', { cap: 1, hasTotal: true }, 4, 2, 4],
    ['whose first page is removed, with a total', { cap: 2, hasTotal: true }, 4, 1, 2],
    ['whose first pages are removed, without a total', { cap: 1, past: 'clamped' }, 5, 1, 4],
    ['that shrinks to one page, which is repeated', { cap: 3, past: 'clamped' }, 4, 2, 1],
  ])(
    'a capped list %s is not taken for one with holes',
    async (_, behavior, length, requests, removed) => {
      const upstream = createSimulatedList(length, behavior);
      const reader = createListReader(upstream, { pageSize: 5 });
      upstream.afterRequests(requests, () => upstream.remove(0, removed));
      expect((await reader.read({ first: 7 })).ids).toEqual(upstream.ids);
      expect(reader.facts.hasHoles).toBe(false);

      upstream.insert(0, 6);
      const last = await reader.read({ last: 4 });
      expect(last.ids).toEqual(upstream.ids.slice(-4));
      expect(await last.connection.totalCount()).toBe(upstream.ids.length);
    },
  );

  /** The second page lacks its last item. */
  function holed(upstream: ReturnType<typeof createSimulatedList>): typeof upstream.readPage {
    return async (pageFetch) => {
      const page = await upstream.readPage(pageFetch);
      return pageFetch.page === 1
        ? { items: page.items.slice(0, -1), served: page.served - 1 }
        : page;
    };
  }
});

describe('End of a paged list', () => {
  const ends: [string, PagingBehavior][] = [
    ['an empty page', {}],
    ['a 400', { past: 400 }],
    ['a 404', { past: 404 }],
    ['a repetition of the last page', { past: 'clamped' }],
  ];

  test.each(ends)('%s ends a list after a full last page', async (_, behavior) => {
    for (const firstPage of [0, 1] as const) {
      const upstream = createSimulatedList(30, { ...behavior, firstPage });
      const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 30 });
      expect(page).toMatchObject({ ids: upstream.ids, hasNextPage: false });
      const reads = [0, 1, 2, 3].map((index) => firstPage + index);
      // A page identical to the one before may also mean that the list moved by a page: the first
      // time, it is read again.
      expect(page.requested).toEqual(
        behavior.past === 'clamped' ? [...reads, firstPage + 2] : reads,
      );
    }
  });

  test.each(ends)('%s ends a list after a single short page', async (_, behavior) => {
    const upstream = createSimulatedList(7, behavior);
    const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 10 });
    expect(page).toMatchObject({ ids: upstream.ids, hasNextPage: false, requested: [0, 1] });
  });

  test.each(ends)('a short page ends a list without a request for %s', async (_, behavior) => {
    const upstream = createSimulatedList(37, behavior);
    const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 100 });
    expect(page).toMatchObject({ ids: upstream.ids, hasNextPage: false, requested: [0, 1, 2, 3] });
  });

  test.each(ends)('the total ends a list without a request for %s', async (_, behavior) => {
    for (const length of [1, 9, 10, 11, 30]) {
      const upstream = createSimulatedList(length, { ...behavior, hasTotal: true });
      const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 100 });
      expect(page).toMatchObject({ ids: upstream.ids, hasNextPage: false });
      expect(page.requested.length).toBe(Math.ceil(length / 10));
    }
  });

  test('a repeated last page is recognized without another request the second time', async () => {
    const upstream = createSimulatedList(30, { past: 'clamped' });
    const reader = createListReader(upstream, { pageSize: 10 });
    await reader.read({ first: 30 });
    expect((await reader.read({ first: 30 })).requested).toEqual([0, 1, 2, 3]);
  });

  test('a page that is repeated because the list moved by a whole page does not end the list', async () => {
    const upstream = createSimulatedList(30);
    upstream.afterRequests(1, () => upstream.insert(0, 10));
    const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 25 });
    expect(page).toMatchObject({
      ids: upstream.ids.slice(0, 25),
      hasNextPage: true,
      requested: [0, 1, 0, 0, 1, 2],
    });
  });

  test.each([401, 403, 422, 409])('a %i does not end a list', async (status) => {
    const upstream = createSimulatedList(30);
    const failure = new UpstreamRejectedError(REQUEST_LINE, status);
    upstream.afterRequests(1, () => upstream.failNext(failure));
    await expect(createListReader(upstream, { pageSize: 10 }).read({ first: 20 })).rejects.toBe(
      failure,
    );
    expect(upstream.takeLog()).toEqual([0, 1]);
  });

  test.each([400, 404])('a %i for the first page does not end a list', async (status) => {
    const upstream = createSimulatedList(30);
    const failure = new UpstreamRejectedError(REQUEST_LINE, status);
    upstream.failNext(failure);
    await expect(createListReader(upstream, { pageSize: 10 }).read({ first: 20 })).rejects.toBe(
      failure,
    );
    expect(upstream.takeLog()).toEqual([0]);
  });

  test('a page without a usable item does not end a list', async () => {
    const upstream = createSimulatedList(30);
    const source = {
      ...upstream,
      readPage: async (pageFetch: { page: number; pageSize: number }) => {
        const page = await upstream.readPage(pageFetch);
        return pageFetch.page === 1 ? { ...page, items: [] } : page;
      },
    };
    const rest = [...upstream.ids.slice(0, 10), ...upstream.ids.slice(20)];
    expect(await createListReader(source, { pageSize: 10 }).read({ first: 25 })).toMatchObject({
      ids: rest,
      requested: [0, 1, 2, 3],
    });
    expect((await createListReader(source, { pageSize: 10 }).read({ last: 25 })).ids).toEqual(rest);
  });

  test('a failed page is read again by the next request for it from the same source', async () => {
    const upstream = createSimulatedList(30);
    const reader = createListReader(upstream, { pageSize: 10 });
    const source = reader.createSource();
    const failure = new UpstreamUnavailableError(REQUEST_LINE, { status: 503 });
    upstream.afterRequests(1, () => upstream.failNext(failure));
    await expect(reader.read({ first: 20 }, { source })).rejects.toBe(failure);
    expect(await reader.read({ first: 20 }, { source })).toMatchObject({
      ids: upstream.ids.slice(0, 20),
      requested: [1, 2],
    });
  });

  test('a page that several readers request at once is read once', async () => {
    const upstream = createSimulatedList(30, { firstPage: 1 });
    const reader = createListReader(upstream, { pageSize: 10, firstPage: 'auto' });
    const source = reader.createSource();
    const pages = await Promise.all([3, 12, 30].map((first) => reader.read({ first }, { source })));
    expect(pages.map(({ ids }) => ids)).toEqual(
      [3, 12, 30].map((first) => upstream.ids.slice(0, first)),
    );
    expect(upstream.log.map(({ page }) => page)).toEqual([0, 1, 0, 2, 3, 4]);
  });
});

describe('Clamped page past the end', () => {
  const cursorAt = async (
    upstream: ReturnType<typeof createSimulatedList>,
    pageSize: number,
    position: number,
  ) => (await createListReader(upstream, { pageSize }).read({ first: position + 1 })).endCursor;

  test('a backward read from past the end takes a clamped page for the page that it repeats', async () => {
    for (let remaining = 1; remaining <= 40; remaining += 1) {
      const upstream = createSimulatedList(80, { past: 'clamped' });
      const before = await cursorAt(upstream, 10, 79);
      upstream.remove(0, 80 - remaining);

      const reader = createListReader(upstream, { pageSize: 10 });
      const page = await reader.read({ last: 25, before });

      // The search goes five pages up from the eighth; farther up the item counts as gone, and the
      // page ends with the list.
      const isReached = remaining > 20;
      const end = isReached ? remaining - 1 : remaining;
      expect(page.ids, `${remaining} items remain`).toEqual(
        upstream.ids.slice(Math.max(0, end - 25), end),
      );
      expect(page.hasPreviousPage).toBe(end > 25);
      expect(page.isCursorItemGone).toBe(!isReached);
      expect(page.requested.length, String(page.requested)).toBeLessThanOrEqual(20);
    }
  });

  test('a forward read between two cursors past the end takes clamped pages for the page that they repeat', async () => {
    const upstream = createSimulatedList(70, { past: 'clamped' });
    const after = await cursorAt(upstream, 10, 58);
    const before = await cursorAt(upstream, 10, 69);
    upstream.remove(0, 57);
    upstream.remove(6, 2);
    // 11 items remain: the items of the two cursors are at positions 1 and 10.
    for (const given of [{ first: 20 }, { last: 20 }]) {
      const page = await createListReader(upstream, { pageSize: 10 }).read({
        ...given,
        after,
        before,
      });
      expect(page.ids).toEqual(upstream.ids.slice(2, 10));
      expect(page.isCursorItemGone).toBe(false);
      expect(page.requested.length, String(page.requested)).toBeLessThanOrEqual(20);
    }
  });
});
