import { expect, test } from 'vitest';
import { parseRetryAfterMs } from '#rest/resilience/retry-after.ts';

const NOW = Date.parse('2024-06-01T12:00:00Z');

test.each([
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '1.2' }, 1_200],
  [{ 'retry-after': 'Sat, 01 Jun 2024 12:01:30 GMT' }, 90_000],
  [{ 'retry-after': 'Sat, 01 Jun 2024 11:00:00 GMT' }, 0],
  [{ 'retry-after-ms': '1500' }, 1_500],
  [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 1_500],
  [{ 'retry-after-ms': 'soon', 'retry-after': '60' }, 60_000],
  [{ 'retry-after-ms': '', 'retry-after': '60' }, 60_000],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': 'Infinity' }, undefined],
  [{ 'retry-after-ms': '1e999' }, undefined],
  [{}, undefined],
])('the retry delay of the headers %j is %s ms', (headers: { [name: string]: string }, ms) => {
  expect(parseRetryAfterMs((name) => headers[name], NOW)).toBe(ms);
});
