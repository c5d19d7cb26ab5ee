import { describe, expect, test } from 'vitest';
import { UpstreamUnavailableError } from '#errors/upstream-error.ts';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import { MAX_TRUST_MS } from '#pagination/fact.ts';
import { createClock } from '../support/clock.ts';
import {
  createSimulatedList,
  type PagingBehavior,
  type SimulatedList,
} from '../support/simulated-list.ts';
import { createListReader } from './list-reader.ts';

const PAGE_SIZE = 10;

/**
 * An upstream that changes its paging behavior when `change` is called. Each reader is another
 * credential.
 */
function createChangingUpstream(length: number, before: PagingBehavior, after: PagingBehavior) {
  const clock = createClock();
  const factsOf = createEndpointFacts({
    firstPage: 'auto',
    pageSize: PAGE_SIZE,
    monotonicNow: clock.now,
  });
  const old = createSimulatedList(length, before);
  // The changed upstream has the same items.
  const changed = createSimulatedList(length, after);
  let current = old;
  const upstream: SimulatedList = {
    ...changed,
    takeLog: () => current.takeLog(),
    readPage: (pageFetch) => current.readPage(pageFetch),
  };
  return {
    clock,
    upstream,
    old,
    change() {
      current = changed;
    },
    reader: (fingerprint: string) =>
      createListReader(upstream, { pageSize: PAGE_SIZE, factsOf, owner: { fingerprint } }),
  };
}

const FROM_0 = { firstPage: 0 } as const;
const FROM_1 = { firstPage: 1 } as const;

