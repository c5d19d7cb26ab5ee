import { expect, test } from 'vitest';
import { toTimeoutOptions } from '#server/server-limits.ts';

test.each([
  ['the default limits', 10_000, 30_000, 2_500],
  ['a shorter limit of the whole request', 60_000, 1_000, 250],
  ['long limits', 60_000, 600_000, 5_000],
])('%s are checked four times, and at least every 5 s', (_, headersMs, requestMs, interval) => {
  const timeouts = { headersMs, requestMs, idleMs: 90_000, keepAliveMs: 620_000 };
  expect(toTimeoutOptions(timeouts)).toEqual({
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    keepAliveTimeout: 620_000,
    connectionsCheckingInterval: interval,
  });
});
