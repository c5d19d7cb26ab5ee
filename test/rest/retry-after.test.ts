import { expect, test } from 'vitest';
import { toRetryAfterSeconds } from '#rest/retry-after.ts';

const NOW = Date.parse('2024-06-01T12:00:00Z');

test.each([
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '1.2' }, 2],
  [{ 'retry-after': 'Sat, 01 Jun 2024 12:01:30 GMT' }, 90],
  [{ 'retry-after': 'Sat, 01 Jun 2024 11:00:00 GMT' }, 0],
  [{ 'retry-after-ms': '1500' }, 2],
  [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 2],
  [{ 'retry-after-ms': 'soon', 'retry-after': '60' }, 60],
  [{ 'retry-after-ms': '', 'retry-after': '60' }, 60],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': 'Infinity' }, undefined],
  [{ 'retry-after-ms': '1e999' }, undefined],
  [{}, undefined],
])('%j is %s seconds', (headers: { [name: string]: string }, seconds) => {
  expect(
    toRetryAfterSeconds(
      (name) => headers[name],
      () => NOW,
    ),
  ).toBe(seconds);
});
