import { describe, expect, test } from 'vitest';
import {
  CALLS_OF_KEY,
  type SimulationOptions,
  type SimulationResult,
  simulate,
} from '../load/live/simulation.ts';

/** The small variant of `npm run simulate:live`. */
const CALLS = 200;
const KEYS = CALLS / CALLS_OF_KEY;
const MEASURED_S = 100;

const run = (options: Partial<SimulationOptions> = {}) =>
  simulate({
    calls: CALLS,
    hasWebhooks: false,
    settings: { LIVE_RATE: '50', LIVE_RATE_TOTAL: '1000', REVOX_MAX_CONCURRENCY: '40' },
    warmUpMs: 20_000,
    measuredMs: MEASURED_S * 1_000,
    ...options,
  });

const totalOf = ({ requestsPerSecond: { singles, pages } }: SimulationResult) => singles + pages;

/** Polls of a call that waits for its second attempt: each at half of the time that is left. */
const SCHEDULED_POLLS = 6;

/** The formula of docs/operations/sizing.md, with the shortest intervals, for one instance. */
function toCeiling({ ends }: SimulationResult, hasCampaigns: boolean): number {
  const starts = ends / MEASURED_S;
  const scheduled = 0.1 * starts * SCHEDULED_POLLS;
  if (!hasCampaigns) return CALLS / 2 + starts + scheduled;
  const [campaigns, others] = [2 * KEYS, 20 * KEYS];
  // A call that starts makes both campaigns of its key due, and one that ends is read singly.
  return campaigns / 2 + others / 2 + starts * (2 + 1) + scheduled;
}

describe('Two hundred simulated calls with two thousand subscribers', () => {
  test.each<[name: string, options: Partial<SimulationOptions>, result: SimulationResult]>([
    [
      'without webhooks',
      {},
      {
        watchedObjects: 200,
        requestsPerSecond: { singles: 18.14, pages: 4.59 },
        requestsPerEnd: 15.462585034013605,
        ends: 147,
        endDelayMs: { p50: 945, p99: 2_848 },
        stretch: 0.20416206315007682,
      },
    ],
    [
      'with webhooks',
      { hasWebhooks: true },
      {
        watchedObjects: 200,
        requestsPerSecond: { singles: 14.32, pages: 3.79 },
        requestsPerEnd: 13.316176470588236,
        ends: 136,
        endDelayMs: { p50: 651, p99: 994 },
        stretch: 0.20219880703016346,
      },
    ],
    [
      'without campaigns',
      { hasCampaigns: false },
      {
        watchedObjects: 200,
        requestsPerSecond: { singles: 82.61, pages: 0 },
        requestsPerEnd: 56.582191780821915,
        ends: 146,
        endDelayMs: { p50: 1_167, p99: 3_339 },
        stretch: 0.8503484714742072,
      },
    ],
    [
      'at three instances',
      { instances: 3 },
      {
        watchedObjects: 587,
        requestsPerSecond: { singles: 52.73, pages: 13.09 },
        requestsPerEnd: 45.082191780821915,
        ends: 146,
        endDelayMs: { p50: 1_244, p99: 2_588 },
        stretch: 0.21199312074634652,
      },
    ],
    [
      'at ten instances that share polls',
      { instances: 10, hasLeases: true },
      {
        watchedObjects: 1_289,
        requestsPerSecond: { singles: 18.91, pages: 1.88 },
        requestsPerEnd: 14.337931034482759,
        ends: 145,
        endDelayMs: { p50: 1_473, p99: 2_558 },
        stretch: 0.08790518887440678,
      },
    ],
  ])('%s cost what the formula permits, and the same in each run', async (_, options, expected) => {
    const result = await run(options);
    expect(result).toEqual(expected);
    const ceiling = toCeiling(result, options.hasCampaigns !== false);
    // Without leases, each instance polls for the calls that its own subscribers follow.
    const polled = options.hasLeases ? CALLS : result.watchedObjects;
    expect(totalOf(result)).toBeLessThanOrEqual((ceiling * polled) / CALLS);
  });

  test('cost what LIVE_RATE permits, and are polled less often', async () => {
    const result = await run({ settings: { LIVE_RATE: '5', LIVE_RATE_TOTAL: '1000' } });
    expect(totalOf(result)).toBeCloseTo(5 * KEYS, 1);
    expect(result.stretch).toBeGreaterThan(2);
    expect(result.endDelayMs.p50).toBeGreaterThan(2_000);
  });

  test('count only the polls of each instance for its rates', async () => {
    const settings = { LIVE_RATE: '4', LIVE_RATE_TOTAL: '4' };
    const result = await run({ instances: 10, hasLeases: true, settings });
    expect(totalOf(result)).toBeLessThanOrEqual(toCeiling(result, true));
    expect(result.stretch).toBeLessThan(1);
    expect(result.endDelayMs.p99).toBeLessThan(3_000);
  });

  test('cost what LIVE_RATE_TOTAL permits for all keys', async () => {
    const result = await run({ settings: { LIVE_RATE: '10', LIVE_RATE_TOTAL: '8' } });
    expect(totalOf(result)).toBeCloseTo(8, 1);
  });
});
