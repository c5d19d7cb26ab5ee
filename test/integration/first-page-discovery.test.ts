import { describe, expect, test } from 'vitest';
import { createClock } from '../support/clock.ts';
import { createTestGateway, KEY_A, KEY_B, NO_CACHE, NO_RETRIES, type TestGateway } from '../support/test-gateway.ts';

/** How an upstream numbers its pages. */
interface Numbering {
  firstPage: 0 | 1;
  /** Page 0, where pages are numbered from 1. */
  readonly below: 400 | 'empty' | 'clamped';
}

const PAGE_SIZE = 50;
const TEN_MINUTES_MS = 600_000;

/** A gateway in pass-through mode, over an upstream with a list for each key. It remembers nothing but how the upstream pages. */
function createTenants(numbering: Numbering) {
  const lists = new Map([
    [KEY_A, ids('a', 230)],
    [KEY_B, ids('b', 230)],
  ]);
  const clock = createClock();
  const due: (() => void)[] = [];
  const odd: Response[] = [];
  const gateway = createTestGateway({
    settings: { ...NO_CACHE, ...NO_RETRIES, REVOX_API_KEY: '', REVOX_FIRST_PAGE: 'auto' },
    gateway: { monotonicNow: clock.now },
    async upstream(request) {
      const list = lists.get(request.headers.get('authorization')?.slice('Bearer '.length) ?? '') ?? [];
      const page = Number(new URL(request.url).searchParams.get('page'));
      const response = odd.shift() ?? respond(list, numbering, page);
      due.shift()?.();
      return response;
    },
  });
  return {
    world: gateway,
    clock,
    lists,
    /** Happens after the next request. */
    afterNext: (act: () => void) => due.push(act),
    /** Answers the next request. */
    answerNext: (response: Response) => odd.push(response),
  };
}

function respond(list: readonly string[], { firstPage, below }: Numbering, page: number): Response {
  if (page < firstPage && below === 400) return Response.json({ error: 'page' }, { status: 400 });
  const index = below === 'clamped' ? Math.max(0, page - firstPage) : page - firstPage;
  const items = index < 0 ? [] : list.slice(index * PAGE_SIZE, (index + 1) * PAGE_SIZE);
  return Response.json({ calls: items.map((id) => ({ id })) });
}

