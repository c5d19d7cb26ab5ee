import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';

export interface Walk {
  readonly list: 'attempts' | 'rows';
  readonly direction: 'forward' | 'backward';
  /** Items asked for by each step. */
  readonly size: number;
  /** Whose rows. */
  readonly campaignId: string;
}

/** A real client on its way through a list. */
export interface PagedWalk {
  /** Asks for the next page, and waits until it is in the client's store. */
  step(): Promise<void>;
  /** What the client's store says. */
  hasMore(): boolean;
  /** The whole list as the client's store now has it. */
  ids(): readonly string[];
  /** The pages as they came over the wire, in the order they came. */
  readonly received: readonly (readonly string[])[];
}

/** Nothing gets old while a walk goes on, however slow the machine. */
const LONG_FRESHNESS = {
  FRESHNESS_PAGE_MS: '600000',
  FRESHNESS_LIVE_CALL_MS: '600000',
  FRESHNESS_RUNNING_CAMPAIGN_MS: '600000',
};
const UPSTREAM_PAGE_SIZE = 50;
/** Of no page's size a multiple. */
const LENGTH = 320;
/** Less than a client page: else a walk up to the top would never end. */
const NEW_ITEMS_PER_STEP = 7;

/** The walks that every client has to be able to make, to the end, with what they may cost upstream. */
export function describeListWalks(
  open: (gateway: ServedGateway, walk: Walk) => Promise<PagedWalk> | PagedWalk,
): void {
  let world: ServedGateway;
  beforeEach(() => {
    vi.spyOn(console, 'error');
    vi.spyOn(console, 'warn');
  });
  afterEach(async () => {
    await world.close();
    // Clients complain there of ids and cursors that they can make nothing of.
    const problems = [
      ...vi.mocked(console.error).mock.calls,
      ...vi.mocked(console.warn).mock.calls,
    ];
    vi.restoreAllMocks();
    expect(problems).toEqual([]);
    expect(world.unexpectedErrors).toEqual([]);
  });

  describe.each(['attempts', 'rows'] as const)('%s', (list) => {
    describe.each(['forward', 'backward'] as const)('%s to the end', (direction) => {
      test.each([
        { size: 45, moves: false, isCaching: true },
        { size: 45, moves: false, isCaching: false },
        { size: 100, moves: false, isCaching: false },
        { size: 45, moves: true, isCaching: false },
      ])(
        '$size at a time, new ones on top meanwhile: $moves, remembered: $remembers',
        async ({ size, moves, isCaching }) => {
          world = await serveTestGateway({ settings: isCaching ? LONG_FRESHNESS : NO_CACHE });
          const campaignId = sampleIds(world.sandbox).largeCampaignId;
          const walk: Walk = { list, direction, size, campaignId };
          // Long enough for some pages of each size; what a client's store makes of a longer one takes it seconds.
          truncateLists(world.sandbox, walk);
          const atStart = idsInSandbox(world.sandbox, walk);
          expect(atStart).toHaveLength(LENGTH);

          const client = await open(world, walk);
          const costs: string[][] = [];
          do {
            if (moves && costs.length > 0) insertOnTop(world.sandbox, walk);
            await client.step();
            costs.push(world.traffic());
          } while (client.hasMore());

          // Down a list, what came on top stands behind the walker; up the list, it lies before.
          const expected = direction === 'forward' ? atStart : idsInSandbox(world.sandbox, walk);
          expect(client.ids()).toEqual(expected);
          // Stores hide an item that comes twice; the wire does not.
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
  const what = { at: 0, count: NEW_ITEMS_PER_STEP };
  if (list === 'attempts') control.insertAttempts(KEY_A, what);
  else control.insertRows(KEY_A, campaignId, what);
}

/**
 * Down a list, each page is asked for once. Up the list, a page is asked for again when the one above it has been read, for what moved across
 * their border meanwhile would else be missed.
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
 * A step asks for nothing but pages of the list: those its items lie on, and the one behind a border. Rows are reached through their
 * campaign, one request more. The first step from the end has to find the end; a list that moved is looked at where it was, too.
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
