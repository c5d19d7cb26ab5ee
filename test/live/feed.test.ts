import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Feed, type FeedNews } from '#live/feed.ts';
import type { Identified } from '#pagination/list.ts';

const MAX_PAGES = 4;

/** A feed of a list that the test edits, in pages of this size. */
function createScene(ids: readonly string[], pageSize: number) {
  const list = [...ids];
  const feed = new Feed<Identified>();
  return {
    list,
    feed,
    /** Reads as many pages as the feed needs, at most four. */
    read(): FeedNews<Identified> & { readonly pages: number } {
      for (let pages = 1; ; pages += 1) {
        const items = list.slice(0, pages * pageSize).map((id) => ({ id }));
        const isWhole = items.length === list.length;
        if (!feed.isEnough(items) && !isWhole && pages < MAX_PAGES) continue;
        return { ...feed.accept({ items, isWhole }), pages };
      }
    },
  };
}

const toIds = ({ added }: FeedNews<Identified>) => added.map(({ id }) => id);
const idsOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('New attempts of a feed', () => {
  test('the first reading contains nothing new', () => {
    const { read, feed } = createScene(idsOf('a', 7), 3);
    expect(feed.hasBegun).toBe(false);
    expect(read()).toEqual({ added: [], isSkipped: false, pages: 1 });
    expect(feed.hasBegun).toBe(true);
    expect(toIds(read())).toEqual([]);
  });

  test('items that are inserted at the top are new, and come oldest first', () => {
    const { list, read } = createScene(idsOf('a', 7), 3);
    read();
    list.unshift('n2', 'n1');
    expect(read()).toEqual({ added: [{ id: 'n1' }, { id: 'n2' }], isSkipped: false, pages: 1 });
    expect(toIds(read())).toEqual([]);
  });

  test('an item that moves up because others were removed is not new', () => {
    const { list, read } = createScene(idsOf('a', 7), 3);
    read();
    list.splice(0, 2);
    expect(toIds(read())).toEqual([]);
    list.splice(0, 2);
    expect(toIds(read())).toEqual([]);
  });

  test('an attempt that enters the filter between two known ones is new, and below all of them it is not', () => {
    const { list, read } = createScene(idsOf('a', 7), 3);
    read();
    list.splice(0, 1);
    list.splice(1, 0, 'between');
    list.splice(3, 0, 'below');
    expect(toIds(read())).toEqual(['between']);
    list.splice(0, 1);
    expect(toIds(read())).toEqual([]);
  });

  test('of a list that was read as a whole, every unknown attempt is new', () => {
    const { list, read } = createScene(['a', 'b'], 3);
    read();
    list.push('below');
    list.shift();
    expect(toIds(read())).toEqual(['below']);
  });

  test('an attempt that leaves the filter and enters it again is not sent twice', () => {
    const { list, read } = createScene(['a', 'b'], 3);
    read();
    list.shift();
    read();
    list.unshift('a');
    expect(toIds(read())).toEqual([]);
  });

  test('all attempts are new when none of the reading before is left', () => {
    const { list, read } = createScene(['a', 'b'], 3);
    read();
    list.splice(0, 2, 'd', 'c');
    expect(read()).toMatchObject({ added: [{ id: 'c' }, { id: 'd' }], isSkipped: false });
    list.splice(0);
    expect(toIds(read())).toEqual([]);
    list.unshift('e');
    expect(toIds(read())).toEqual(['e']);
  });

  test('up to four pages are read for new attempts, and beyond them the gap is reported', () => {
    const { list, read } = createScene(idsOf('a', 4), 3);
    read();
    list.unshift(...idsOf('n', 11));
    expect(read()).toMatchObject({ isSkipped: false, pages: 4 });
    const many = idsOf('m', 12);
    list.unshift(...many);
    const news = read();
    expect(news).toMatchObject({ isSkipped: true, pages: 4 });
    expect(toIds(news)).toEqual(many.toReversed());
    expect(read()).toEqual({ added: [], isSkipped: false, pages: 1 });
  });

  test('a page of more than a thousand attempts is compared as a whole', () => {
    const { list, read } = createScene(idsOf('a', 3_000), 2_000);
    read();
    list.unshift('n');
    expect(toIds(read())).toEqual(['n']);
  });

  test('the last thousand ids are known, and older ones are forgotten', () => {
    const { list, read } = createScene(['first'], 100);
    read();
    for (let round = 0; round < 11; round += 1) {
      list.splice(0, list.length, ...idsOf(`r${round}-`, 90));
      read();
    }
    list.unshift('first');
    expect(toIds(read())).toEqual([]);
    for (let round = 11; round < 23; round += 1) {
      list.splice(0, list.length, ...idsOf(`r${round}-`, 90));
      read();
    }
    list.unshift('first');
    expect(toIds(read())).toEqual(['first']);
  });
});