describe('Recovery of endpoint facts', () => {
  test('an operation whose first page number is rejected discovers the number again itself', async () => {
    for (const [before, after, requested] of [
      [FROM_0, FROM_1, [0, 1, 0, 1, 0]],
      [FROM_0, { ...FROM_1, below: 422 }, [0, 1, 0, 1, 0]],
      [{ ...FROM_1, past: 404 }, { ...FROM_0, past: 404 }, [1, 0, 0, 1]],
      [{ ...FROM_1, past: 400 }, { ...FROM_0, past: 400 }, [1, 0, 0, 1]],
    ] as [PagingBehavior, PagingBehavior, number[]][]) {
      const { reader, upstream, change } = createChangingUpstream(7, before, after);
      const ann = reader('ann');
      await ann.read({ first: 5 });
      change();
      expect(await ann.read({ first: 5 })).toMatchObject({
        ids: upstream.ids.slice(0, 5),
        requested,
      });
    }
  });

  test('a first page number that has become empty is discovered again after ten minutes', async () => {
    const { reader, upstream, clock, change } = createChangingUpstream(35, FROM_0, {
      ...FROM_1,
      below: 'empty',
    });
    const ann = reader('ann');
    await ann.read({ first: 5 });
    await ann.read({ first: 5 });
    change();
    clock.pass(MAX_TRUST_MS);
    expect((await ann.read({ first: 40 })).ids).toEqual(upstream.ids);
  });

  test('an empty list is looked up under the other number only until page 0 has returned items', async () => {
    const { reader, upstream, clock, old } = createChangingUpstream(0, FROM_0, FROM_0);
    const ann = reader('ann');
    old.insert(0, 15);
    await ann.read({ first: 5 });
    old.remove(0, 15);
    // The other number may hold the missing items: nothing has been read under number 0 since it
    // was learned.
    expect((await ann.read({ first: 5 })).requested).toEqual([0, 1]);
    const ids = old.insert(0, 15);
    expect((await ann.read({ first: 5 })).requested).toEqual([0]);
    old.remove(0, ids.length);
    expect((await ann.read({ first: 5 })).requested).toEqual([0]);
    clock.pass(MAX_TRUST_MS);
    expect(await ann.read({ first: 5 })).toMatchObject({ ids: [], requested: [0, 1] });
    expect(upstream.ids).toEqual([]);
  });

  test('a trusted first page number of 1 is contradicted by a total that the pages do not reach', async () => {
    for (const length of [35, 40]) {
      const { reader, upstream, change } = createChangingUpstream(
        length,
        { ...FROM_1, hasTotal: true },
        { ...FROM_0, hasTotal: true },
      );
      const ann = reader('ann');
      await ann.read({ first: 5 });
      change();
      expect(await ann.read({ first: 50 })).toMatchObject({
        ids: upstream.ids,
        hasNextPage: false,
      });
      expect(ann.facts.firstPage).toBe(0);
    }
  });

  test('a total that is never reached costs an occasional request and causes no wrong result', async () => {
    const { reader, old, clock } = createChangingUpstream(35, { ...FROM_1, hasTotal: false }, {});
    const lying: SimulatedList = {
      ...old,
      readPage: async (pageFetch) => ({ ...(await old.readPage(pageFetch)), total: 38 }),
    };
    const factsOf = createEndpointFacts({
      firstPage: 'auto',
      pageSize: PAGE_SIZE,
      monotonicNow: clock.now,
    });
    const ann = createListReader(lying, {
      pageSize: PAGE_SIZE,
      factsOf,
      owner: { fingerprint: 'ann' },
    });
    const costs: number[] = [];
    for (let times = 0; times < 8; times += 1) {
      const page = await ann.read({ first: 50 });
      expect(page.ids).toEqual(old.ids);
      costs.push(page.requested.length);
    }
    // Pages 1 to 5.
    expect(costs.slice(2)).toEqual([5, 5, 5, 5, 5, 5]);
    expect(reader('bob').facts.firstPage).toBeUndefined();
  });

  test('a first page number of 0 learned from a moving list is verified by an operation that starts elsewhere in the list', async () => {
    const clamped = { ...FROM_1, below: 'clamped', hasTotal: true } as const;
    const { reader, old } = createChangingUpstream(30, clamped, clamped);
    const ann = reader('ann');
    // Page 0 is page 1 before the insertion, and page 1 holds none of its items.
    old.afterRequests(1, () => old.insert(0, PAGE_SIZE));
    await ann.read({ first: 5 });
    expect(ann.facts.firstPage).toBe(0);
    expect((await ann.read({ last: 15 })).ids).toEqual(old.ids.slice(-15));
    expect(ann.facts.firstPage).toBe(1);
  });

  test('a failed verification is not cached, and the same source verifies the number on its next read', async () => {
    const { reader, upstream, old } = createChangingUpstream(60, FROM_0, FROM_0);
    const ann = reader('ann');
    const source = ann.createSource();
    const { endCursor: after } = await ann.read({ first: 45 });
    const failure = new UpstreamUnavailableError({ method: 'GET', path: '/list' }, { status: 503 });
    const jump = { first: 5, after };
    await ann.read({ first: 5 }, { source });
    old.failNext(failure);
    await expect(ann.read(jump, { source })).rejects.toBe(failure);
    expect(await ann.read(jump, { source })).toMatchObject({
      ids: upstream.ids.slice(45, 50),
      requested: [0, 1, 4, 5],
    });
  });

  test('a removed or raised page size cap is detected on the first page', async () => {
    for (const cap of [undefined, 6]) {
      const { reader, upstream, change } = createChangingUpstream(
        35,
        { ...FROM_0, cap: 4 },
        { ...FROM_0, cap },
      );
      const ann = reader('ann');
      await ann.read({ first: 35 });
      expect(ann.facts.pageSize).toBe(4);
      change();
      expect((await ann.read({ first: 35 })).ids).toEqual(upstream.ids);
      expect(ann.facts.pageSize).toBe(cap ?? PAGE_SIZE);
      const walk = await ann.read({ first: 35 });
      expect(walk).toMatchObject({ ids: upstream.ids, hasNextPage: false });
      expect(walk.requested.length).toBeLessThanOrEqual(Math.ceil(35 / (cap ?? PAGE_SIZE)) + 1);
    }
  });

  test('an upstream that stops repeating its last page is no longer trusted to repeat it', async () => {
    const { reader, upstream, change } = createChangingUpstream(
      30,
      { ...FROM_0, past: 'clamped' },
      FROM_0,
    );
    const ann = reader('ann');
    await ann.read({ first: 40 });
    expect(ann.facts.repeatsLastPage).toBe(true);
    change();
    expect(await ann.read({ first: 40 })).toMatchObject({ ids: upstream.ids, hasNextPage: false });
    expect(ann.facts.repeatsLastPage).toBe(false);
  });
});
