import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';

export interface Walk {
  readonly list: 'attempts' | 'rows';
  readonly direction: 'forward' | 'backward';
  /** The number of items that each step requests. */
  readonly size: number;
  /** The campaign whose rows are read. */
  readonly campaignId: string;
}

/** A real client that reads a list page by page. */
export interface PagedWalk {
  /** Requests the next page and waits until it is in the client's store. */
  step(): Promise<void>;
  /** Whether the client's store reports a further page. */
  hasMore(): boolean;
  /** The ids of the list in the client's store. */
  ids(): readonly string[];
  /** The ids of each page received, in order of arrival. */
  readonly received: readonly (readonly string[])[];
}

/** No cache entry expires during a walk, even on a slow machine. */
const LONG_FRESHNESS = {
  FRESHNESS_PAGE_MS: '600000',
  FRESHNESS_LIVE_CALL_MS: '600000',
  FRESHNESS_RUNNING_CAMPAIGN_MS: '600000',
};
const UPSTREAM_PAGE_SIZE = 50;
/** Not a multiple of any page size. */
const LENGTH = 320;
/** Smaller than a client page; otherwise a walk to the top would never end. */
const NEW_ITEMS_PER_STEP = 7;

/** The walks that every client must complete, with bounds on their upstream requests. */
export function describeListWalks(
  open: (gateway: ServedGateway, walk: Walk) => Promise<PagedWalk> | PagedWalk,
): void {
  let gateway: ServedGateway;
  beforeEach(() => {
    vi.spyOn(console, 'error');
    vi.spyOn(console, 'warn');
  });
  afterEach(async () => {
    await gateway.close();
    // Clients log invalid ids and cursors to the console.
    const problems = [
      ...vi.mocked(console.error).mock.calls,
      ...vi.mocked(console.warn).mock.calls,
    ];
    vi.restoreAllMocks();
    expect(problems).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  describe.each(['attempts', 'rows'] as const)('list of %s', (list) => {
    describe.each(['forward', 'backward'] as const)('%s to the end', (direction) => {
      test.each([
        { size: 45, moves: false, isCaching: true },
        { size: 45, moves: false, isCaching: false },
        { size: 100, moves: false, isCaching: false },
        { size: 45, moves: true, isCaching: false },
      ])(
        'a client reads the whole list with pages of $size (items inserted on top: $moves, upstream pages cached: $isCaching)',
        async ({ size, moves, isCaching }) => {
          gateway = await serveTestGateway({ settings: isCaching ? LONG_FRESHNESS : NO_CACHE });
          const campaignId = sampleIds(gateway.sandbox).largeCampaignId;
          const walk: Walk = { list, direction, size, campaignId };
          // Long enough for several pages of each size. The client's store needs seconds for a
          // longer list.
          truncateLists(gateway.sandbox, walk);
          const atStart = idsInSandbox(gateway.sandbox, walk);
          expect(atStart).toHaveLength(LENGTH);

          const client = await open(gateway, walk);
          const costs: string[][] = [];
          do {
            if (moves && costs.length > 0) insertOnTop(gateway.sandbox, walk);
            await client.step();
            costs.push(gateway.traffic());
          } while (client.hasMore());

          // A forward walk has already passed the items inserted on top. A backward walk reaches
          // them.
          const expected = direction === 'forward' ? atStart : idsInSandbox(gateway.sandbox, walk);
          expect(client.ids()).toEqual(expected);
          // A client's store hides duplicate items; the received pages do not.
          expect(
            (direction === 'forward' ? client.received : client.received.toReversed()).flat(),
          ).toEqual(expected);
          expect(costs).toHaveLength(
            moves ? client.received.length : Math.ceil(expected.length / size),
          );
          if (isCaching) expectEachPageOnce(costs, walk, expected.length);
          else expectRequestBound(costs, walk, { length: expected.length, moves });
        },
      );
    });
  });
}

function idsInSandbox({ control }: Sandbox, { list, campaignId }: Walk): string[] {
  const { attempts, rows } = control.data(KEY_A);
  return (list === 'attempts' ? attempts : (rows[campaignId] ?? [])).map(({ id }) => id);
}

function truncateLists({ control }: Sandbox, { campaignId }: Walk): void {
  const { attempts, rows } = control.data(KEY_A);
  const tailOf = (items: readonly { readonly id: string }[] = []) =>
    items.slice(LENGTH).map(({ id }) => id);
  control.removeAttempts(KEY_A, tailOf(attempts));
  control.removeRows(KEY_A, campaignId, tailOf(rows[campaignId]));
}

function insertOnTop({ control }: Sandbox, { list, campaignId }: Walk): void {
  const insertion = { at: 0, count: NEW_ITEMS_PER_STEP };
  if (list === 'attempts') control.insertAttempts(KEY_A, insertion);
  else control.insertRows(KEY_A, campaignId, insertion);
}

/**
 * A forward walk requests each page once. A backward walk requests a page again after it has read
 * the page above it; otherwise it would miss items that moved across the page border in between.
 */
function expectEachPageOnce(
  steps: readonly (readonly string[])[],
  { list, direction }: Walk,
  length: number,
): void {
  const pages = Math.ceil(length / UPSTREAM_PAGE_SIZE) + 1;
  const search = list === 'attempts' ? 2 * Math.ceil(Math.log2(pages)) + 2 : 1;
  const campaign = list === 'rows' ? 1 : 0;
  expect(steps.flat().length).toBeLessThanOrEqual(
    campaign + (direction === 'forward' ? pages : 2 * pages + search),
  );
}

/**
 * A step requests only pages of the list: the pages of its items, and the page behind a page
 * border. Rows cost one more request, for their campaign. The first backward step must also find
 * the end of the list. In a list that has moved, a step also reads the cursor's former position.
 */
function expectRequestBound(
  steps: readonly (readonly string[])[],
  { list, direction, size, campaignId }: Walk,
  { length, moves }: { length: number; moves: boolean },
): void {
  const campaign = `GET /campaigns/${campaignId}`;
  const page = new RegExp(
    `^${list === 'attempts' ? 'GET /call' : `${campaign}/rows`}\\?page=\\d+&page_size=${UPSTREAM_PAGE_SIZE}$`,
  );
  const maxRequests = Math.ceil(size / UPSTREAM_PAGE_SIZE) + (moves ? 2 : 1);
  const search = list === 'rows' ? 1 : 2 * Math.ceil(Math.log2(length / UPSTREAM_PAGE_SIZE)) + 2;
  for (const [index, requests] of steps.entries()) {
    const pages = requests.filter((request) => page.test(request));
    expect(requests.filter((request) => !pages.includes(request))).toEqual(
      list === 'rows' ? [campaign] : [],
    );
    expect(pages).toEqual([...new Set(pages)]);
    expect(pages.length).toBeLessThanOrEqual(
      direction === 'backward' && index === 0 ? search + maxRequests : maxRequests,
    );
  }
}