function ids(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index}`);
}

async function walk(gateway: TestGateway, key: string): Promise<string[]> {
  const seen: string[] = [];
  for (let after: string | null = null; ; ) {
    const { data, errors } = await gateway.execute(
      'query ($after: String) { callAttempts(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
      { after },
      { authorization: `Bearer ${key}` },
    );
    expect(errors).toBeUndefined();
    seen.push(...data.callAttempts.nodes.map(({ id }: { readonly id: string }) => id));
    if (!data.callAttempts.pageInfo.hasNextPage) return seen;
    after = data.callAttempts.pageInfo.endCursor;
  }
}

const readTop = (gateway: TestGateway, key: string) =>
  gateway.execute('{ callAttempts(first: 10) { nodes { id } } }', {}, { authorization: `Bearer ${key}` });

const toPages = (...pages: number[]) => pages.map((page) => `GET /call?page=${page}&page_size=50`);

describe('The number of the first page', () => {
  test('is not concluded from a list that changes between the two looks, where page 0 is served as page 1', async () => {
    const { world, lists, afterNext } = createTenants({ firstPage: 1, below: 'clamped' });
    afterNext(() => lists.get(KEY_A)!.unshift(...ids('new', 60)));
    expect((await readTop(world, KEY_A)).errors).toBeUndefined();

    for (const key of [KEY_A, KEY_B]) expect(await walk(world, key)).toEqual(lists.get(key));
    expect(world.unexpectedErrors).toEqual([]);
  });

  test('is not concluded from fifty attempts that come in between the two looks, where pages are numbered from 0', async () => {
    const { world, lists, afterNext } = createTenants({ firstPage: 0, below: 400 });
    afterNext(() => lists.get(KEY_A)!.unshift(...ids('new', 50)));
    const { data } = await readTop(world, KEY_A);
    expect(data.callAttempts.nodes[0]).toEqual({ id: 'new0' });

    for (const key of [KEY_A, KEY_B]) expect(await walk(world, key)).toEqual(lists.get(key));
  });

  test.each([400, 422])('is not concluded from one passing %i, where pages are numbered from 0', async (status) => {
    const { world, lists, answerNext } = createTenants({ firstPage: 0, below: 400 });
    answerNext(Response.json({ error: 'passing' }, { status }));
    const { data } = await readTop(world, KEY_A);
    expect(data.callAttempts.nodes[0]).toEqual({ id: 'a0' });

    for (const key of [KEY_A, KEY_B]) expect(await walk(world, key)).toEqual(lists.get(key));
  });

  test('is found out again by the operation whose first page is refused, once the upstream numbers from 1', async () => {
    const numbering: Numbering = { firstPage: 0, below: 400 };
    const { world, lists } = createTenants(numbering);
    for (const key of [KEY_A, KEY_B]) expect(await walk(world, key)).toEqual(lists.get(key));
    numbering.firstPage = 1;
    for (const key of [KEY_A, KEY_B]) expect(await walk(world, key)).toEqual(lists.get(key));
  });

  test('is verified within ten minutes, once the upstream numbers from 0, without a restart', async () => {
    const numbering: Numbering = { firstPage: 1, below: 400 };
    const { world, lists, clock } = createTenants(numbering);
    for (let looks = 0; looks < 10; looks += 1) {
      for (const key of [KEY_A, KEY_B]) expect(await walk(world, key)).toEqual(lists.get(key));
      clock.pass(TEN_MINUTES_MS);
    }
    numbering.firstPage = 0;
    for (const key of [KEY_A, KEY_B]) expect(await walk(world, key)).toEqual(lists.get(key));
  });

  test('is found out again by the operation whose short list is not on page 1, once the upstream numbers from 0', async () => {
    const numbering: Numbering = { firstPage: 1, below: 400 };
    const { world, lists, answerNext } = createTenants(numbering);
    await readTop(world, KEY_A);
    numbering.firstPage = 0;
    lists.set(KEY_A, ids('short', 7));
    answerNext(Response.json({ error: 'page' }, { status: 404 }));
    const { data } = await readTop(world, KEY_A);
    expect(data.callAttempts.nodes).toHaveLength(7);
  });

  test('of one tenant is not taken from another whose list looks otherwise', async () => {
    const { world, lists, afterNext } = createTenants({ firstPage: 0, below: 400 });
    // Each time tenant A is looked at, its list is as it was before the number is read again.
    for (let looks = 0; looks < 3; looks += 1) {
      const fresh = ids(`new ${looks} `, PAGE_SIZE);
      afterNext(() => lists.get(KEY_A)!.unshift(...fresh));
      afterNext(() => {});
      afterNext(() => lists.get(KEY_A)!.splice(0, PAGE_SIZE));
      await readTop(world, KEY_A);
      expect(await walk(world, KEY_B)).toEqual(lists.get(KEY_B));
    }
  });
});

describe('What it costs to know the number of the first page', () => {
  test.each([
    ['from 0', { firstPage: 0, below: 400 }, [0, 1], []],
    ['from 1, 0 refused', { firstPage: 1, below: 400 }, [0, 1, 0], [0]],
    ['from 1, 0 empty', { firstPage: 1, below: 'empty' }, [0, 1, 0], [0]],
    ['from 1, 0 served as 1', { firstPage: 1, below: 'clamped' }, [0, 1, 2, 0, 1], [0]],
  ] as [string, Numbering, number[], number[]][])(
    'is a look at the beginning, one that verifies it after 10 s, doubling to 10 min, and else nothing: %s',
    async (_, numbering, discovery, verification) => {
      const { world, clock } = createTenants(numbering);
      const first = numbering.firstPage;
      await readTop(world, KEY_A);
      expect(world.traffic()).toEqual(toPages(...discovery));
      const looks: number[] = [];
      for (let second = 0; second < 3600; second += 10) {
        await readTop(world, KEY_A);
        const asked = world.traffic();
        if (asked.length > 1) looks.push(second);
        expect(asked.filter((one) => one !== toPages(first)[0]).slice(0, 1)).toEqual(
          toPages(...verification).slice(0, asked.length - 1),
        );
        clock.pass(10_000);
      }
      // After 10 s, 20 s, 40 s, …
      expect(looks).toEqual(first === 0 ? [] : [10, 30, 70, 150, 310, 630, 1230, 1830, 2430, 3030]);
    },
  );

  test('is nothing for a third credential, where pages are numbered from 0 for two others, and one look where from 1', async () => {
    for (const [firstPage, cost] of [
      [0, [0]],
      [1, [0, 1]],
    ] as [0 | 1, number[]][]) {
      const { world, lists } = createTenants({ firstPage, below: 400 });
      lists.set('sk_demo_c', ids('c', 230));
      for (const key of [KEY_A, KEY_B]) await walk(world, key);
      world.traffic();
      expect((await readTop(world, 'sk_demo_c')).data.callAttempts.nodes[0]).toEqual({ id: 'c0' });
      expect(world.traffic()).toEqual(toPages(...cost));
    }
  });

  test('is nothing where it is configured', async () => {
    for (const firstPage of [0, 1] as const) {
      const world = createTestGateway({
        settings: { ...NO_CACHE, REVOX_FIRST_PAGE: String(firstPage) },
        upstream: async (request) =>
          respond(ids('a', 130), { firstPage, below: 400 }, Number(new URL(request.url).searchParams.get('page'))),
      });
      await walk(world, KEY_A);
      // Three pages. The second client page begins with the third, which is short: only the next one shows that it is the last.
      expect(world.traffic()).toEqual(toPages(...[0, 1, 2, 2, 3].map((index) => index + firstPage)));
    }
  });

  test('is two requests more, for the tenant alone, where a tenant brings a list that is refused', async () => {
    const { world, answerNext } = createTenants({ firstPage: 0, below: 400 });
    for (const key of [KEY_A, KEY_B]) await walk(world, key);
    world.traffic();
    for (let times = 0; times < 3; times += 1) {
      for (let requests = 0; requests < 2; requests += 1) answerNext(Response.json({ error: 'filter' }, { status: 400 }));
      const { errors } = await readTop(world, KEY_A);
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'UPSTREAM_REJECTED', status: 400 });
      expect(world.traffic()).toEqual(toPages(0, 1));
      await readTop(world, KEY_B);
      expect(world.traffic()).toEqual(toPages(0));
    }
  });
});
