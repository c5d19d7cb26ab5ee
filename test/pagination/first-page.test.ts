import { describe, expect, test } from 'vitest';
import {
  CredentialRejectedError,
  RateLimitedError,
  UpstreamNotFoundError,
  UpstreamRejectedError,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import { createSimulatedList, type PagingBehavior } from '../support/simulated-list.ts';
import { createListReader } from './list-reader.ts';

const REQUEST_LINE = { method: 'GET', path: '/list' } as const;
const discoveringReader = { pageSize: 10, firstPage: 'auto' } as const;

describe('First page number', () => {
  // What page 0 returns, the discovered number, and the requests that discovered it.
  test.each<[string, number, PagingBehavior, 0 | 1 | undefined, number[]]>([
    ['0 is rejected with 400', 35, { firstPage: 1, below: 400 }, 1, [0, 1, 0]],
    ['0 is rejected with 422', 35, { firstPage: 1, below: 422 }, 1, [0, 1, 0]],
    [
      '0 is rejected and page 1 is empty, which proves nothing',
      0,
      { firstPage: 1, below: 400 },
      undefined,
      [0, 1],
    ],
    ['0 is empty and page 1 is not', 35, { firstPage: 1, below: 'empty' }, 1, [0, 1, 0]],
    [
      '0 is empty and page 1 is not, on a list of one page',
      3,
      { firstPage: 1, below: 'empty' },
      1,
      [0, 1, 0],
    ],
    [
      '0 holds what page 1 holds and page 2 holds more',
      35,
      { firstPage: 1, below: 'clamped' },
      1,
      [0, 1, 2, 0, 1],
    ],
    [
      '0 holds what page 1 holds and page 2 is empty',
      7,
      { firstPage: 1, below: 'clamped' },
      1,
      [0, 1, 2, 0, 1, 2],
    ],
    ['0 and page 1 differ', 35, { firstPage: 0 }, 0, [0, 1]],
    [
      '0 and page 1 differ and numbers past the end are clamped',
      35,
      { firstPage: 0, past: 'clamped' },
      0,
      [0, 1],
    ],
    ['0 is the only page with items', 7, { firstPage: 0 }, 0, [0, 1]],
    [
      '0 is the only page with items and page 1 is rejected with 400',
      7,
      { firstPage: 0, past: 400 },
      0,
      [0, 1],
    ],
    [
      '0 is the only page with items and page 1 is rejected with 404',
      7,
      { firstPage: 0, past: 404 },
      0,
      [0, 1],
    ],
    ['0 and page 1 differ and both are capped', 35, { firstPage: 0, cap: 4 }, 0, [0, 1]],
  ])(
    'the gateway discovers the number of the first page when page %s',
    async (_, length, behavior, firstPage, requestedPages) => {
      const upstream = createSimulatedList(length, behavior);
      const reader = createListReader(upstream, discoveringReader);

      const page = await reader.read({ first: 2 });

      expect(page.ids).toEqual(upstream.ids.slice(0, 2));
      expect(reader.facts.firstPage).toBe(firstPage);
      expect(page.requested).toEqual(requestedPages);
    },
  );

  test('the number of the first page is discovered once for an endpoint', async () => {
    for (const below of [400, 422, 'empty', 'clamped'] as const) {
      const upstream = createSimulatedList(35, { firstPage: 1, below });
      const reader = createListReader(upstream, discoveringReader);
      await reader.read({ first: 2 });
      expect((await reader.read({ first: 2 })).requested).toEqual([1]);
      expect((await reader.read({ first: 2 })).requested).toEqual([1]);
    }
    const reader = createListReader(createSimulatedList(35), discoveringReader);
    await reader.read({ first: 2 });
    expect((await reader.read({ first: 2 })).requested).toEqual([0]);
  });

  test('a configured first page number needs no discovery', async () => {
    for (const firstPage of [0, 1] as const) {
      const reader = createListReader(createSimulatedList(35, { firstPage }), {
        pageSize: 10,
        firstPage,
      });
      expect((await reader.read({ first: 2 })).requested).toEqual([firstPage]);
    }
  });

  test('the pages read for the discovery are not read again', async () => {
    const upstream = createSimulatedList(20);
    const page = await createListReader(upstream, discoveringReader).read(
      { first: 20 },
      { wanted: { page: true, hasNextPage: false } },
    );
    expect(page.ids).toEqual(upstream.ids);
    expect(page.requested).toEqual([0, 1]);
  });

  test('an empty list does not prove the number of the first page', async () => {
    for (const behavior of [
      { firstPage: 0 },
      { firstPage: 1, below: 'empty' },
      { firstPage: 0, past: 404 },
      { firstPage: 1, below: 'clamped' },
    ] as const) {
      const upstream = createSimulatedList(0, behavior);
      const reader = createListReader(upstream, discoveringReader);

      const page = await reader.read({ first: 2 });
      expect(page).toMatchObject({
        ids: [],
        hasNextPage: false,
        hasPreviousPage: false,
        requested: [0, 1],
      });
      expect(reader.facts.firstPage).toBeUndefined();

      upstream.insert(0, 25);
      const walk = await reader.read({ first: 12 });
      expect(walk.ids).toEqual(upstream.ids.slice(0, 12));
      expect(reader.facts.firstPage).toBe(behavior.firstPage);
    }
  });

  test('the end of an empty list costs no more requests than the discovery', async () => {
    const reader = createListReader(createSimulatedList(0), discoveringReader);
    const page = await reader.read({ last: 3 });
    expect(page).toMatchObject({
      ids: [],
      hasNextPage: false,
      hasPreviousPage: false,
      requested: [0, 1],
    });
    expect(await page.connection.totalCount()).toBe(0);
  });

  test.each([
    ['a rejection with 400', new UpstreamRejectedError(REQUEST_LINE, 400)],
    ['a rejection with 404', new UpstreamNotFoundError(REQUEST_LINE, 404)],
  ])(
    '%s of page 2, once, does not make a repeated last page look like a clamped 0',
    async (_, error) => {
      // The upstream serves one item for each page, and repeats it for numbers past the end.
      const upstream = createSimulatedList(10, {
        past: 'clamped',
        cap: 1,
        offsetBy: 'requested',
        hasTotal: true,
      });
      const reader = createListReader(upstream, discoveringReader);
      upstream.afterRequests(2, () => upstream.failNext(error));

      const disturbed = await reader.read({ first: 3 });
      expect(disturbed.requested.slice(0, 6)).toEqual([0, 1, 2, 0, 1, 2]);
      expect(disturbed.ids).toEqual(upstream.ids.slice(0, 3));
      expect(reader.facts.firstPage).toBe(0);
      const page = await reader.read({ first: 3 });
      expect(page.ids).toEqual(upstream.ids.slice(0, 3));
      expect(page.requested).toEqual([0, 1, 2]);
    },
  );

  test('a list of one page under every number does not prove the number, whether clamped below or past the end', async () => {
    for (const behavior of [
      { firstPage: 0, past: 'clamped' },
      { firstPage: 1, below: 'clamped', past: 'clamped' },
    ] as const) {
      for (const [length, hasTotal] of [
        [7, false],
        [7, true],
        [10, false],
        [10, true],
      ] as const) {
        const upstream = createSimulatedList(length, { ...behavior, hasTotal });
        const reader = createListReader(upstream, discoveringReader);

        expect(await reader.read({ first: 3 })).toMatchObject({
          ids: upstream.ids.slice(0, 3),
          requested: [0, 1, 2],
        });
        expect(reader.facts.firstPage).toBeUndefined();

        // The list outgrows its page: with a premature conclusion a page would be lost, or served
        // twice.
        upstream.insert(0, 20);
        const page = await reader.read({ first: 25 });
        expect(page.ids).toEqual(upstream.ids.slice(0, 25));
        expect(page.requested.length).toBeLessThanOrEqual(6);
        expect(reader.facts.firstPage).toBe(behavior.firstPage);
      }
    }
  });

  test('a list that moves by more than half a page between the first two reads is not mistaken for a clamped one', async () => {
    const upstream = createSimulatedList(40);
    const reader = createListReader(upstream, discoveringReader);
    upstream.afterRequests(1, () => upstream.insert(0, 7));
    await reader.read({ first: 3 });
    expect(reader.facts.firstPage).toBe(0);
  });

  test('a list of one page that grows before page 2 is read does not make a repeated last page look like a clamped 0', async () => {
    for (const hasTotal of [false, true]) {
      const upstream = createSimulatedList(7, { past: 'clamped', hasTotal });
      const reader = createListReader(upstream, discoveringReader);
      upstream.afterRequests(2, () => upstream.insert(0, 1));

      const grown = await reader.read({ first: 3 });
      expect(grown.requested.slice(0, 6)).toEqual([0, 1, 2, 0, 1, 2]);
      expect(reader.facts.firstPage).toBeUndefined();

      upstream.insert(0, 20);
      expect((await reader.read({ first: 3 })).ids).toEqual(upstream.ids.slice(0, 3));
      expect(reader.facts.firstPage).toBe(0);
    }
  });

  test('a request that is rejected under both numbers does not prove the number of the first page', async () => {
    const upstream = createSimulatedList(40);
    const reader = createListReader(upstream, discoveringReader);
    const rejectingReader = createListReader(
      {
        ...upstream,
        readPage: async () => {
          throw new UpstreamRejectedError({ method: 'GET', path: '/list' }, 400);
        },
      },
      discoveringReader,
    );
    await expect(rejectingReader.read({ first: 3 })).rejects.toMatchObject({
      code: 'UPSTREAM_REJECTED',
      status: 400,
    });
    expect(rejectingReader.facts.firstPage).toBeUndefined();
    expect((await reader.read({ first: 3 })).ids).toEqual(upstream.ids.slice(0, 3));
  });

  test('the second number proves the first page of a capped list that appears under both numbers', async () => {
    const upstream = createSimulatedList(35, { firstPage: 1, below: 'clamped', cap: 4 });
    const reader = createListReader(upstream, discoveringReader);
    expect((await reader.read({ first: 9 })).ids).toEqual(upstream.ids.slice(0, 9));
    expect(reader.facts).toMatchObject({ firstPage: 1, pageSize: 4 });
    expect((await reader.read({ first: 2 })).requested).toEqual([1]);
  });

  const failures = [
    new UpstreamUnavailableError(REQUEST_LINE, { status: 503 }),
    new UpstreamUnavailableError(REQUEST_LINE),
    new UpstreamTimeoutError(REQUEST_LINE),
    new RateLimitedError(REQUEST_LINE, 3000, 429),
    new CredentialRejectedError(REQUEST_LINE, 401),
    new CredentialRejectedError(REQUEST_LINE, 403),
    new UpstreamRejectedError(REQUEST_LINE, 401),
    new UpstreamRejectedError(REQUEST_LINE, 403),
    new Error('socket hang up'),
  ];
  test.each(failures)(
    'the number of the first page is not concluded from the failure %s',
    async (failure) => {
      for (const failing of ['page 0', 'page 1']) {
        const upstream = createSimulatedList(35, { firstPage: 1, below: 'empty' });
        const reader = createListReader(upstream, discoveringReader);
        const source = reader.createSource();

        if (failing === 'page 0') upstream.failNext(failure);
        else upstream.afterRequests(1, () => upstream.failNext(failure));
        await expect(reader.read({ first: 2 }, { source })).rejects.toBe(failure);
        expect(upstream.takeLog()).toEqual(failing === 'page 0' ? [0] : [0, 1]);
        expect(reader.facts.firstPage).toBeUndefined();

        // The same source does not cache the failure either.
        expect(await reader.read({ first: 2 }, { source })).toMatchObject({
          ids: upstream.ids.slice(0, 2),
          requested: [0, 1, 0],
        });
        expect(reader.facts.firstPage).toBe(1);
      }
    },
  );

  test('a 404 for page 0 or a 422 for page 1 is a failure like any other', async () => {
    const upstream = createSimulatedList(35);
    const reader = createListReader(upstream, discoveringReader);
    upstream.failNext(new UpstreamRejectedError(REQUEST_LINE, 404));
    await expect(reader.read({ first: 2 })).rejects.toMatchObject({ status: 404 });
    upstream.afterRequests(1, () =>
      upstream.failNext(new UpstreamRejectedError(REQUEST_LINE, 422)),
    );
    await expect(reader.read({ first: 2 })).rejects.toMatchObject({ status: 422 });
    expect(reader.facts.firstPage).toBeUndefined();
    expect(upstream.log.map(({ page }) => page)).toEqual([0, 0, 1]);
  });
});
