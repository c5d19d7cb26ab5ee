import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  UpstreamNotFoundError,
  UpstreamRejectedError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import { MAX_TRUST_MS } from '#pagination/fact.ts';
import { arbitraryBehavior, NUM_RUNS, TIMEOUT_MS } from './moving-lists.ts';
import { createTenants, type FlakyList, type Tenant, walk } from './simulated-tenants.ts';

/**
 * Discovery of the upstream's paging behavior while lists move and single responses are wrong.
 *
 * - A tenant whose own list stands still, and whose own responses are correct, always gets a
 *   correct result, whatever other tenants' lists do.
 * - A tenant whose list has moved, or that received a wrong response, gets a correct result from
 *   the first operation that starts once the list stands still and `MAX_TRUST_MS` have passed. (A
 *   wrong 1 may be trusted for that time: nothing that is served contradicts it.)
 * - After a single move, or a single wrong response, the first operation after it gets a correct
 *   result.
 */

const PAGE_SIZE = 5;
const REQUEST_LINE = { method: 'GET', path: '/list' } as const;
const FAILURES = {
  400: new UpstreamRejectedError(REQUEST_LINE, 400),
  422: new UpstreamRejectedError(REQUEST_LINE, 422),
  404: new UpstreamNotFoundError(REQUEST_LINE, 404),
  500: new UpstreamUnavailableError(REQUEST_LINE, { status: 500 }),
};

const ACTIONS = ['walk', 'count', 'last page', 'first page'] as const;
type Action = (typeof ACTIONS)[number];

const disturbance = fc.oneof(
  fc.record({
    kind: fc.constant('insert' as const),
    count: fc.integer({ min: 1, max: 12 }),
    at: fc.nat({ max: 12 }),
  }),
  fc.record({
    kind: fc.constant('insert' as const),
    count: fc.constant(PAGE_SIZE),
    at: fc.constant(0),
  }),
  fc.record({
    kind: fc.constant('remove' as const),
    count: fc.integer({ min: 1, max: 12 }),
    at: fc.nat({ max: 12 }),
  }),
  fc.record({ kind: fc.constant('clear' as const) }),
  fc.record({ kind: fc.constant('empty page' as const) }),
  fc.record({
    kind: fc.constant('failure' as const),
    status: fc.constantFrom(400 as const, 422 as const, 404 as const, 500 as const),
  }),
);
type Disturbance = typeof disturbance extends fc.Arbitrary<infer D> ? D : never;

const turn = fc.record({
  tenant: fc.nat({ max: 2 }),
  instance: fc.nat({ max: 1 }),
  action: fc.constantFrom(...ACTIONS),
  /** Each disturbance happens after this number of requests. */
  disturbances: fc.array(fc.tuple(fc.nat({ max: 6 }), disturbance), { maxLength: 3 }),
  waitMs: fc.constantFrom(0, 0, 1000, 11_000, 100_000, MAX_TRUST_MS),
});

