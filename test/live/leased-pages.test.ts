import { expect, test } from 'vitest';
import { createReadLeasedPage, ListPollPostponedError } from '#live/leased-pages.ts';
import type { ClaimOutcome } from '#live/poll-leases.ts';
import { createClock } from '../support/clock.ts';
import { createMemoryLeases } from '../support/memory-leases.ts';
import { createTimers } from '../support/timers.ts';

const INTERVAL_MS = 2_000;
const LATENCY_MS = 200;

interface Page {
  readonly requestedAt: number;
}

/** Instances that read one page of a list. The upstream responds after 200 ms. */
function createScene() {
  const clock = createClock();
  const timers = createTimers(clock);
  const leases = createMemoryLeases(clock.now);
  const requests: string[] = [];
  const claims: ClaimOutcome[] = [];
  const startedAt = clock.now();
  const scene = {
    isStored: true,
    shared: undefined as Page | undefined,
    clock,
    timers,
    leases,
    requests,
    claims,
    join(name: string, { aloneAt = Number.NEGATIVE_INFINITY, intervalMs = INTERVAL_MS } = {}) {
      const read = createReadLeasedPage({
        leases: leases.join(),
        list: 'k',
        target: { fingerprint: 'f' } as never,
        intervalMs,
        aloneAt,
        onRead() {},
        events: { onClaim: (outcome) => claims.push(outcome) },
        now: clock.now,
        monotonicNow: clock.now,
        startTimer: timers.startTimer,
      });
      return () =>
        read('1 50', {
          async request(isForced) {
            const requestedAt = clock.now();
            requests.push(`${name} ${requestedAt - startedAt} ${isForced ? 'forced' : 'cached'}`);
            await new Promise<void>((resolve) => timers.startTimer(LATENCY_MS, resolve));
            if (scene.isStored) scene.shared = { requestedAt };
            return { requestedAt };
          },
          readShared: async () => scene.shared,
        });
    },
  };
  return scene;
}

test('of three instances, one requests the page, and the others wait for its response', async () => {
  const { join, timers, requests, claims, clock } = createScene();
  const [one, two, three] = [join('one'), join('two'), join('three')];
  const at = clock.now();
  const pages = Promise.all([one(), two(), three()]);
  await timers.pass(500);
  expect(await pages).toEqual([{ requestedAt: at }, { requestedAt: at }, { requestedAt: at }]);
  expect(requests).toEqual(['one 0 forced']);
  expect(claims.filter((outcome) => outcome === 'won')).toEqual(['won']);
});

test('within the interval the shared page is read at once, and after it the next instance requests it', async () => {
  const { join, timers, requests } = createScene();
  const [one, two] = [join('one'), join('two')];
  const first = one();
  await timers.pass(1_000);
  expect(await two()).toEqual(await first);
  await timers.pass(1_000);
  const next = two();
  await timers.pass(LATENCY_MS);
  const { requestedAt } = await next;
  expect(await one()).toEqual({ requestedAt });
  expect(requests).toEqual(['one 0 forced', 'two 2000 forced']);
});

test('the page of the interval before is no response to the claim', async () => {
  const { join, timers, requests, clock } = createScene();
  const [one, two] = [join('one'), join('two')];
  void one();
  await timers.pass(INTERVAL_MS);
  const at = clock.now();
  const pages = Promise.all([one(), two()]);
  await timers.pass(500);
  expect(await pages).toEqual([{ requestedAt: at }, { requestedAt: at }]);
  expect(requests).toEqual(['one 0 forced', 'one 2000 forced']);
});

test('the page of an instance that died is requested when its claim ends', async () => {
  const scene = createScene();
  const [dead, alive] = [scene.join('dead'), scene.join('alive')];
  scene.isStored = false;
  void dead();
  const page = alive();
  await scene.timers.pass(INTERVAL_MS + LATENCY_MS);
  await page;
  expect(scene.requests).toEqual(['dead 0 forced', 'alive 1800 forced']);
});

test('a page that is never shared is requested within an interval, also while its claim never ends', async () => {
  const scene = createScene();
  const leases = scene.leases.join();
  scene.isStored = false;
  const hold = async () => {
    await leases.claimPage({ fingerprint: 'f' } as never, 'k 1 50', 10 * INTERVAL_MS);
  };
  await hold();
  const page = scene.join('one')();
  await scene.timers.pass(INTERVAL_MS + 2 * LATENCY_MS);
  await page;
  expect(scene.requests).toEqual(['one 1800 forced']);
});

test('while claims are not possible, each instance reads the list at twice the interval', async () => {
  const scene = createScene();
  scene.leases.isUp = false;
  const aloneAt = scene.clock.now() + 1_000;
  await expect(scene.join('one', { aloneAt })()).rejects.toThrow(ListPollPostponedError);
  await scene.timers.pass(1_000);
  const page = scene.join('one', { aloneAt })();
  await scene.timers.pass(LATENCY_MS);
  await page;
  expect(scene.requests).toEqual(['one 1000 cached']);
});

test('a page whose claim has a longer interval is requested by one instance of those with a shorter one', async () => {
  const { join, timers, requests } = createScene();
  const slow = join('slow', { intervalMs: 5 * INTERVAL_MS });
  const [one, two] = [join('one'), join('two')];
  void slow();
  for (let interval = 0; interval < 4; interval += 1) {
    await timers.pass(INTERVAL_MS);
    const pages = Promise.all([one(), two()]);
    await timers.pass(500);
    const [page, other] = await pages;
    expect(page).toEqual(other);
  }
  expect(requests.map((line) => line.replace('two', 'one'))).toEqual([
    'slow 0 forced',
    'one 2000 forced',
    'one 4500 forced',
    'one 7000 forced',
    'one 9500 forced',
  ]);
});

test('an old page does not count for longer than an interval, whatever the claims say', async () => {
  const { join, timers, requests, leases } = createScene();
  const [one, two] = [join('one'), join('two')];
  void one();
  await timers.pass(2 * INTERVAL_MS);
  for (const name of ['k 1 50', 'k 1 50 overdue'])
    leases.forge(`page ${name}`, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  const page = two();
  await timers.pass(INTERVAL_MS + 2 * LATENCY_MS);
  await page;
  expect(requests).toEqual(['one 0 forced', 'two 6100 forced']);
});