describe('Any sequence of changes between two readings', () => {
  const position = fc.double({ min: 0, max: 1, noNaN: true });
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('insertOnTop' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('remove' as const), at: position, count: fc.nat({ max: 6 }) }),
    // An order enters the filter, with an attempt anywhere in the list, or leaves it and comes back.
    fc.record({ kind: fc.constant('enter' as const), at: position }),
    fc.record({ kind: fc.constant('return' as const), at: position }),
  );
  type Edit = typeof edit extends fc.Arbitrary<infer Each> ? Each : never;

  const scenario = fc.record({
    length: fc.integer({ min: 0, max: 30 }),
    pageSize: fc.integer({ min: 1, max: 8 }),
    rounds: fc.array(fc.array(edit, { maxLength: 6 }), { maxLength: 15 }),
  });

  /** Applies an edit. Relative order never changes: an attempt that comes back has its old place. */
  function apply(
    edit: Edit,
    list: string[],
    left: Map<string, string | undefined>,
    next: () => string,
  ) {
    const at = 'at' in edit ? Math.floor(edit.at * (list.length + 1)) : 0;
    switch (edit.kind) {
      case 'insertOnTop':
        for (let index = 0; index < edit.count; index += 1) list.unshift(next());
        break;
      case 'enter':
        list.splice(at, 0, next());
        break;
      case 'remove':
        for (const id of list.splice(at, edit.count)) left.set(id, list[at]);
        break;
      case 'return': {
        const [id, below] = [...left][at % Math.max(1, left.size)] ?? [];
        if (id === undefined) break;
        left.delete(id);
        const place = below === undefined ? list.length : list.indexOf(below);
        if (place >= 0) list.splice(place, 0, id);
      }
    }
  }

  test('misses no new attempt of fewer than four pages, sends none twice, and none that slid up', () => {
    const covered = { added: 0, slidUp: 0, skipped: 0, morePages: 0 };
    fc.assert(
      fc.property(scenario, ({ length, pageSize, rounds }) => {
        const { list, read } = createScene(idsOf('a', length), pageSize);
        const left = new Map<string, string | undefined>();
        let made = 0;
        const next = () => `n${made++}`;
        read();
        /** In the list throughout. */
        const atStart = new Set(list);
        const sent = new Set<string>();
        const known = new Set(list.slice(0, pageSize));
        let before = list.slice(0, pageSize);
        let wasWhole = list.length <= pageSize;
        for (const edits of rounds) {
          for (const one of edits) {
            apply(one, list, left, next);
            for (const id of left.keys()) atStart.delete(id);
          }
          const remaining = list.filter((id) => before.includes(id));
          const news = read();
          const ids = toIds(news);
          const window = list.slice(0, news.pages * pageSize);
          for (const id of ids) {
            expect(sent.has(id), `${id} is sent twice`).toBe(false);
            sent.add(id);
          }
          expect(ids).toEqual(window.filter((id) => ids.includes(id)).reverse());

          // Everything above the first attempt that remains is read, unless it is four pages.
          const firstRemaining = list.findIndex((id) => before.includes(id));
          const isFound = firstRemaining >= 0 && firstRemaining < MAX_PAGES * pageSize;
          const unsent = (id: string) => !known.has(id) && !sent.has(id);
          if (isFound) {
            expect(list.slice(0, firstRemaining).filter(unsent)).toEqual([]);
            expect(news.isSkipped).toBe(false);
            // Between two that remain, every attempt on the pages that were read is new.
            const lastSeen = window.findLastIndex((id) => before.includes(id));
            expect(window.slice(0, lastSeen).filter(unsent)).toEqual([]);
            // An attempt that was in the list throughout has slid up.
            if (!wasWhole) expect(ids.filter((id) => atStart.has(id))).toEqual([]);
            covered.slidUp += window.slice(lastSeen + 1).filter((id) => !sent.has(id)).length;
          } else {
            expect(news.isSkipped).toBe(window.length < list.length);
            expect(window.filter(unsent)).toEqual([]);
          }
          if (wasWhole) expect(window.filter(unsent)).toEqual([]);
          covered.added += ids.length;
          covered.skipped += Number(news.isSkipped);
          covered.morePages += Number(news.pages > 1 && remaining.length > 0);
          for (const id of window) known.add(id);
          before = window;
          wasWhole = window.length === list.length;
        }
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
    );
    for (const count of Object.values(covered)) expect(count).toBeGreaterThan(0);
  });
});