const length = fc.constantFrom(0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 4 * PAGE_SIZE + 3);
const scenario = fc.record({
  behavior: arbitraryBehavior,
  lengths: fc.array(length, { minLength: 2, maxLength: 3 }),
  /** How many tenants are disturbed: all other lists stand still throughout. */
  disturbed: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(turn, { minLength: 1, maxLength: 12 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer W> ? W : never;

const covered = { calm: 0, disturbed: 0, healed: 0 };

async function run({ behavior, lengths, disturbed, steps }: Scenario): Promise<void> {
  const { clock, tenants } = createTenants({
    behavior,
    pageSize: PAGE_SIZE,
    lengths,
    instances: 2,
  });
  for (const { tenant: number, instance, action, disturbances, waitMs } of steps) {
    const index = number % tenants.length;
    const tenant = tenants[index]!;
    if (index < disturbed) {
      covered.disturbed += 1;
      for (const [requests, one] of disturbances) {
        if (requests === 0) disturb(tenant.upstream, one);
        else tenant.upstream.afterRequests(requests, () => disturb(tenant.upstream, one));
      }
      // Only the disturbed operation itself may fail.
      await act(tenant, instance, action).catch(() => {});
    } else {
      covered.calm += 1;
      await expectRight(tenant, instance, action);
    }
    clock.pass(waitMs);
  }

  for (const tenant of tenants) tenant.upstream.cancelChanges();
  clock.pass(MAX_TRUST_MS);
  for (const tenant of tenants) {
    for (const instance of [0, 1]) {
      for (const action of ACTIONS) await expectRight(tenant, instance, action);
      covered.healed += 1;
    }
  }
}

const singleDisturbance = fc.record({
  behavior: arbitraryBehavior,
  lengths: fc.array(length, { minLength: 2, maxLength: 2 }),
  before: fc.array(turn, { maxLength: 3 }),
  action: fc.constantFrom(...ACTIONS),
  requests: fc.nat({ max: 8 }),
  disturbance,
  after: fc.shuffledSubarray([...ACTIONS], { minLength: ACTIONS.length }),
  /** Items that are inserted at the start afterwards: a wrong number of the first page hides them. */
  growth: fc.nat({ max: 4 * PAGE_SIZE }),
});
type SingleDisturbance = typeof singleDisturbance extends fc.Arbitrary<infer W> ? W : never;

async function runOnce({
  behavior,
  lengths,
  before,
  action,
  requests,
  disturbance,
  after,
  growth,
}: SingleDisturbance): Promise<void> {
  const { clock, tenants } = createTenants({
    behavior,
    pageSize: PAGE_SIZE,
    lengths,
    instances: 2,
  });
  for (const { tenant, instance, action, waitMs } of before) {
    await expectRight(tenants[tenant % tenants.length]!, instance, action);
    clock.pass(waitMs);
  }
  const [tenant] = tenants as [Tenant];
  if (requests === 0) disturb(tenant.upstream, disturbance);
  else tenant.upstream.afterRequests(requests, () => disturb(tenant.upstream, disturbance));
  await act(tenant, 0, action).catch(() => {});
  tenant.upstream.cancelChanges();
  for (const count of [0, growth]) {
    tenant.upstream.insert(0, count);
    for (const action of after) {
      for (const instance of [0, 1]) await expectRight(tenant, instance, action);
    }
  }
}

function disturb(upstream: FlakyList, one: Disturbance): void {
  if (one.kind === 'insert') upstream.insert(Math.min(one.at, upstream.ids.length), one.count);
  if (one.kind === 'remove') upstream.remove(one.at, one.count);
  if (one.kind === 'clear') upstream.remove(0, upstream.ids.length);
  if (one.kind === 'empty page') upstream.serveEmptyNext();
  if (one.kind === 'failure') upstream.failNext(FAILURES[one.status]);
}

async function act(tenant: Tenant, instance: number, action: Action) {
  const reader = tenant.at(instance);
  if (action === 'walk') return { ...(await walk(tenant, instance, 7)), total: undefined };
  const page = await reader.read(action === 'last page' ? { last: 7 } : { first: 7 });
  return {
    ...page,
    isHonest: undefined,
    total: action === 'count' ? await page.connection.totalCount() : undefined,
  };
}

async function expectRight(tenant: Tenant, instance: number, action: Action): Promise<void> {
  const { ids } = tenant.upstream;
  const result = await act(tenant, instance, action);
  if (action === 'walk') expect(result.ids).toEqual(ids);
  else if (action === 'last page') expect(result.ids).toEqual(ids.slice(-7));
  else expect(result.ids).toEqual(ids.slice(0, 7));
  if (action === 'walk') expect(result.isHonest).toBe(true);
  if (action === 'count') expect(result.total).toBe(ids.length);
}

describe('First page discovery on moving lists', () => {
  test(
    'discovery never returns a wrong result to a tenant whose own list stands still, and recovers for all other tenants',
    async () => {
      await fc.assert(fc.asyncProperty(scenario, run), { numRuns: 3 * NUM_RUNS });
      for (const [subject, times] of Object.entries(covered))
        expect(times, `${subject} was met`).toBeGreaterThan(NUM_RUNS);
    },
    3 * TIMEOUT_MS,
  );

  test(
    'the first operation after a single list move or a single wrong response is correct, at whichever request it happens',
    async () => {
      await fc.assert(fc.asyncProperty(singleDisturbance, runOnce), { numRuns: 3 * NUM_RUNS });
    },
    3 * TIMEOUT_MS,
  );

  test(
    'an operation shows the whole list from its start, however many items are inserted at the start during discovery',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            // When numbers past the end are clamped, a page by which the list has grown looks like
            // its end.
            behavior: arbitraryBehavior.filter(
              ({ past, cap }) => past !== 'clamped' && cap === undefined,
            ),
            length,
            inserts: fc.array(
              fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 120 })),
              { maxLength: 2 },
            ),
          }),
          async ({ behavior, length, inserts }) => {
            const { tenants } = createTenants({ behavior, pageSize: PAGE_SIZE, lengths: [length] });
            const [tenant] = tenants as [Tenant];
            const was = [...tenant.upstream.ids];
            for (const [requests, count] of inserts)
              tenant.upstream.afterRequests(requests, () => tenant.upstream.insert(0, count));
            const { ids, hasNextPage } = await tenant.at(0).read({ first: 100 });
            expect(new Set(ids).size).toBe(ids.length);
            const shown = ids.filter((id) => was.includes(id));
            expect(shown).toEqual(was.slice(0, shown.length));
            expect(shown.length === was.length || hasNextPage).toBe(true);
          },
        ),
        { numRuns: 3 * NUM_RUNS },
      );
    },
    3 * TIMEOUT_MS,
  );
});
