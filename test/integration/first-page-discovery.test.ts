import { describe, expect, test } from 'vitest';
import { createClock } from '../support/clock.ts';
import {
  createTestGateway,
  KEY_A,
  KEY_B,
  NO_CACHE,
  NO_RETRIES,
  type TestGateway,
} from '../support/test-gateway.ts';

/** The page numbering of an upstream. */
interface Numbering {
  firstPage: 0 | 1;
  /** How the upstream responds to page 0 where its pages are numbered from 1. */
  readonly below: 400 | 'empty' | 'clamped';
}

const PAGE_SIZE = 50;
const TEN_MINUTES_MS = 600_000;

/**
 * A gateway in pass-through mode, over an upstream with one list per API key. The gateway caches
 * nothing but the page numbering of the upstream.
 */
function createTenants(numbering: Numbering) {
  const lists = new Map([
    [KEY_A, ids('a', 230)],
    [KEY_B, ids('b', 230)],
  ]);
  const clock = createClock();
  const due: (() => void)[] = [];
  const queuedResponses: Response[] = [];
  const gateway = createTestGateway({
    settings: { ...NO_CACHE, ...NO_RETRIES, REVOX_API_KEY: '', REVOX_FIRST_PAGE: 'auto' },
    gateway: { monotonicNow: clock.now },
    async upstream(request) {
      const list =
        lists.get(request.headers.get('authorization')?.slice('Bearer '.length) ?? '') ?? [];
      const page = Number(new URL(request.url).searchParams.get('page'));
      const response = queuedResponses.shift() ?? respond(list, numbering, page);
      due.shift()?.();
      return response;
    },
  });
  return {
    gateway,
    clock,
    lists,
    /** Runs `act` after the next upstream request. */
    afterNext: (act: () => void) => due.push(act),
    /** Replaces the response to the next upstream request. */
    respondNext: (response: Response) => queuedResponses.push(response),
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
  gateway.execute(
    '{ callAttempts(first: 10) { nodes { id } } }',
    {},
    { authorization: `Bearer ${key}` },
  );

const toPages = (...pages: number[]) => pages.map((page) => `GET /call?page=${page}&page_size=50`);

describe('First-page discovery', () => {
  test('discovery draws no wrong conclusion from a list that changes between its two requests when the upstream serves page 0 as page 1', async () => {
    const { gateway, lists, afterNext } = createTenants({ firstPage: 1, below: 'clamped' });
    afterNext(() => lists.get(KEY_A)!.unshift(...ids('new', 60)));
    expect((await readTop(gateway, KEY_A)).errors).toBeUndefined();

    for (const key of [KEY_A, KEY_B]) expect(await walk(gateway, key)).toEqual(lists.get(key));
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('discovery draws no wrong conclusion from fifty attempts that arrive between its two requests when pages are numbered from 0', async () => {
    const { gateway, lists, afterNext } = createTenants({ firstPage: 0, below: 400 });
    afterNext(() => lists.get(KEY_A)!.unshift(...ids('new', 50)));
    const { data } = await readTop(gateway, KEY_A);
    expect(data.callAttempts.nodes[0]).toEqual({ id: 'new0' });

    for (const key of [KEY_A, KEY_B]) expect(await walk(gateway, key)).toEqual(lists.get(key));
  });

  test.each([400, 422])(
    'discovery draws no wrong conclusion from one transient status %i when pages are numbered from 0',
    async (status) => {
      const { gateway, lists, respondNext } = createTenants({ firstPage: 0, below: 400 });
      respondNext(Response.json({ error: 'passing' }, { status }));
      const { data } = await readTop(gateway, KEY_A);
      expect(data.callAttempts.nodes[0]).toEqual({ id: 'a0' });

      for (const key of [KEY_A, KEY_B]) expect(await walk(gateway, key)).toEqual(lists.get(key));
    },
  );

  test('an operation whose first page is rejected repeats discovery after the upstream has switched to numbering from 1', async () => {
    const numbering: Numbering = { firstPage: 0, below: 400 };
    const { gateway, lists } = createTenants(numbering);
    for (const key of [KEY_A, KEY_B]) expect(await walk(gateway, key)).toEqual(lists.get(key));
    numbering.firstPage = 1;
    for (const key of [KEY_A, KEY_B]) expect(await walk(gateway, key)).toEqual(lists.get(key));
  });

  test('the periodic check detects within ten minutes that the upstream has switched to numbering from 0', async () => {
    const numbering: Numbering = { firstPage: 1, below: 400 };
    const { gateway, lists, clock } = createTenants(numbering);
    for (let looks = 0; looks < 10; looks += 1) {
      for (const key of [KEY_A, KEY_B]) expect(await walk(gateway, key)).toEqual(lists.get(key));
      clock.pass(TEN_MINUTES_MS);
    }
    numbering.firstPage = 0;
    for (const key of [KEY_A, KEY_B]) expect(await walk(gateway, key)).toEqual(lists.get(key));
  });

  test('an operation whose short list is missing on page 1 repeats discovery after the upstream has switched to numbering from 0', async () => {
    const numbering: Numbering = { firstPage: 1, below: 400 };
    const { gateway, lists, respondNext } = createTenants(numbering);
    await readTop(gateway, KEY_A);
    numbering.firstPage = 0;
    lists.set(KEY_A, ids('short', 7));
    respondNext(Response.json({ error: 'page' }, { status: 404 }));
    const { data } = await readTop(gateway, KEY_A);
    expect(data.callAttempts.nodes).toHaveLength(7);
  });

  test('a list of one tenant that changes during discovery does not affect the page numbers of another tenant', async () => {
    const { gateway, lists, afterNext } = createTenants({ firstPage: 0, below: 400 });
    // Each discovery of tenant A sees a changed list that is restored before the verification reads
    // it.
    for (let looks = 0; looks < 3; looks += 1) {
      const fresh = ids(`new ${looks} `, PAGE_SIZE);
      afterNext(() => lists.get(KEY_A)!.unshift(...fresh));
      afterNext(() => {});
      afterNext(() => lists.get(KEY_A)!.splice(0, PAGE_SIZE));
      await readTop(gateway, KEY_A);
      expect(await walk(gateway, KEY_B)).toEqual(lists.get(KEY_B));
    }
  });
});

describe('Cost of first-page discovery', () => {
  test.each([
    ['numbered from 0', { firstPage: 0, below: 400 }, [0, 1], []],
    ['numbered from 1, page 0 rejected', { firstPage: 1, below: 400 }, [0, 1, 0], [0]],
    ['numbered from 1, page 0 empty', { firstPage: 1, below: 'empty' }, [0, 1, 0], [0]],
    [
      'numbered from 1, page 0 served as page 1',
      { firstPage: 1, below: 'clamped' },
      [0, 1, 2, 0, 1],
      [0],
    ],
  ] as [string, Numbering, number[], number[]][])(
    'discovery sends requests at the start and checks again after 10 s, doubling to 10 min, and at no other time: %s',
    async (_, numbering, discovery, verification) => {
      const { gateway, clock } = createTenants(numbering);
      const first = numbering.firstPage;
      await readTop(gateway, KEY_A);
      expect(gateway.traffic()).toEqual(toPages(...discovery));
      const looks: number[] = [];
      for (let second = 0; second < 3600; second += 10) {
        await readTop(gateway, KEY_A);
        const requests = gateway.traffic();
        if (requests.length > 1) looks.push(second);
        expect(requests.filter((one) => one !== toPages(first)[0]).slice(0, 1)).toEqual(
          toPages(...verification).slice(0, requests.length - 1),
        );
        clock.pass(10_000);
      }
      // After 10 s, 20 s, 40 s, …
      expect(looks).toEqual(first === 0 ? [] : [10, 30, 70, 150, 310, 630, 1230, 1830, 2430, 3030]);
    },
  );

  test('after two credentials, discovery for a third one costs nothing if pages are numbered from 0 and one request if from 1', async () => {
    for (const [firstPage, cost] of [
      [0, [0]],
      [1, [0, 1]],
    ] as [0 | 1, number[]][]) {
      const { gateway, lists } = createTenants({ firstPage, below: 400 });
      lists.set('sk_demo_c', ids('c', 230));
      for (const key of [KEY_A, KEY_B]) await walk(gateway, key);
      gateway.traffic();
      expect((await readTop(gateway, 'sk_demo_c')).data.callAttempts.nodes[0]).toEqual({
        id: 'c0',
      });
      expect(gateway.traffic()).toEqual(toPages(...cost));
    }
  });

  test('a configured first page number costs no discovery requests', async () => {
    for (const firstPage of [0, 1] as const) {
      const gateway = createTestGateway({
        settings: { ...NO_CACHE, REVOX_FIRST_PAGE: String(firstPage) },
        upstream: async (request) =>
          respond(
            ids('a', 130),
            { firstPage, below: 400 },
            Number(new URL(request.url).searchParams.get('page')),
          ),
      });
      await walk(gateway, KEY_A);
      // The list has three pages. The second client page begins with the third, which is short:
      // only the next page shows that the third one is the last.
      expect(gateway.traffic()).toEqual(
        toPages(...[0, 1, 2, 2, 3].map((index) => index + firstPage)),
      );
    }
  });

  test('a list that the upstream rejects costs its own tenant one additional request and other tenants none', async () => {
    const { gateway, respondNext } = createTenants({ firstPage: 0, below: 400 });
    for (const key of [KEY_A, KEY_B]) await walk(gateway, key);
    gateway.traffic();
    for (let times = 0; times < 3; times += 1) {
      for (let requests = 0; requests < 2; requests += 1)
        respondNext(Response.json({ error: 'filter' }, { status: 400 }));
      const { errors } = await readTop(gateway, KEY_A);
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'UPSTREAM_REJECTED', status: 400 });
      expect(gateway.traffic()).toEqual(toPages(0, 1));
      await readTop(gateway, KEY_B);
      expect(gateway.traffic()).toEqual(toPages(0));
    }
  });
});
